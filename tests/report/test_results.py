import json
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from asr.errors import DataError
from asr.provenance import Provenance
from asr.report.numbers import results_json
from asr.report.results import results_page
from asr.report.summary import summaries
from asr.wer.nist import Segment
from asr.wer.score import score
from asr.wer.score_file import DecodingRecord, ScoreFile

DECODED = Provenance(
    command="asr decode exp/model dev.jsonl --search greedy",
    commit="0123456789ab",
    time="2026-01-31T12:00:00Z",
    hardware="Fast 9000, 2 cores",
    versions="python 3.11.7, torch 2.13.0",
)
SCORED = Provenance("asr score dev.jsonl", "ba9876543210", "2026-01-31T12:05:00Z", "Slow 1", "")
DECODING = DecodingRecord(
    "exp/model",
    "fedcba987654",
    "greedy",
    7200.0,
    360.0,
    DECODED,
    "librispeech-1",
    trained_on="5.31 hours of train.jsonl, 1,519 utterances",
)
SPOKEN = (
    Segment("a-1", "ONE TWO THREE FOUR FIVE", "anna"),
    Segment("a-2", "SIX SEVEN", "anna"),
    Segment("b-1", "EIGHT NINE TEN", "ben"),
)
RECOGNISED = {"a-1": "ONE TOO FOUR FIVE SIX", "a-2": "SIX SEVEN", "b-1": "EIGHT NINE TEN"}


def score_file(
    subset: str = "dev",
    condition: str = "greedy",
    hypotheses: dict[str, str] = RECOGNISED,
    references: tuple[Segment, ...] = SPOKEN,
) -> ScoreFile:
    result = score(references, hypotheses, "verbatim-1")
    return ScoreFile(subset, condition, result, SCORED, DECODING)


def page(title: str, scores: Sequence[ScoreFile], *, all_rates: bool = False) -> str:
    return results_page(title, summaries(scores), all_rates=all_rates)


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


def test_a_row_has_the_figures_of_a_score_file() -> None:
    heading, row = rows(page("Results", [score_file()]), " ")
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


def test_subsets_have_rows_of_their_own_and_are_never_summed() -> None:
    easy, hard = score_file("clean"), score_file("other", hypotheses={"a-2": "SIX SEVEN"})

    table = rows(page("Results", [easy, hard]), " ")

    assert [row[:2] for row in table] == [["", "subset"], ["A", "clean"], ["B", "other"]]
    assert [row[3] for row in table[1:]] == ["30.00", "80.00"]


def test_everything_that_a_figure_depends_on_is_listed() -> None:
    text = page("Results", [score_file()])

    section = text.split("### A")[1].split("##")[0]
    for fact in (
        DECODED.command,
        "commit 0123456789ab",
        DECODED.time,
        DECODED.hardware,
        DECODED.versions,
        "model: `exp/model`",
        "trained on: 5.31 hours of train.jsonl, 1,519 utterances",
        "configuration: fedcba987654, trained on text normalised by librispeech-1",
        "7,200 s of audio in 360 s",
        SCORED.command,
        "commit ba9876543210",
        SCORED.time,
        "normaliser: verbatim-1, on both sides",
        "10,000 bootstrap replicates of 3 utterances",
    ):
        assert fact in section


def test_a_second_of_computing_is_not_rounded_away() -> None:
    quick = replace(DECODING, audio_seconds=52.04, computing_seconds=0.43)

    text = page("Results", [replace(score_file(), decoding=quick)])

    assert "speed: 52.0 s of audio in 0.4 s, RTF 0.0083" in text


def test_code_without_a_commit_is_named_by_its_versions() -> None:
    installed = replace(SCORED, commit=None, versions="asr 0.1.0")

    text = page("Results", [replace(score_file(), scoring=installed)])

    assert "scored with: asr 0.1.0, 2026-01-31T12:05:00Z" in text


def test_hypotheses_of_another_system_are_reported_without_rtf() -> None:
    text = page("Results", [replace(score_file(), decoding=None)])

    assert rows(text, " ")[1][-1] == "–"
    assert "decoded by: another system" in text


def test_missing_and_extra_hypotheses_are_named() -> None:
    text = page("Results", [score_file(hypotheses={"a-1": "", "a-2": "", "z": "EXTRA"})])

    assert "**Missing, counted as deletions**, A: 1 (`b-1`)." in text
    assert "**Without a reference, not counted**, A: 1 (`z`)." in text


def test_many_missing_hypotheses_are_counted_and_the_first_named() -> None:
    spoken = tuple(Segment(f"u{i}", "X") for i in range(12))

    text = page("Results", [score_file(references=spoken, hypotheses={})])

    assert "12 (`u0`, " in text
    assert "`u9`, …)" in text
    assert "`u10`" not in text


def test_a_complete_set_of_hypotheses_has_no_such_note() -> None:
    text = page("Results", [score_file()])

    assert "Missing" not in text
    assert "Without a reference" not in text


def test_speakers_are_listed_with_the_worst_first_and_all_conditions() -> None:
    exact = {spoken.id: spoken.text for spoken in SPOKEN}
    swapped = {**exact, "b-1": "EIGHT NINE"}

    text = page(
        "Results",
        [score_file(condition="greedy"), score_file(condition="beam", hypotheses=swapped)],
    )

    assert rows(text, "speaker") == [
        ["speaker", "utterances", "words", "A", "B"],
        ["ben", "1", "3", "0.00", "33.33"],
        ["anna", "2", "7", "42.86", "0.00"],
    ]


def test_without_known_speakers_there_is_no_table_of_them() -> None:
    spoken = tuple(replace(one, speaker=None) for one in SPOKEN)

    assert "by speaker" not in page("Results", [score_file(references=spoken)])


