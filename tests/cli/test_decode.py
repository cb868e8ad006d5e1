from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import asr
from asr.cli import main
from asr.config import Config, config_hash
from asr.corpus.manifest import read_manifest, write_manifest
from asr.corpus.utterance import Utterance
from asr.text.markdown import real_time_factor
from asr.text.transcript import read_transcripts
from asr.wer.score_file import read_decoding_record


def decode(model: Path, manifest: Path, output: Path, *words: object) -> int:
    return main(["decode", str(model), str(manifest), "--output", str(output), *map(str, words)])


def with_a_missing_recording(manifest: Path, tmp_path: Path, name: str = "") -> Path:
    """The same manifest, but for one recording that is not there."""
    first, *others = read_manifest(manifest)
    missing = Utterance(name or first.id, tmp_path / "gone.flac", duration=1.0, text=first.text)
    path = tmp_path / "gap.jsonl"
    write_manifest(path, [missing, *others])
    return path


@pytest.mark.parametrize("search", [[], ["--search", "beam", "--beam-size", "3"]])
def test_hypotheses_come_in_the_manifests_order_and_are_those_of_each_alone(
    search: list[str], model: Path, manifest: Path, tmp_path: Path
) -> None:
    output = tmp_path / "new" / "h.jsonl"
    assert decode(model, manifest, output, *search) == 0
    transcripts = read_transcripts(output)
    utterances = read_manifest(manifest)
    assert list(transcripts) == [utterance.id for utterance in utterances]
    if not search:
        recognizer = asr.load_model(model)
        for utterance in utterances:
            alone = recognizer.transcribe(utterance.audio_filepath)
            assert transcripts[utterance.id].text == alone.text


def test_the_record_beside_the_hypotheses_says_how_they_were_made(
    model: Path,
    manifest: Path,
    tmp_path: Path,
    small_config: Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "dev.beam.jsonl"
    assert decode(model, manifest, output, "--search", "beam", "--beam-threshold", 9.5) == 0
    decoding = read_decoding_record(tmp_path / "dev.beam.run.json")
    seconds = sum(utterance.duration or 0.0 for utterance in read_manifest(manifest))
    assert decoding.model == str(model)
    assert decoding.config_hash == config_hash(small_config)
    assert decoding.normaliser == small_config.text.normaliser
    assert decoding.search == "beam 100, threshold 9.5"
    assert decoding.audio_seconds == pytest.approx(seconds)
    assert decoding.trained_on == "1.50 hours of a book, 900 utterances"
    assert decoding.computing_seconds > 0
    assert decoding.provenance.command.startswith(f"asr decode {model}")
    assert f"RTF {real_time_factor(decoding.rtf or 0.0)}" in capsys.readouterr().out


def test_bad_audio_is_named_and_missing_and_ends_with_status_1(
    model: Path, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gap, output = with_a_missing_recording(manifest, tmp_path), tmp_path / "h.jsonl"
    assert decode(model, gap, output) == 1
    first, *others = read_manifest(manifest)
    assert list(read_transcripts(output)) == [utterance.id for utterance in others]
    err = capsys.readouterr().err
    assert f"asr: {first.id}: " in err
    assert "gone.flac: no such file" in err
    assert err.endswith("asr: 1 of 3 utterances could not be decoded\n")


def test_ids_cannot_steer_the_terminal(
    model: Path, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gap = with_a_missing_recording(manifest, tmp_path, "\x1b[2J")
    assert decode(model, gap, tmp_path / "h.jsonl") == 1
    assert "asr: \\x1b[2J: " in capsys.readouterr().err


def test_old_hypotheses_never_stand_beside_the_record_of_new_ones(
    model: Path, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    (tmp_path / "h.jsonl").write_text("old")
    monkeypatch.setattr("asr.cli.decode.write_text", fail)
    assert decode(model, manifest, tmp_path / "h.jsonl") == 1
    assert not (tmp_path / "h.jsonl").exists()


def test_where_nothing_can_be_decoded_nothing_is_written(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_manifest(tmp_path / "m.jsonl", [Utterance("a", tmp_path / "gone.wav")])
    assert decode(model, tmp_path / "m.jsonl", tmp_path / "h.jsonl") == 1
    assert "expected a recording that can be used, got none among 1" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [tmp_path / "m.jsonl"]


def test_utterances_without_text_or_duration_can_be_decoded(
    model: Path, tmp_path: Path, tiny_corpus: Sequence[Utterance]
) -> None:
    bare = [Utterance(u.id, u.audio_filepath) for u in tiny_corpus[:2]]
    write_manifest(tmp_path / "m.jsonl", bare)
    assert decode(model, tmp_path / "m.jsonl", tmp_path / "h.jsonl") == 0
    assert len(read_transcripts(tmp_path / "h.jsonl")) == 2


def test_a_manifest_that_is_not_there_is_named(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert decode(model, tmp_path / "m.jsonl", tmp_path / "h.jsonl") == 1
    assert capsys.readouterr().err.startswith(f"asr: error: {tmp_path / 'm.jsonl'}: ")


def test_words_and_hotwords_of_files_are_found_and_named_in_the_record(
    model: Path, manifest: Path, tmp_path: Path
) -> None:
    words, hotwords = tmp_path / "words.txt", tmp_path / "hot.txt"
    words.write_text("add\ndad\nmad\nad\na\n")
    hotwords.write_text("mad\t3\n")
    output = tmp_path / "dev.jsonl"
    files = ("--lexicon", words, "--hotwords", hotwords)
    assert decode(model, manifest, output, "--search", "beam", *files) == 0
    found = {word for t in read_transcripts(output).values() for word in t.text.split()}
    assert found <= {"ADD", "DAD", "MAD", "AD", "A"}
    search = read_decoding_record(tmp_path / "dev.run.json").search
    assert search == "beam 100, threshold 14, words of words.txt, 1 hotword"


@pytest.mark.parametrize("name", ["jsonl", "trn", "ctm", "stm", "text", "tsv", "nemo"])
def test_every_format_is_scored_against_the_manifest(
    name: str, model: Path, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / f"h.{'jsonl' if name == 'nemo' else name}"
    recognizer = asr.load_model(model)
    recognised = [
        replace(utterance, text=recognizer.transcribe(utterance.audio_filepath).text)
        for utterance in read_manifest(manifest)
    ]
    references = tmp_path / "recognised.jsonl"
    write_manifest(references, recognised)
    assert decode(model, references, output, "--format", name) == 0
    kind = ("--hypothesis-format", "text") if name == "text" else ()
    assert main(["score", str(references), str(output), *kind]) == 0
    assert "WER   0.00 %" in capsys.readouterr().out
