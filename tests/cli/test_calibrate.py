import shutil
from collections.abc import Sequence
from dataclasses import astuple, replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

import asr
from asr.cli import main
from asr.confidence.calibration import Calibration
from asr.confidence.calibration_file import Fitted, read_calibrations, write_calibrations
from asr.config import Config, config_hash
from asr.corpus.manifest import read_manifest, write_manifest
from asr.corpus.utterance import Utterance
from asr.provenance import provenance
from asr.text.transcript import Transcript, Word, read_transcripts, to_json, write_transcripts
from asr.wer.score_file import DecodingRecord, read_decoding_record, write_decoding_record


@pytest.fixture
def own_model(model: Path, tmp_path: Path) -> Path:
    """A copy of the model, for a test to calibrate."""
    return shutil.copytree(model, tmp_path / "own_model")


@pytest.fixture
def dev(tmp_path: Path, tiny_corpus: Sequence[Utterance]) -> Path:
    path = tmp_path / "dev.jsonl"
    write_manifest(path, tiny_corpus)
    return path


def calibrate(model: Path, manifest: Path, *words: object) -> int:
    return main(["calibrate", str(model), str(manifest), *map(str, words)])


def decode(model: Path, manifest: Path, output: Path, *words: object) -> dict[str, Transcript]:
    command = ["decode", str(model), str(manifest), "--output", str(output), *map(str, words)]
    assert main(command) == 0
    return read_transcripts(output)


def write_hypotheses(manifest: Path, path: Path, kind: str | None, config: Config) -> Path:
    """Write hypotheses of which every other word is correct, all with the same confidence."""
    transcripts = []
    for utterance in read_manifest(manifest):
        reference = (utterance.text or "").split()
        texts = [word if i % 2 else "NOBODY" for i, word in enumerate(reference)]
        words = [Word(text, i / 9, (i + 1) / 9, 0.9) for i, text in enumerate(texts)]
        transcripts.append(Transcript(utterance.id, " ".join(texts), words=tuple(words)))
    write_transcripts(path, transcripts)
    if kind:
        made = DecodingRecord(
            model="m",
            config_hash=config_hash(config),
            search="s",
            audio_seconds=1.0,
            computing_seconds=1.0,
            provenance=provenance(["asr"]),
            normaliser="librispeech-1",
            search_kind=kind,
        )
        write_decoding_record(path.with_name(f"{path.stem}.run.json"), made)
    return path


def test_a_calibrated_model_gives_probabilities_instead_of_raw_confidences(
    own_model: Path, dev: Path, tmp_path: Path
) -> None:
    raw = decode(own_model, dev, tmp_path / "raw.jsonl")
    assert not read_decoding_record(tmp_path / "raw.run.json").is_calibrated

    assert calibrate(own_model, dev, tmp_path / "raw.jsonl") == 0

    calibration = read_calibrations(own_model)["greedy"].calibration
    calibrated = decode(own_model, dev, tmp_path / "calibrated.jsonl")
    assert read_decoding_record(tmp_path / "calibrated.run.json").is_calibrated
    assert astuple(calibration) != astuple(Calibration())
    for name, before in raw.items():
        after, expected = calibrated[name], calibration(before)
        assert (after.text, after.score) == (before.text, before.score)
        assert [word.confidence for word in after.words] == pytest.approx(
            [word.confidence for word in expected.words], abs=2e-3
        )
        assert after.confidence == pytest.approx(expected.confidence, abs=2e-3)
    assert decode(own_model, dev, tmp_path / "again.jsonl", "--raw-confidence") == raw
    assert not read_decoding_record(tmp_path / "again.run.json").is_calibrated


