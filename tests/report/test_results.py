from dataclasses import dataclass, replace

import pytest

from asr.errors import DataError
from asr.provenance import Provenance
from asr.report.results import report
from asr.wer.score import score
from asr.wer.score_file import Condition, Decoding


@dataclass(frozen=True)
class Said:
    id: str
    text: str
    speaker: str | None = None


DECODED = Provenance(
    command="asr decode exp/model dev.jsonl --search greedy",
    commit="0123456789ab",
    time="2026-01-31T12:00:00Z",
    hardware="Fast 9000, 2 cores",
    versions="python 3.11.7, torch 2.13.0",
)
SCORED = Provenance("asr score dev.jsonl", "ba9876543210", "2026-01-31T12:05:00Z", "Slow 1", "")
DECODING = Decoding("exp/model", "fedcba987654", "greedy", 7200.0, 360.0, DECODED, "librispeech-1")
SPOKEN = (
    Said("a-1", "ONE TWO THREE FOUR FIVE", "anna"),
    Said("a-2", "SIX SEVEN", "anna"),
    Said("b-1", "EIGHT NINE TEN", "ben"),
)
RECOGNISED = {"a-1": "ONE TOO FOUR FIVE SIX", "a-2": "SIX SEVEN", "b-1": "EIGHT NINE TEN"}


def condition(
    subset: str = "dev",
    name: str = "greedy",
    hypotheses: dict[str, str] = RECOGNISED,
    references: tuple[Said, ...] = SPOKEN,
) -> Condition:
    result = score(references, hypotheses, "verbatim-1")
    return Condition(subset, name, result, SCORED, DECODING)


def rows(text: str, first_heading: str) -> list[list[str]]:
    """Read the table back whose first column has this heading, without its rule."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {first_heading} "))
    table = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return [table[0], *table[2:]]


def test_a_row_has_the_figures_of_a_condition() -> None:
    heading, row = rows(report("Results", [condition()]), "subset")
    found = dict(zip(heading, row, strict=True))

    # of ten words TWO is substituted, THREE deleted, SIX inserted
    assert found["subset"] == "dev"
    assert found["condition"] == "greedy"
    assert found["WER %"] == "30.00"
    assert (found["sub"], found["del"], found["ins"]) == ("1", "1", "1")
    assert (found["words"], found["utterances"]) == ("10", "3")
    assert found["RTF"] == "0.050"
    low, high = map(float, found["95 %"].split(" – "))
    assert low <= 30.0 <= high


def test_subsets_have_rows_of_their_own_and_no_sum_is_there() -> None:
    easy, hard = condition("clean"), condition("other", hypotheses={"a-2": "SIX SEVEN"})

    table = rows(report("Results", [easy, hard]), "subset")

    assert [row[0] for row in table] == ["subset", "clean", "other"]
    assert [row[2] for row in table[1:]] == ["30.00", "80.00"]


def test_everything_a_figure_depends_on_stands_beside_it() -> None:
    text = report("Results", [condition()])

    section = text.split("### dev: greedy")[1].split("##")[0]
    for fact in (
        DECODED.command,
        "commit 0123456789ab",
        DECODED.time,
        DECODED.hardware,
        DECODED.versions,
        "`exp/model`, config `fedcba987654`, its text by librispeech-1",
        "7,200 s of audio in 360 s",
        SCORED.command,
        "commit ba9876543210",
        SCORED.time,
        "normaliser of both sides: verbatim-1",
        "10,000 draws of 3 utterances",
    ):
        assert fact in section


def test_code_without_a_commit_is_named_by_its_versions() -> None:
    installed = replace(SCORED, commit=None, versions="asr 0.1.0")

    text = report("Results", [replace(condition(), scoring=installed)])

    assert "no commit (asr 0.1.0)" in text


def test_hypotheses_from_elsewhere_are_reported_without_rtf() -> None:
    text = report("Results", [replace(condition(), decoding=None)])

    assert rows(text, "subset")[1][-1] == "–"
    assert "decoded elsewhere" in text


def test_missing_and_extra_hypotheses_are_named() -> None:
    text = report("Results", [condition(hypotheses={"a-1": "", "a-2": "", "z": "EXTRA"})])

    assert "**Missing, counted as deletions**, dev: greedy: 1 (`b-1`)." in text
    assert "**Without a reference, not counted**, dev: greedy: 1 (`z`)." in text


def test_many_missing_hypotheses_are_counted_and_the_first_named() -> None:
    spoken = tuple(Said(f"u{i}", "X") for i in range(12))

    text = report("Results", [condition(references=spoken, hypotheses={})])

    assert "12 (`u0`, " in text
    assert "`u9`, …)" in text
    assert "`u10`" not in text


def test_a_complete_set_of_hypotheses_has_no_such_note() -> None:
    text = report("Results", [condition()])

    assert "Missing" not in text
    assert "Without a reference" not in text


def test_speakers_are_listed_with_the_worst_first_and_all_conditions() -> None:
    exact = {said.id: said.text for said in SPOKEN}
    swapped = {**exact, "b-1": "EIGHT NINE"}

    text = report("Results", [condition(name="greedy"), condition(name="beam", hypotheses=swapped)])

    assert rows(text, "speaker") == [
        ["speaker", "utterances", "words", "greedy, WER %", "beam, WER %"],
        ["ben", "1", "3", "0.00", "33.33"],
        ["anna", "2", "7", "42.86", "0.00"],
    ]


def test_speakers_that_are_not_known_make_no_table() -> None:
    spoken = tuple(replace(said, speaker=None) for said in SPOKEN)

    assert "By speaker" not in report("Results", [condition(references=spoken)])


def test_errors_are_those_of_the_best_condition() -> None:
    worse = condition(name="worse", hypotheses=dict.fromkeys(RECOGNISED, "WRONG"))

    text = report("Results", [worse, condition(name="better")])

    assert rows(text, "substituted")[1] == ["1 × TWO → TOO", "1 × THREE", "1 × SIX"]
    assert "WRONG" not in text
    assert "(better)" in text


def test_the_worst_utterances_are_shown_aligned() -> None:
    text = report("Results", [condition()])

    assert (
        "```text\n"
        "a-1, speaker anna: 3 errors in 5 words\n\n"
        "REF  ONE TWO THREE FOUR FIVE ***\n"
        "HYP  ONE TOO ***** FOUR FIVE SIX\n"
        "         S   D               I\n"
        "```"
    ) in text
    assert "a-2, " not in text


def test_a_subset_without_errors_says_so() -> None:
    exact = {said.id: said.text for said in SPOKEN}

    text = report("Results", [condition(hypotheses=exact)])

    assert "No errors in what was recognised (greedy)." in text
    assert rows(text, "subset")[1][2] == "0.00"


def test_a_rate_without_reference_words_is_written_as_infinite() -> None:
    text = report("Results", [condition(references=(Said("s", ""),), hypotheses={"s": "UH"})])

    assert rows(text, "subset")[1][2:5] == ["∞", "–", "∞"]


def test_a_bar_in_a_cell_does_not_break_the_table() -> None:
    text = report("Results", [condition(subset="dev|clean")])

    assert r"| dev\|clean |" in text


def test_the_same_conditions_give_the_same_text() -> None:
    assert report("Results", [condition()]) == report("Results", [condition()])


def test_two_scores_of_one_condition_are_refused() -> None:
    with pytest.raises(DataError, match="2 scores are of 'dev' under the condition 'greedy'"):
        report("Results", [condition(), condition()])


def test_no_score_at_all_is_refused() -> None:
    with pytest.raises(DataError, match="got none"):
        report("Results", [])
