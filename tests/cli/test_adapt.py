"""`asr adapt`: recordings without texts in, an adapted model out."""

import dataclasses
import json
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from asr.checkpoint.directory import read_directory
from asr.checkpoint.engine import verify_model
from asr.checkpoint.network import load_checkpoint, save_checkpoint
from asr.cli import main
from asr.confidence.calibration import Calibration
from asr.confidence.calibration_file import Fitted
from asr.config import Config, to_toml
from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance
from asr.experiment import Material, train_model
from asr.recognizer import Recognizer
from asr.runtime.onnx_engine import OnnxEngine
from asr.text.tokenizer import HeadConfig
from asr.text.transcript import Transcript
from asr.train.config import CtcConfig
from asr.train.state import RunState
from tests.conftest import make_config

SHORTER = ["--set", "train.n_epochs=2", "--set", "batching.batch_duration=4.0"]


@pytest.fixture
def archive(tmp_path: Path, tiny_corpus: Sequence[Utterance]) -> Path:
    """A manifest of four utterances without texts."""
    path = tmp_path / "archive.jsonl"
    write_manifest(path, [dataclasses.replace(u, text=None) for u in tiny_corpus[:4]])
    return path


def adapt(*words: object) -> int:
    return main([*map(str, ["adapt", *words, *SHORTER])])


def moved(before: Path, after: Path) -> bool:
    """Tell whether any weight of the network changed."""
    weights = (load_checkpoint(folder).model.state_dict() for folder in (before, after))
    return any(not torch.equal(*pair) for pair in zip(*(w.values() for w in weights), strict=True))