def test_errors_are_those_of_the_best_score_file() -> None:
    worse = score_file(condition="worse", hypotheses=dict.fromkeys(RECOGNISED, "WRONG"))

    text = page("Results", [worse, score_file(condition="better")])

    assert rows(text, "substituted")[1] == ["1 × THREE → TOO", "1 × TWO", "1 × SIX"]
    assert "WRONG" not in text
    assert "under B, the best condition" in text


def test_the_worst_utterances_are_shown_aligned() -> None:
    text = page("Results", [score_file()])

    assert (
        "```text\n"
        "a-1, speaker anna: 3 errors in 5 words\n\n"
        "REF  ONE TWO THREE FOUR FIVE ***\n"
        "HYP  ONE *** TOO   FOUR FIVE SIX\n"
        "         D   S               I\n"
        "```"
    ) in text
    assert "a-2, " not in text


def test_a_subset_without_errors_says_so() -> None:
    exact = {spoken.id: spoken.text for spoken in SPOKEN}

    text = page("Results", [score_file(hypotheses=exact)])

    assert "No errors in the recognised utterances of A." in text
    assert rows(text, " ")[1][3] == "0.00"


def test_a_rate_without_reference_words_is_written_as_infinite() -> None:
    text = page("Results", [score_file(references=(Segment("s", ""),), hypotheses={"s": "UH"})])

    assert rows(text, " ")[1][3:6] == ["∞", "–", "∞"]


def test_a_bar_in_a_cell_does_not_break_the_table() -> None:
    text = page("Results", [score_file(subset="dev|clean")])

    assert r"| dev\|clean |" in text


def test_a_long_condition_is_named_once_and_a_letter_stands_for_it() -> None:
    condition = "adapted to these recordings, without their texts, with a 4-gram"

    text = page("Results", [score_file(condition=condition), score_file("other")])

    assert text.count(condition) == 1
    assert [line for line in text.splitlines() if line.startswith("### ")][:3] == [
        *("### All", "### A", "### B")
    ]


def test_what_all_scores_depend_on_is_told_once() -> None:
    slow = replace(DECODING, computing_seconds=720.0)

    text = page("Results", [score_file(), replace(score_file("other"), decoding=slow)])

    shared, first, second = text.split("## Errors")[0].split("### ")[1:]
    assert text.count(DECODED.command) == 1
    assert "hardware: Fast 9000, 2 cores" in shared
    assert first == "A\n\n- speed: 7,200 s of audio in 360 s, RTF 0.050\n\n"
    assert second == "B\n\n- speed: 7,200 s of audio in 720 s, RTF 0.100\n\n"


def test_match_error_rate_and_lost_information_are_shown_on_request() -> None:
    heading, row = rows(page("Results", [score_file()], all_rates=True), " ")
    found = dict(zip(heading, row, strict=True))

    # 8 hits of 10 said and of 10 recognised words; 3 errors in 11 steps
    assert (found["MER %"], found["WIL %"]) == ("27.27", "36.00")
    assert "MER %" not in page("Results", [score_file()])


EVIL = "<script>\x1b[31m\x9b31m\u202e"


def hostile() -> ScoreFile:
    """Make a score in which every text is foreign."""
    made = Provenance(EVIL, EVIL, EVIL, EVIL, EVIL)
    decoding = DecodingRecord(EVIL, EVIL, EVIL, 1.0, 1.0, made, EVIL)
    spoken = (Segment(EVIL, f"{EVIL} ONE", EVIL), Segment("b", "TWO", "ben"))
    result = score(spoken, {"b": EVIL, f"{EVIL}?": ""}, "verbatim-1")
    return ScoreFile(EVIL, EVIL, result, made, decoding)


def test_markup_in_any_text_is_escaped() -> None:
    text = page(EVIL, [hostile()])

    outside_code = re.sub("(?s)(`+).*?\\1", "", text)
    assert "<script>" not in outside_code
    assert outside_code.count("\\<script\\>") > 5


def test_no_terminal_escape_and_no_turn_of_direction_reaches_the_page() -> None:
    text = page(EVIL, [hostile()])

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"\x1b[31m\x9b31m\u202e" in text


def test_the_figures_as_json_are_those_of_the_page() -> None:
    (record,) = json.loads(results_json("R", summaries([score_file()])))["scores"]

    assert (record["wer"], record["ser"]) == (0.3, 1 / 3)
    assert record["words"] == {"hits": 8, "substitutions": 1, "deletions": 1, "insertions": 1}
    assert record["intervals"]["wer"][0] <= 0.3 <= record["intervals"]["wer"][1]
    assert record["rtf"] == 0.05
    assert record["facts"]["search"] == "greedy"


def test_json_keeps_hostile_texts_but_no_terminal_obeys_them() -> None:
    text = results_json(EVIL, summaries([hostile()]))

    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert json.loads(text)["title"] == EVIL


def test_an_infinite_rate_is_null_in_json() -> None:
    scores = [score_file(references=(Segment("s", ""),), hypotheses={"s": "UH"})]

    (record,) = json.loads(results_json("R", summaries(scores)))["scores"]

    assert record["wer"] is None
    assert record["intervals"] == {}


def test_the_same_scores_give_the_same_text() -> None:
    assert page("Results", [score_file()]) == page("Results", [score_file()])


def test_two_scores_of_one_condition_are_refused() -> None:
    with pytest.raises(DataError, match="2 scores are of 'dev' under the condition 'greedy'"):
        page("Results", [score_file(), score_file()])


def test_no_score_at_all_is_refused() -> None:
    with pytest.raises(DataError, match="got none"):
        page("Results", [])
