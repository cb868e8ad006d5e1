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
from asr.search.beam import BeamConfig
from asr.text.transcript import Transcript, Word, read_transcripts, to_json, write_transcripts
from asr.wer.score_file import DecodingRecord, read_decoding_record, write_decoding_record


@pytest.fixture
def mine(model: Path, tmp_path: Path) -> Path:
    """A copy of the model, for a test to calibrate."""
    return shutil.copytree(model, tmp_path / "mine")


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


def heard(manifest: Path, path: Path, kind: str | None, config: Config) -> Path:
    """Write hypotheses of which every other word is right, with the confidences of a bad judge."""
    transcripts = []
    for utterance in read_manifest(manifest):
        said = (utterance.text or "").split()
        texts = [word if i % 2 else "NOBODY" for i, word in enumerate(said)]
        words = [Word(text, i / 9, (i + 1) / 9, 0.9) for i, text in enumerate(texts)]
        transcripts.append(Transcript(utterance.id, " ".join(texts), words=tuple(words)))
    write_transcripts(path, transcripts)
    if kind:
        made = DecodingRecord(
            "m", config_hash(config), "s", 1.0, 1.0, provenance(["asr"]), "librispeech-1"
        )
        record = path.with_name(f"{path.stem}.run.json")
        write_decoding_record(record, replace(made, search_kind=kind))
    return path


def test_a_calibrated_model_gives_probabilities_in_place_of_the_searchs_confidences(
    mine: Path, dev: Path, tmp_path: Path
) -> None:
    raw = decode(mine, dev, tmp_path / "raw.jsonl")
    assert not read_decoding_record(tmp_path / "raw.run.json").is_calibrated

    assert calibrate(mine, dev, tmp_path / "raw.jsonl") == 0

    calibration = read_calibrations(mine)["greedy"].calibration
    calibrated = decode(mine, dev, tmp_path / "calibrated.jsonl")
    assert read_decoding_record(tmp_path / "calibrated.run.json").is_calibrated
    assert astuple(calibration) != astuple(Calibration())
    for name, before in raw.items():
        after, expected = calibrated[name], calibration(before)
        assert (after.text, after.score) == (before.text, before.score)
        assert [word.confidence for word in after.words] == pytest.approx(
            [word.confidence for word in expected.words], abs=2e-3
        )
        assert after.confidence == pytest.approx(expected.confidence, abs=2e-3)
    assert decode(mine, dev, tmp_path / "again.jsonl", "--raw-confidence") == raw
    assert not read_decoding_record(tmp_path / "again.run.json").is_calibrated