def test_a_model_learns_from_recordings_archive(
    model: Path, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapted = tmp_path / "adapted"

    assert adapt(model, archive, "--output", adapted) == 0

    assert "adapted: adapted to 4.1 seconds of speech" in capsys.readouterr().out
    assert moved(model, adapted)
    verify_model(adapted)
    assert not (adapted / "model.onnx").exists()  # the model had none
    card = (adapted / "README.md").read_text()
    assert card.startswith("# Knows nothing\n")
    assert "| adapted to | 4 recordings," in card
    assert main([*map(str, ["decode", adapted, archive, "--output", tmp_path / "h.jsonl"])]) == 0


def test_recordings_without_a_word_are_not_among_those_it_was_adapted_to(
    model: Path, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(16_000), 16_000)
    with archive.open("a") as file:
        file.write('{"id": "silence", "audio_filepath": "silence.wav", "duration": 1.0}\n')

    assert adapt(model, archive, "--folds", 1, "--output", tmp_path / "adapted") == 0

    assert "adapted to 4.1 seconds of speech" in capsys.readouterr().out
    assert "| adapted to | 4 recordings," in (tmp_path / "adapted" / "README.md").read_text()


def test_the_card_describes_the_last_adaptation_only(
    model: Path, archive: Path, tmp_path: Path
) -> None:
    assert adapt(model, archive, "--output", tmp_path / "once") == 0
    assert adapt(tmp_path / "once", archive, "--utterances", 2, "--output", tmp_path / "twice") == 0

    card = (tmp_path / "twice" / "README.md").read_text()
    assert card.count("## Adaptation") == 1
    assert "| adapted to | 2 recordings" in card


def test_finished_transcripts_are_not_made_again(
    model: Path, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopping(*_: object, **_rest: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("asr.low_resource.adaptation.train_model", stopping)
        assert adapt(model, archive, "--folds", 1, "--output", tmp_path / "stopped") == 130
    monkeypatch.setattr("asr.cli.adapt.recognise", stopping)

    assert adapt(model, archive, "--folds", 1, "--output", tmp_path / "stopped") == 0
    assert adapt(model, archive, "--utterances", 2, "--output", tmp_path / "stopped") == 130


def test_another_language_model_of_the_same_name_recognises_anew(
    model: Path, archive: Path, tmp_path: Path
) -> None:
    lm, output = tmp_path / "own.lm", tmp_path / "adapted"
    for text, n_recognised in (("ONE TWO", 1), ("ONE TWO", 1), ("TWO ONE ONE", 2)):
        (tmp_path / "text").write_text(f"{text}\n")
        build = ["lm", "build", tmp_path / "text", "--order", 2, "--output", lm]
        assert main([*map(str, build)]) == 0
        search = ["--search", "plain", "--lm", lm]
        adapt(model, archive, "--folds", 1, *search, "--output", output)
        assert len(list((tmp_path / "adapted.run").glob("transcripts.*.jsonl"))) == n_recognised


@pytest.mark.parametrize("name", ["README.md", "golden.safetensors"])
def test_a_model_that_lacks_a_part_is_refused_before_anything_is_recognised(
    name: str, own_model: Path, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own_model / name).unlink()
    (own_model / "SHA256SUMS").unlink(missing_ok=True)
    assert adapt(own_model, archive, "--output", tmp_path / "adapted") == 1
    assert name in capsys.readouterr().err
    assert not list((tmp_path / "adapted.run").glob("*"))


def test_a_signal_ends_recognition_too(
    model: Path,
    archive: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    transcribe_all = Recognizer.transcribe_all

    def signalled(recognizer: Recognizer, some: Sequence[Utterance]) -> Iterator[Any]:
        for n, result in enumerate(transcribe_all(recognizer, some), start=1):
            assert n < 3, "did not stop"
            if n == 2:
                signal.raise_signal(signal.SIGTERM)
            yield result

    monkeypatch.setattr(Recognizer, "transcribe_all", signalled)

    assert adapt(model, archive, "--output", tmp_path / "adapted") == 143

    assert "stopped while recognising" in capsys.readouterr().err
    assert not list((tmp_path / "adapted.run").iterdir())


def test_an_unreadable_recording_is_named_and_the_others_are_learned_from(
    model: Path,
    tiny_corpus: Sequence[Utterance],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gone = dataclasses.replace(tiny_corpus[0], id="gone", audio_filepath=tmp_path / "gone.wav")
    write_manifest(tmp_path / "m.jsonl", [gone, *tiny_corpus[:2]])

    assert adapt(model, tmp_path / "m.jsonl", "--output", tmp_path / "adapted") == 1

    assert "gone.wav" in (complaint := capsys.readouterr().err)
    assert "1 of 3 utterances could not be decoded" in complaint
    assert "2 recordings" in (tmp_path / "adapted" / "README.md").read_text()


def test_a_part_is_recognised_again_by_a_model_that_did_not_learn_from_it(
    model: Path, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["NOTE", "ONE", "TWO", "TIN"]
    recognised: list[set[str]] = []
    learned: dict[str, dict[str, str | None]] = {}

    def recognising(
        _: Recognizer, parts: Sequence[Utterance], **_rest: object
    ) -> dict[str, Transcript]:
        recognised.append({utterance.id for utterance in parts})
        word = words[len(recognised) - 1]
        return {u.id: Transcript(u.id, word, duration=u.duration) for u in parts}

    def learning(config: Config, material: Material, output: Path, *rest: Any) -> RunState:  # noqa: ANN401
        learned[output.name] = {u.id: u.text for u in material.train}
        return train_model(config, material, output, *rest)

    monkeypatch.setattr("asr.cli.adapt.recognise", recognising)
    monkeypatch.setattr("asr.low_resource.adaptation.train_model", learning)

    assert adapt(model, archive, "--folds", 3, "--output", tmp_path / "adapted") == 0

    everything, *parts = recognised
    assert len(parts) == 3
    assert set().union(*parts) == everything == learned["acoustic"].keys()
    for number, part in enumerate(parts, start=1):
        assert learned[f"without-{number}"] == dict.fromkeys(everything - part, words[0])
        assert {learned["acoustic"][name] for name in part} == {words[number]}


@pytest.fixture(scope="module")
def packed(
    tmp_path_factory: pytest.TempPathFactory,
    tiny_corpus: Sequence[Utterance],
) -> Path:
    """A model with a head of phones, a search, a calibration and a graph, hardly trained."""
    folder: Path = tmp_path_factory.mktemp("packed")
    words = sorted({word for u in tiny_corpus for word in (u.text or "").split()})
    (folder / "lexicon").write_text("".join(f"{w} {' '.join(w.lower())}\n" for w in words))
    (folder / "text").write_text("\n".join(words))
    heads = {"text": HeadConfig("char", 0), "phones": HeadConfig("phones", 0)}
    losses = dict.fromkeys(heads, CtcConfig("ctc", 1.0))
    (folder / "small.toml").write_text(to_toml(make_config(heads=heads, objective=losses)))
    write_manifest(folder / "m.jsonl", tiny_corpus)
    speech = ["--train", folder / "m.jsonl", "--dev", folder / "m.jsonl"]
    known = ["--lexicon", folder / "lexicon"]
    run(folder, "train", folder / "small.toml", *speech, *known, to="model")
    run(folder, "lm", "build", folder / "text", "--order", 1, to="small.lm")
    search = ["--search", "beam", "--lm", folder / "small.lm", *known]
    run(folder, "pack", folder / "model", *search, to="packed")
    checkpoint = load_checkpoint(folder / "packed")
    fitted = {"greedy": Fitted(Calibration(1.0, 0.0, 0.0, 0.0), "a test")}
    directory = dataclasses.replace(checkpoint.directory, calibrations=fitted)
    save_checkpoint(
        folder / "calibrated",
        dataclasses.replace(checkpoint, directory=directory),
        card="# Card\n",
        example=np.zeros(4000, np.float32),
        onnx="float16",
    )
    return folder / "calibrated"


def run(folder: Path, *words: object, to: str) -> None:
    assert main([*map(str, [*words, "--output", folder / to])]) == 0


def test_search_and_graph_are_kept_and_calibrations_are_not(
    packed: Path, archive: Path, tmp_path: Path
) -> None:
    before = read_directory(packed)
    assert before.search.beam
    assert before.calibrations

    assert adapt(packed, archive, "--output", tmp_path / "adapted") == 0

    after = read_directory(tmp_path / "adapted")
    assert moved(packed, tmp_path / "adapted")
    assert after.search.beam == before.search.beam
    assert not after.calibrations
    assert (tmp_path / "adapted" / "lexicon.txt").read_text() == (
        packed / "lexicon.txt"
    ).read_text()
    assert not np.array_equal(after.priors["phones"], before.priors["phones"])
    graph = OnnxEngine(tmp_path / "adapted" / "model.onnx", n_threads=1)
    assert graph.description.weights == "float16"
    verify_model(tmp_path / "adapted")


def test_every_model_recognises_with_the_search_of_the_first(
    packed: Path, archive: Path, tmp_path: Path
) -> None:
    assert adapt(packed, archive, "--output", tmp_path / "adapted") == 0

    files = [*(tmp_path / "adapted.run").glob("transcripts.*.jsonl")]
    texts = [json.loads(line)["text"] for f in files for line in f.read_text().splitlines()]
    known = {line.split()[0] for line in (packed / "lexicon.txt").read_text().splitlines()}
    assert len(texts) == 4 + 4
    assert set(" ".join(texts).split()) <= known


def test_phones_are_not_learned_without_their_lexicon(
    packed: Path, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adapt(packed, archive, "--search", "greedy", "--output", tmp_path / "adapted") == 1

    assert "only a search with pronunciations can label" in capsys.readouterr().err
    assert not (tmp_path / "adapted").exists()
