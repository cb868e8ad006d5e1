import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from asr.chart.estimates import FRAME
from asr.report.acoustics import Acoustics
from asr.report.figures import Figure, figures
from asr.report.material import gather
from asr.text.transcript import Transcript, Word
from asr.wer.nist import Segment
from asr.wer.score import score


def drawn(
    pairs: Sequence[tuple[str, str]],
    *,
    confidence: float = 0.5,
    acoustics: Mapping[str, Acoustics] | None = None,
    training_words: Mapping[str, int] | None = None,
) -> dict[str, Figure]:
    """Draw the figures of references and hypotheses by two speakers."""
    spoken = [Segment(str(i), said, f"s{i % 2}") for i, (said, _) in enumerate(pairs)]
    recognised = {
        str(i): Transcript(
            str(i),
            heard,
            words=tuple(Word(w, k / 9, k / 9, confidence) for k, w in enumerate(heard.split())),
            duration=float(1 + i % 30),
        )
        for i, (_, heard) in enumerate(pairs)
    }
    result = score(spoken, {i: one.text for i, one in recognised.items()}, "verbatim-1")
    made = figures(gather(result, recognised, []), acoustics or {}, training_words)
    return {figure.title: figure for figure in made}


def hints(figure: Figure) -> list[str]:
    return [found.text or "" for found in ElementTree.fromstring(figure.svg).iter("title")]


def test_words_are_grouped_by_how_often_training_saw_them() -> None:
    found = drawn([("a b c", "a x")] * 4, training_words={"a": 9, "b": 10, "x": 5})

    # a: seen 9 times, always right; b: 10 times, substituted; c: never, deleted
    told = [hint.partition(" %")[0] for hint in hints(found["By word frequency"])]
    assert told == [
        "seen never in training: missed 100.00",
        "seen 1–9 in training: missed 0.00",
        "seen 10–99 in training: missed 100.00",
    ]
    assert "33.33 % are outside their vocabulary" in found["By word frequency"].caption


def test_reliability_compares_confidences_with_the_share_of_right_words() -> None:
    found = drawn([("a b", "a x")] * 10, confidence=0.75)["Reliability of confidences"]

    assert hints(found) == ["confidence 0.7 to 0.8, mean 0.75: 50.00 % of 20 words are right"]
    assert "calibration error 25.00 %" in found.caption


def test_characters_are_confused_within_substituted_words_only() -> None:
    found = drawn([("cat dog", "cut dog x"), ("cat", "cut")])["Confused characters"]

    assert hints(found) == ["a → u: 2"]


def test_words_are_confused_with_each_other_and_with_nothing() -> None:
    pairs = [("cat dog", "cut dog x"), ("cat", "cut"), ("cat dog", "cat")]
    found = drawn(pairs)["Confused words"]

    for told in ("cat → cut: 2", "dog → ∅: 1", "∅ → x: 1"):
        assert f"<title>{told}</title>" in found.svg
    assert (
        "The 4 words with the most errors, among themselves: 100.00 % of the errors"
        in found.caption
    )


def test_level_and_noise_are_drawn_of_those_that_were_measured() -> None:
    acoustics = {str(i): Acoustics(-float(i), 2.0 * i) for i in range(30)}

    found = drawn([("a", "a"), ("b", "x")] * 20, acoustics=acoustics)

    assert found["By level"].caption == "Mean power of the recording. Measured in 30 utterances."
    assert [hint.partition(":")[0] for hint in hints(found["By signal-to-noise ratio"])] == [
        *("0 to 18 dB", "20 to 38 dB", "40 to 58 dB")
    ]


def test_lengths_of_thousands_of_words_are_written_as_such() -> None:
    pairs = [(" ".join(["a"] * n), "a") for n in range(1201, 1221)]
    found = drawn(pairs)["By length"]

    assert [hint.partition(":")[0] for hint in hints(found)] == [
        "1,201 to 1,210 words in the reference",
        "1,211 to 1,220 words in the reference",
    ]


def test_the_mean_is_in_the_picture_also_where_only_better_utterances_are_known() -> None:
    pairs = [("a", "a")] * 20 + [("a", "b")] * 20
    acoustics = {str(i): Acoustics(level=-20.0 - i, snr=30.0) for i in range(20)}
    found = drawn(pairs, acoustics=acoustics)["By level"]

    (line,) = re.findall('class="line expected" d="M(.*?)"', found.svg)
    heights = [float(point.split()[1]) for point in line.split("L")]
    assert all(FRAME.top <= height <= FRAME.bottom for height in heights)


def test_what_is_unknown_has_no_figure() -> None:
    assert list(drawn([("a", "a")])) == ["Reliability of confidences"]
