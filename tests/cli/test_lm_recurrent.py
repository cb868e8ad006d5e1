import json
import lzma
from pathlib import Path

import pytest

from asr.char_lm.config import LanguageConfig
from asr.char_lm.language_model import load_language_model
from asr.cli import main
from asr.config import to_toml
from asr.provenance import Provenance
from asr.text.transcript import (
    Alternative,
    Transcript,
    Word,
    read_transcripts,
    write_transcripts,
)
from asr.wer.score_file import DecodingRecord, read_decoding_record, write_decoding_record

TEXT = "The cat sat.\nA cat ate the mat, at last!\n\nThat's that.\n" * 6


def lm(*words: object) -> int:
    return main(["lm", *map(str, words)])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, small_language_config: LanguageConfig) -> Path:
    """A model, briefly trained, with its texts and its configuration in the same folder."""
    folder: Path = tmp_path_factory.mktemp("lm")
    (folder / "small.toml").write_text(to_toml(small_language_config))
    (folder / "text.xz").write_bytes(lzma.compress(TEXT.encode()))
    (folder / "dev.txt").write_text("A cat sat at the mat.\nThat cat\n")
    files = ["--text", folder / "text.xz", "--dev", folder / "dev.txt"]
    assert lm("train", folder / "small.toml", *files, "--output", folder / "model") == 0
    return folder / "model"


def test_a_model_is_trained_and_every_validation_has_its_line(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = model.parent
    files = ["--text", folder / "text.xz", "--dev", folder / "dev.txt"]
    changes = ["--set", "train.n_validations=2", "--set", "model.cell=gru"]
    output = folder / "another"

    assert lm("train", folder / "small.toml", *files, "--output", output, *changes) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == ["epoch", "epoch"]
    assert "bits/char  dev " in lines[0]
    assert lines[-1].startswith(f"{output}: best ")
    metrics = (folder / "another.run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["is_best"] for line in metrics] == [True, True]
    assert load_language_model(output).config.model.cell == "gru"
    assert "`asr lm train " in (output / "README.md").read_text()


def test_without_a_dev_text_the_end_of_the_text_is_held_out(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"Line {'and on' * (i % 3)}" for i in range(40)]
    (tmp_path / "text").write_text("\n".join(lines))
    (tmp_path / "most").write_text("\n".join(lines[:36]))
    (tmp_path / "end").write_text("\n".join(lines[36:]))
    small = model.parent / "small.toml"

    assert lm("train", small, "--text", tmp_path / "text", "--output", tmp_path / "one") == 0
    assert "of 4 segments held out" in capsys.readouterr().out
    split = ["--text", tmp_path / "most", "--dev", tmp_path / "end"]
    assert lm("train", small, *split, "--output", tmp_path / "two") == 0

    one, two = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two


def test_a_text_too_short_to_hold_out_a_tenth_of_is_told_as_such(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text").write_text("A cat sat at the mat\n" * 9)
    small = model.parent / "small.toml"
    assert lm("train", small, "--text", tmp_path / "text", "--output", tmp_path / "one") == 1
    assert "it has 9 lines: expected at least 10, or a text of its own" in capsys.readouterr().err


def test_perplexity_is_printed_by_word_and_by_character(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lm("perplexity", model, model.parent / "dev.txt") == 0

    result = load_language_model(model).perplexity(["A CAT SAT AT THE MAT", "THAT CAT"])
    out = capsys.readouterr().out
    assert f"perplexity {result.per_word:.2f}, per character {result.per_character:.4f}" in out
    assert "2 segments, 8 words, 28 characters" in out


def test_a_sample_is_printed_and_comes_again_with_its_seed(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["sample", model, "--prompt", "the c", "--length", "30", "--temperature", "0.5"]

    assert lm(*words, "--seed", "2") == lm(*words, "--seed", "2") == 0

    out = capsys.readouterr().out
    assert out.startswith("THE C")
    assert out[: len(out) // 2] == out[len(out) // 2 :]


@pytest.fixture
def hypotheses(tmp_path: Path) -> Path:
    """Two lists; in the first one the second entry is a word shorter."""
    one = Transcript(
        "one",
        "THE C AT",
        -1.0,
        0.5,
        (Word("THE", 0.0, 0.1, 0.5), Word("C", 0.2, 0.3, 0.5), Word("AT", 0.3, 0.4, 0.5)),
        (
            Alternative("THE C AT", -1.0),
            Alternative("THE CAT", -1.5, words=(Word("THE", 0.0, 0.1), Word("CAT", 0.2, 0.4))),
        ),
        0.5,
    )
    path = tmp_path / "h.jsonl"
    write_transcripts(path, [one, Transcript("two", "", -1.0, n_best=(Alternative("", -1.0),))])
    return path


def test_lists_are_put_in_order_and_the_record_is_carried_over(
    model: Path, hypotheses: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Provenance("asr decode m d", None, "2026-01-31T12:00:00Z", "a computer", "python 3")
    before = DecodingRecord("m", "abc", "beam 16", 0.5, 1.0, made, "librispeech-1")
    write_decoding_record(tmp_path / "h.run.json", before)
    words = ["--model", model, "--lm-weight", "0.1", "--word-score", "-9"]
    output = tmp_path / "new" / "r.jsonl"

    assert lm("rescore", hypotheses, *words, "--output", output) == 0

    assert "2 utterances, 1 with another text" in capsys.readouterr().out
    one, two = read_transcripts(output).values()
    assert (one.text, len(one.words), len(one.n_best)) == ("THE CAT", 2, 2)
    assert two.text == ""
    after = read_decoding_record(tmp_path / "new" / "r.run.json")
    assert after.search == "beam 16, rescored by model, weight 0.1, word score -9"
    assert after.computing_seconds > 1.0
    assert after.provenance.command.startswith("asr decode m d && asr lm rescore ")


@pytest.mark.parametrize("option", ["--lm-weight", "--word-score"])
def test_a_weight_that_is_no_number_leaves_the_result_that_was_there(
    option: str,
    model: Path,
    hypotheses: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "new.jsonl"
    output.write_text("of before")
    words = ["--model", model, "--lm-weight", 0.1, option, "nan", "--output", output]
    assert lm("rescore", hypotheses, *words) == 1
    assert f"{option[2:].replace('-', '_')} must be a number, got nan" in capsys.readouterr().err
    assert output.read_text() == "of before"


def test_hypotheses_without_a_record_are_rescored_without_one(
    model: Path, hypotheses: Path, tmp_path: Path
) -> None:
    output = tmp_path / "r.jsonl"

    assert lm("rescore", hypotheses, "--model", model, "--lm-weight", 0, "--output", output) == 0

    assert not (tmp_path / "r.run.json").exists()


def test_a_folder_that_is_no_language_model_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lm("sample", tmp_path) == 1

    assert f"asr: error: {tmp_path}: not a model directory" in capsys.readouterr().err
