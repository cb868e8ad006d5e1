from xml.etree import ElementTree

from asr.provenance import Provenance
from asr.report.picture import LONGEST, results_picture
from asr.report.summary import summaries
from asr.wer.nist import Segment
from asr.wer.score import score
from asr.wer.score_file import ScoreFile

SVG = "{http://www.w3.org/2000/svg}"
SCORED = Provenance("asr score", "0123456789ab", "2026-01-31T12:05:00Z", "Slow 1", "")
SPOKEN = tuple(Segment(f"{i}", "ONE TWO THREE FOUR") for i in range(20))


def score_file(subset: str, condition: str, n_wrong: int) -> ScoreFile:
    hypotheses = {s.id: s.text if i >= n_wrong else "ONE" for i, s in enumerate(SPOKEN)}
    return ScoreFile(subset, condition, score(SPOKEN, hypotheses, "verbatim-1"), SCORED, None)


def drawn(*scores: ScoreFile) -> ElementTree.Element:
    return ElementTree.fromstring(results_picture("A < B", summaries(scores)))


def test_dots_lie_within_their_whiskers_and_further_right_for_more_errors() -> None:
    picture = drawn(*(score_file("dev", f"{n} wrong", n) for n in (2, 10, 18)))

    dots = [float(dot.attrib["cx"]) for dot in picture.iter(f"{SVG}circle")]
    whiskers = [one.attrib["d"] for one in picture.iter(f"{SVG}path") if "H" in one.attrib["d"]]
    assert dots == sorted(dots)
    assert len(dots) == len(whiskers) == 3
    for dot, whisker in zip(dots, whiskers, strict=True):
        left, right = whisker.removeprefix("M").split("H")
        assert float(left.split()[0]) < dot < float(right)


def test_scores_stand_under_the_name_of_their_subset_in_order() -> None:
    picture = drawn(
        score_file("dev", "greedy", 8),
        score_file("test", "greedy", 4),
        score_file("dev", "beam", 2),
    )
    told = [words.text for words in picture.iter(f"{SVG}text")]
    start = told.index("dev")
    assert told[start : start + 8] == [
        *("dev", "greedy", "30.00", "beam", "7.50"),
        *("test", "greedy", "15.00"),
    ]


def test_a_rate_without_a_number_has_no_dot_and_a_long_name_is_cut() -> None:
    inserted = score((Segment("1", ""),), {"1": "ONE"}, "verbatim-1")
    picture = drawn(ScoreFile("silence", "x" * 100, inserted, SCORED, None))
    assert not list(picture.iter(f"{SVG}circle"))
    assert "x" * LONGEST + "…" in [words.text for words in picture.iter(f"{SVG}text")]
