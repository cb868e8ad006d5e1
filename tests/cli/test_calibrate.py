from collections.abc import Sequence
from dataclasses import astuple, replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

import asr
from asr.cli import main
from asr.cli.recognising import recognise
from asr.confidence.calibration import Calibration
from asr.confidence.calibration_file import Fitted, read_calibrations, write_calibrations
from asr.corpus.manifest import read_manifest, write_manifest
from asr.corpus.utterance import Utterance
from asr.recognizer import Recognizer
from asr.text.transcript import Transcript, read_transcripts, to_json
from asr.wer.score_file import read_decoding_record


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


def test_a_calibrated_model_gives_probabilities_instead_of_raw_confidences(
    own_model: Path, dev: Path, tmp_path: Path
) -> None:
    raw = decode(own_model, dev, tmp_path / "raw.jsonl")
    assert not read_decoding_record(tmp_path / "raw.run.json").is_calibrated

    assert calibrate(own_model, dev) == 0

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


def test_the_models_own_the_plain_and_the_greedy_search_are_calibrated(
    own_model: Path, dev: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The model's default search is the greedy one, which is not calibrated twice."""
    kept = Fitted(Calibration(-1.0), "by hand")
    write_calibrations(own_model, {"phones-lm": kept})

    assert calibrate(own_model, dev, "--diagram", tmp_path / "new" / "dev.svg") == 0

    calibrations = read_calibrations(own_model)
    assert list(calibrations) == ["greedy", "beam", "phones-lm"]
    assert calibrations["phones-lm"] == kept
    assert calibrations["beam"].fitted_on.startswith("dev: ")
    picture = ElementTree.parse(tmp_path / "new" / "dev.svg").getroot()
    headings = [text.text or "" for text in picture.iter() if text.get("class") == "heading"]
    assert [heading.split(":")[0] for heading in headings] == ["greedy", "beam"]
    told = capsys.readouterr()
    header, *lines, written = told.out.splitlines()
    assert header.startswith("search ")
    assert [line.split()[0] for line in lines] == ["greedy", "beam"]
    assert written == f"{own_model / 'confidence.toml'}: greedy, beam"
    assert "asr: greedy: greedy\n" in told.err
    assert "asr: beam: beam 100, threshold 14\n" in told.err


def test_a_search_that_is_asked_for_is_calibrated_alone(
    own_model: Path, dev: Path, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("ONE TWO\nTWO ONE\nONE ONE\n")
    lm = tmp_path / "own.lm"
    assert main(["lm", "build", str(tmp_path / "text"), "--order", "1", "--output", str(lm)]) == 0

    assert calibrate(own_model, dev, "--search", "plain", "--lm", lm, "--lm-weight", 0.1) == 0

    assert list(read_calibrations(own_model)) == ["beam-lm"]


def test_a_calibration_is_fitted_to_raw_confidences(own_model: Path, dev: Path) -> None:
    assert calibrate(own_model, dev) == 0
    first = read_calibrations(own_model)

    assert calibrate(own_model, dev) == 0

    assert read_calibrations(own_model) == first


def test_a_dev_set_of_one_utterance_is_refused_and_nothing_written(
    own_model: Path, dev: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_manifest(dev, read_manifest(dev)[:1])

    assert calibrate(own_model, dev) == 1

    told = capsys.readouterr().err
    assert "asr: beam is not calibrated: all words are of one " in told
    assert f"{dev}: no search could be calibrated on it" in told
    assert not (own_model / "confidence.toml").exists()


def test_a_search_that_recognises_no_word_stays_as_it_was_and_is_named(
    own_model: Path, dev: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wordless(recognizer: Recognizer, utterances: Sequence[Utterance]) -> dict[str, Transcript]:
        found = recognise(recognizer, utterances)
        is_mute = recognizer.searcher.kind == "greedy"
        return {name: Transcript(name, "") if is_mute else one for name, one in found.items()}

    monkeypatch.setattr("asr.cli.calibrate.recognise", wordless)

    assert calibrate(own_model, dev) == 0

    assert "asr: greedy is not calibrated: there is no recognised word" in capsys.readouterr().err
    assert list(read_calibrations(own_model)) == ["beam"]


def test_a_dev_set_without_a_text_is_refused_before_anything_is_recognised(
    own_model: Path, dev: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *others = read_manifest(dev)
    write_manifest(dev, [*others, replace(first, text=None)])

    assert calibrate(own_model, dev) == 1

    told = capsys.readouterr().err
    assert f"{dev}: expected texts, and there is none of {first.id}" in told
    assert "greedy" not in told


def test_a_recording_that_cannot_be_read_is_named_and_the_others_count(
    own_model: Path, dev: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *others = read_manifest(dev)
    write_manifest(dev, [replace(first, audio_filepath=tmp_path / "gone.wav"), *others])

    assert calibrate(own_model, dev) == 1

    assert f"asr: 1 of {len(others) + 1} utterances could not be decoded" in capsys.readouterr().err
    assert list(read_calibrations(own_model)) == ["greedy", "beam"]


def test_a_broken_calibration_file_is_named(
    own_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own_model / "confidence.toml").write_text("[greedy]\noffset = 1.0\n")

    assert main(["transcribe", "--model", str(own_model), "speech.wav"]) == 1

    assert f"{own_model / 'confidence.toml'}: greedy: missing key" in capsys.readouterr().err


def test_what_the_normaliser_takes_out_of_references_is_named(
    own_model: Path, dev: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A word that was heard in its place counts as wrong."""
    first, *others = read_manifest(dev)
    write_manifest(dev, [replace(first, text=f"{first.text} 3"), *others])
    assert calibrate(own_model, dev, "--search", "greedy") == 0
    assert f"as in 3 ({first.id})" in capsys.readouterr().err