def test_transcripts_in_json_are_calibrated_and_alignments_are_not(
    mine: Path, dev: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = read_manifest(dev)[0].audio_filepath
    before = asr.load_model(mine).transcribe(recording)
    aligned = list(asr.load_model(mine).align_all(read_manifest(dev)[:1]))
    calibration = Calibration(-1.0, 0.5, 0.5)

    write_calibrations(mine, {"greedy": Fitted(calibration, "by hand")})

    assert main(["transcribe", "--model", str(mine), "--format", "json", str(recording)]) == 0
    assert capsys.readouterr().out == f"{to_json(calibration(before))}\n"
    assert list(asr.load_model(mine).align_all(read_manifest(dev)[:1])) == aligned


def test_a_search_without_a_calibration_keeps_its_own_confidences_and_says_so(
    mine: Path, dev: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recording = read_manifest(dev)[0].audio_filepath
    before = asr.load_model(mine).transcribe(recording)
    write_calibrations(mine, {"beam-lm": Fitted(Calibration(-1.0), "by hand")})

    with caplog.at_level("INFO"):
        after = asr.load_model(mine).transcribe(recording)

    assert after == before
    assert caplog.messages == [
        "the model has no calibration of greedy, only of beam-lm: confidences are the search's own"
    ]


def test_a_search_is_of_the_kind_that_its_knowledge_makes_it(model: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("ONE TWO\nTWO ONE\nONE ONE\n")
    (tmp_path / "words").write_text("ONE\nTWO\n")
    (tmp_path / "spoken").write_text("ONE O N E\nTWO T W O\n")
    lm = tmp_path / "own.lm"
    assert main(["lm", "build", str(tmp_path / "text"), "--order", "1", "--output", str(lm)]) == 0
    beam = BeamConfig(4, 9.0, 1)

    kinds = [
        asr.load_model(model).search_kind,
        asr.load_model(model, beam=beam).search_kind,
        asr.load_model(model, beam=beam, lexicon=tmp_path / "words").search_kind,
        asr.load_model(model, beam=beam, lm=lm).search_kind,
        asr.load_model(model, beam=beam, lexicon=tmp_path / "spoken").search_kind,
        asr.load_model(model, beam=beam, lexicon=tmp_path / "spoken", lm=lm).search_kind,
    ]

    assert kinds == ["greedy", "beam", "beam", "beam-lm", "phones", "phones-lm"]


def test_each_kind_of_search_has_its_own_entry_and_others_are_kept(
    mine: Path,
    dev: Path,
    tmp_path: Path,
    small_config: Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = Fitted(Calibration(-1.0), "by hand")
    write_calibrations(mine, {"greedy": kept})
    files = [
        heard(dev, tmp_path / f"{kind}.jsonl", kind, small_config) for kind in ("beam", "beam-lm")
    ]

    assert calibrate(mine, dev, *files, "--diagram", tmp_path / "new" / "dev.svg") == 0

    calibrations = read_calibrations(mine)
    assert list(calibrations) == ["greedy", "beam", "beam-lm"]
    assert calibrations["greedy"] == kept
    assert calibrations["beam"].fitted_on.startswith("dev: ")
    picture = ElementTree.parse(tmp_path / "new" / "dev.svg").getroot()
    headings = [text.text or "" for text in picture.iter() if text.get("class") == "heading"]
    assert [heading.split(":")[0] for heading in headings] == ["beam", "beam-lm"]
    header, *lines, written = capsys.readouterr().out.splitlines()
    assert header.startswith("search ")
    assert [line.split()[0] for line in lines] == ["beam", "beam-lm"]
    assert written == f"{mine / 'confidence.toml'}: beam, beam-lm"


def test_hypotheses_without_a_record_need_the_kind_to_be_told(
    mine: Path,
    dev: Path,
    tmp_path: Path,
    small_config: Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = heard(dev, tmp_path / "other.jsonl", None, small_config)

    assert calibrate(mine, dev, path) == 1
    assert "does not tell the kind of search: give --search" in capsys.readouterr().err
    assert calibrate(mine, dev, path, "--search", "phones-lm") == 0

    assert list(read_calibrations(mine)) == ["phones-lm"]


def test_what_would_teach_the_model_wrongly_is_refused_and_nothing_written(
    mine: Path,
    dev: Path,
    tmp_path: Path,
    small_config: Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = heard(dev, tmp_path / "h.jsonl", "greedy", small_config)
    other = heard(dev, tmp_path / "o.jsonl", "greedy", small_config)
    record = tmp_path / "h.run.json"
    decoding = read_decoding_record(record)
    one = tmp_path / "one.jsonl"
    write_manifest(one, read_manifest(dev)[:1])
    cases = (
        (replace(decoding, config_hash="01234567"), dev, [path], "made by another model"),
        (replace(decoding, is_calibrated=True), dev, [path], "decode with --raw-confidence"),
        (decoding, dev, [path, "--search", "beam"], "says that the search was greedy, not beam"),
        (decoding, dev, [path, other], "is of the kind greedy like another file"),
        (decoding, one, [path], "all words are of one "),
        (decoding, dev, [tmp_path / "gone.jsonl", "--search", "beam"], "gone.jsonl: "),
    )
    for changed, manifest, words, reason in cases:
        write_decoding_record(record, changed)

        assert calibrate(mine, manifest, *words) == 1
        assert reason in capsys.readouterr().err
        assert not (mine / "confidence.toml").exists()


def test_one_kind_cannot_be_told_of_several_files(mine: Path, dev: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        calibrate(mine, dev, "a.jsonl", "b.jsonl", "--search", "beam")

    assert stopped.value.code == 2


def test_a_model_with_a_broken_calibration_is_refused_by_the_files_name(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (mine / "confidence.toml").write_text("[greedy]\noffset = 1.0\n")

    assert main(["transcribe", "--model", str(mine), "speech.wav"]) == 1

    assert f"{mine / 'confidence.toml'}: greedy: missing key" in capsys.readouterr().err
