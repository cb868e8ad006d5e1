from asr.serve.metrics import Metrics


def test_a_second_of_audio_counts_also_after_a_million() -> None:
    """Prometheus computes rates from differences of a counter."""
    lines = [Metrics(audio_seconds=n).text().splitlines() for n in (1_234_567.0, 1_234_568.5)]

    before, after = (
        next(float(line.split()[1]) for line in page if line.startswith("asr_audio_seconds_total"))
        for page in lines
    )
    assert after - before == 1.5