def test_transcripts_in_json_are_calibrated_and_alignments_are_not(
    own_model: Path, dev: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = Path(read_manifest(dev)[0].audio_filepath)
    before = asr.load_model(own_model).transcribe(recording)
    aligned = list(asr.load_model(own_model).align_all(read_manifest(dev)[:1]))
    calibration = Calibration(-1.0, 0.5, 0.5)

    write_calibrations(own_model, {"greedy": Fitted(calibration, "by hand")})

    assert main(["transcribe", "--model", str(own_model), "--format", "json", str(recording)]) == 0
    named = replace(calibration(before), id=recording.stem)
    assert capsys.readouterr().out == f"{to_json(named)}\n"
    assert list(asr.load_model(own_model).align_all(read_manifest(dev)[:1])) == aligned


def test_a_search_without_a_calibration_keeps_raw_confidences_and_logs_it(
    own_model: Path, dev: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recording = Path(read_manifest(dev)[0].audio_filepath)
    before = asr.load_model(own_model).transcribe(recording)
    write_calibrations(own_model, {"beam-lm": Fitted(Calibration(-1.0), "by hand")})

    with caplog.at_level("INFO"):
        after = asr.load_model(own_model).transcribe(recording)

    assert after == before
    assert caplog.messages == [
        "the model has no calibration of greedy, only of beam-lm: confidences are the search's own"
    ]


def test_the_kind_of_a_search_follows_from_its_lexicon_and_language_model(
    model: Path, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("ONE TWO\nTWO ONE\nONE ONE\n")
    (tmp_path / "words").write_text("ONE\nTWO\n")
    (tmp_path / "spoken").write_text("ONE O N E\nTWO T W O\n")
    lm = tmp_path / "own.lm"
    assert main(["lm", "build", str(tmp_path / "text"), "--order", "1", "--output", str(lm)]) == 0
    kinds = [
        asr.load_model(model).searcher.kind,
        asr.load_model(model, search="beam").searcher.kind,
        asr.load_model(model, search="beam", lexicon=tmp_path / "words").searcher.kind,
        asr.load_model(model, search="beam", lm=lm).searcher.kind,
        asr.load_model(
            model, search="beam", lexicon=tmp_path / "spoken", settings={"word_score": -5.0}
        ).searcher.kind,
        asr.load_model(model, search="beam", lexicon=tmp_path / "spoken", lm=lm).searcher.kind,
    ]

    assert kinds == ["greedy", "beam", "beam", "beam-lm", "phones", "phones-lm"]


def test_each_kind_of_search_has_its_own_entry_and_others_are_kept(
    own_model: Path,
    dev: Path,
    tmp_path: Path,
    small_config: Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = Fitted(Calibration(-1.0), "by hand")
    write_calibrations(own_model, {"greedy": kept})
    files = [
        write_hypotheses(dev, tmp_path / f"{kind}.jsonl", kind, small_config)
        for kind in ("beam", "beam-lm")
    ]

    assert calibrate(own_model, dev, *files, "--diagram", tmp_path / "new" / "dev.svg") == 0

    calibrations = read_calibrations(own_model)
    assert list(calibrations) == ["greedy", "beam", "beam-lm"]
    assert calibrations["greedy"] == kept
    assert calibrations["beam"].fitted_on.startswith("dev: ")
    picture = ElementTree.parse(tmp_path / "new" / "dev.svg").getroot()
    headings = [text.text or "" for text in picture.iter() if text.get("class") == "heading"]
    assert [heading.split(":")[0] for heading in headings] == ["beam", "beam-lm"]
    header, *lines, written = capsys.readouterr().out.splitlines()
    assert header.startswith("search ")
    assert [line.split()[0] for line in lines] == ["beam", "beam-lm"]
    assert written == f"{own_model / 'confidence.toml'}: beam, beam-lm"


def test_hypotheses_without_a_record_need_the_option_search(
    own_model: Path,
    dev: Path,
    tmp_path: Path,
    small_config: Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write_hypotheses(dev, tmp_path / "other.jsonl", None, small_config)

    assert calibrate(own_model, dev, path) == 1
    assert "does not tell the kind of search: give --search" in capsys.readouterr().err
    assert calibrate(own_model, dev, path, "--search", "phones-lm") == 0

    assert list(read_calibrations(own_model)) == ["phones-lm"]


def test_data_that_would_mislead_the_fit_is_refused_and_nothing_written(
    own_model: Path,
    dev: Path,
    tmp_path: Path,
    small_config: Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write_hypotheses(dev, tmp_path / "h.jsonl", "greedy", small_config)
    other = write_hypotheses(dev, tmp_path / "o.jsonl", "greedy", small_config)
    record = tmp_path / "h.run.json"
    decoding = read_decoding_record(record)
    one = tmp_path / "one.jsonl"
    write_manifest(one, read_manifest(dev)[:1])
    cases = (
        (replace(decoding, config_hash="01234567"), dev, [path], "made by another model"),
        (replace(decoding, is_calibrated=True), dev, [path], "decode with --raw-confidence"),
        (decoding, dev, [path, "--search", "beam"], "the search was greedy, not beam"),
        (decoding, dev, [path, other], "a second file of the kind greedy"),
        (decoding, one, [path], "all words are of one "),
        (decoding, dev, [tmp_path / "gone.jsonl", "--search", "beam"], "gone.jsonl: "),
    )
    for changed, manifest, words, reason in cases:
        write_decoding_record(record, changed)

        assert calibrate(own_model, manifest, *words) == 1
        assert reason in capsys.readouterr().err
        assert not (own_model / "confidence.toml").exists()


def test_the_option_search_is_for_one_file_only(own_model: Path, dev: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        calibrate(own_model, dev, "a.jsonl", "b.jsonl", "--search", "beam")

    assert stopped.value.code == 2


def test_a_broken_calibration_file_is_named(
    own_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own_model / "confidence.toml").write_text("[greedy]\noffset = 1.0\n")

    assert main(["transcribe", "--model", str(own_model), "speech.wav"]) == 1

    assert f"{own_model / 'confidence.toml'}: greedy: missing key" in capsys.readouterr().err


def test_what_the_normaliser_takes_out_of_references_is_named(
    own_model: Path,
    dev: Path,
    tmp_path: Path,
    small_config: Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A word that was heard in its place counts as wrong."""
    hypotheses = write_hypotheses(dev, tmp_path / "h.jsonl", "greedy", small_config)
    first, *others = read_manifest(dev)
    write_manifest(dev, [replace(first, text=f"{first.text} 3"), *others])
    assert calibrate(own_model, dev, hypotheses) == 0
    assert f"as in 3 ({first.id})" in capsys.readouterr().err
