import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from asr.cli import main
from asr.cli.decode import record_path
from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance
from asr.provenance import provenance
from asr.wer.alignment import Counts
from asr.wer.score_file import DecodingRecord, read_score_file, write_decoding_record

TEXTS = {"a": "THE CAT SAT", "b": "ON A MAT"}


@pytest.fixture
def references(tmp_path: Path) -> Path:
    path = tmp_path / "dev-clean.jsonl"
    audio = tmp_path / "a.wav"
    write_manifest(path, [Utterance(i, audio, text=t, speaker=i) for i, t in TEXTS.items()])
    return path


def hypotheses(tmp_path: Path, texts: Iterable[tuple[str, str]]) -> Path:
    path = tmp_path / "dev-clean.other.jsonl"
    path.write_text("".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in texts))
    return path


def score(references: Path, hypotheses: Path, *words: object) -> int:
    output = hypotheses.with_suffix(".score.json")
    command = ["score", str(references), str(hypotheses), "--output", str(output)]
    return main([*command, *map(str, words)])


def test_counts_are_written_and_the_rates_printed(
    references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hypotheses(tmp_path, [("a", "the hat sat down"), ("b", "on mat")])
    assert score(references, path, "--normaliser", "librispeech-1") == 0
    score_file = read_score_file(tmp_path / "dev-clean.other.score.json")
    assert score_file.score.total.words == Counts(4, substitutions=1, deletions=1, insertions=1)
    assert (score_file.subset, score_file.condition) == ("dev-clean", "other")
    assert score_file.score.normaliser == "librispeech-1"
    assert score_file.scoring.command.startswith(f"asr score {references}")
    out, err = capsys.readouterr()
    assert out.startswith("dev-clean, other: WER 50.00 % (95 %: ")
    assert "3 errors in 6 words: 1 sub, 1 del, 1 ins; normaliser librispeech-1" in out
    assert err == ""


def test_the_decoding_record_is_kept_and_gives_the_normaliser(
    references: Path, tmp_path: Path
) -> None:
    path = hypotheses(tmp_path, TEXTS.items())
    made = provenance(["asr", "decode"])
    decoding = DecodingRecord("m", "0123", "beam 8", 9.0, 1.0, made, normaliser="verbatim-1")
    write_decoding_record(record_path(path), decoding)
    assert score(references, path) == 0
    score_file = read_score_file(path.with_suffix(".score.json"))
    assert (score_file.decoding, score_file.condition) == (decoding, "other")
    assert score_file.score.normaliser == "verbatim-1"


@pytest.mark.parametrize(
    ("name", "record"),
    [("dev.beam.jsonl", "dev.beam.run.json"), ("dev.beam", "dev.beam.run.json")],
)
def test_the_record_is_named_after_the_hypotheses(name: str, record: str) -> None:
    assert record_path(Path(name)) == Path(record)


def test_options_override_the_record(references: Path, tmp_path: Path) -> None:
    path = hypotheses(tmp_path, TEXTS.items())
    made = provenance(["asr", "decode"])
    write_decoding_record(
        record_path(path), DecodingRecord("m", "0", "greedy", 9.0, 1.0, made, "verbatim-1")
    )
    words = ("--normaliser", "librispeech-1", "--subset", "dev, MP3", "--condition", "ours")
    assert score(references, path, *words) == 0
    score_file = read_score_file(path.with_suffix(".score.json"))
    assert (score_file.subset, score_file.condition) == ("dev, MP3", "ours")
    assert score_file.score.normaliser == "librispeech-1"


def test_without_a_normaliser_there_is_no_score(
    references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hypotheses(tmp_path, TEXTS.items())
    assert score(references, path) == 1
    assert (
        "give --normaliser, one of librispeech-1, librispeech-2, verbatim-1"
        in capsys.readouterr().err
    )
    assert not path.with_suffix(".score.json").exists()


def test_missing_hypotheses_are_deletions_and_extra_ones_do_not_count_and_both_are_named(
    references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hypotheses(tmp_path, [("a", "THE CAT SAT"), ("z", "NOISE")])
    assert score(references, path, "--normaliser", "verbatim-1") == 0
    total = read_score_file(path.with_suffix(".score.json")).score.total.words
    assert total == Counts(3, deletions=3)
    out, err = capsys.readouterr()
    assert "WER 50.00 %" in out
    assert err.splitlines() == [
        "asr: 1 utterances have no hypothesis and count as deleted: b",
        "asr: 1 hypotheses have no reference and are not counted: z",
    ]


def test_hypotheses_of_another_set_are_refused(
    references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hypotheses(tmp_path, [("y", "THE CAT SAT")])
    assert score(references, path, "--normaliser", "verbatim-1") == 1
    assert f"none of its ids is in {references}" in capsys.readouterr().err


def test_a_line_that_is_not_a_transcript_is_named_by_its_number(
    references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hypotheses(tmp_path, TEXTS.items())
    path.write_text(path.read_text() + "THE CAT SAT\n")
    assert score(references, path, "--normaliser", "verbatim-1") == 1
    assert capsys.readouterr().err.startswith(f"asr: error: {path}:3: ")
