import json
from pathlib import Path

import pytest

from asr.errors import DataError
from asr.provenance import Provenance
from asr.wer.alignment import Counts
from asr.wer.score import Score, UtteranceScore
from asr.wer.score_file import (
    DecodingRecord,
    ScoreFile,
    read_decoding_record,
    read_score_file,
    record_path,
    write_decoding_record,
    write_score_file,
)

PROVENANCE = Provenance("asr decode", "0123456789ab", "2026-01-31T12:00:00Z", "a CPU", "python 3")
DECODING = DecodingRecord("exp/model", "fedcba", "greedy", 100.0, 5.0, PROVENANCE)
SCORE = Score(
    "verbatim-1",
    (
        UtteranceScore("a", "anna", "A B", "A C", Counts(1, 1), Counts(2, 1)),
        UtteranceScore("b", None, "D\u00c9", None, Counts(0, 0, 1), Counts(0, 0, 2)),
    ),
    extra=("z",),
)
SCORE_FILE = ScoreFile("dev-clean", "greedy", SCORE, PROVENANCE, DECODING)


def test_a_score_file_reads_back_as_it_was_written(tmp_path: Path) -> None:
    write_score_file(tmp_path / "score.json", SCORE_FILE)

    assert read_score_file(tmp_path / "score.json") == SCORE_FILE


@pytest.mark.parametrize("name", ["dev.beam.jsonl", "dev.beam"])
def test_a_decoding_record_is_named_after_the_hypotheses(name: str) -> None:
    assert record_path(Path(name)) == Path("dev.beam.run.json")


def test_hypotheses_of_another_system_have_no_decoding_record(tmp_path: Path) -> None:
    score_file = ScoreFile("dev-clean", "sphinx", SCORE, PROVENANCE, None)

    write_score_file(tmp_path / "score.json", score_file)

    assert read_score_file(tmp_path / "score.json") == score_file


def test_the_file_is_plain_json_with_the_totals_on_top(tmp_path: Path) -> None:
    write_score_file(tmp_path / "score.json", SCORE_FILE)

    record = json.loads((tmp_path / "score.json").read_text(encoding="utf-8"))

    assert list(record)[:4] == ["format", "subset", "condition", "normaliser"]
    assert list(record)[5:8] == ["wer", "cer", "ser"]
    assert record["wer"] == 2 / 3
    assert record["words"] == {"hits": 1, "substitutions": 1, "deletions": 1, "insertions": 0}
    assert record["missing"] == ["b"]
    assert record["scoring"]["command"] == "asr decode"


def test_every_utterance_is_one_line(tmp_path: Path) -> None:
    write_score_file(tmp_path / "score.json", SCORE_FILE)

    lines = (tmp_path / "score.json").read_text(encoding="utf-8").splitlines()

    found = [json.loads(line.strip(" ,")) for line in lines if line.startswith('    {"id"')]
    assert [entry["id"] for entry in found] == ["a", "b"]
    assert found[1]["reference"] == "D\u00c9"
    assert found[1]["hypothesis"] is None


def test_an_infinite_rate_is_written_as_null(tmp_path: Path) -> None:
    score = Score("verbatim-1", (UtteranceScore("a", None, "", "X", Counts(0, 0, 0, 1), Counts()),))

    write_score_file(tmp_path / "score.json", ScoreFile("s", "c", score, PROVENANCE, None))

    assert json.loads((tmp_path / "score.json").read_text())["wer"] is None


def test_totals_that_are_not_the_sums_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "score.json"
    write_score_file(path, SCORE_FILE)
    path.write_text(path.read_text(encoding="utf-8").replace('"hits": 1,', '"hits": 9,', 1))

    with pytest.raises(DataError, match=r"score\.json: the totals are not the sums"):
        read_score_file(path)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "asr-score-0"}', '{"format": "asr-score-1"}']
)
def test_other_files_are_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "score.json"
    path.write_text(text)

    with pytest.raises(DataError, match=r"score\.json: expected"):
        read_score_file(path)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.json"):
        read_score_file(tmp_path / "none.json")


def test_a_decoding_record_reads_back_as_it_was_written(tmp_path: Path) -> None:
    write_decoding_record(tmp_path / "decoding.json", DECODING)

    assert read_decoding_record(tmp_path / "decoding.json") == DECODING


def test_a_file_that_is_not_a_decoding_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "decoding.json").write_text('{"model": "m"}')

    with pytest.raises(DataError, match=r"decoding\.json: expected the record of a decoding run"):
        read_decoding_record(tmp_path / "decoding.json")


def test_the_real_time_factor_is_computing_per_second_of_audio() -> None:
    assert DECODING.rtf == 0.05
    assert DecodingRecord("m", "h", "greedy", 0.0, 1.0, PROVENANCE).rtf is None
