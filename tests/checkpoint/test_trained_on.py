from asr.checkpoint.trained_on import Speech


def test_a_few_seconds_of_speech_are_not_zero_hours() -> None:
    spoken = [str(Speech("train.jsonl", n, hours)) for n, hours in ((4, 0.0014), (2_703, 5.3883))]

    assert spoken == [
        "5.0 seconds of train.jsonl, 4 utterances",
        "5.39 hours of train.jsonl, 2,703 utterances",
    ]
