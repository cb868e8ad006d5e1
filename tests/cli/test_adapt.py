"""`asr adapt`: recordings without texts in, a model that has learned from them out."""

import dataclasses
import json
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from asr.checkpoint.network import load_checkpoint, save_checkpoint, verify_golden
from asr.cli import main
from asr.confidence.calibration import Calibration
from asr.confidence.calibration_file import Fitted
from asr.config import Config, to_toml
from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance
from asr.experiment import Material, train_model
from asr.recognizer import Recognizer
from asr.text.transcript import Transcript
from asr.train.state import RunState

SHORTER = ["--set", "train.n_epochs=2", "--set", "batching.batch_duration=4.0"]


@pytest.fixture
def untold(tmp_path: Path, tiny_corpus: Sequence[Utterance]) -> Path:
    """A manifest of four utterances without texts."""
    path = tmp_path / "untold.jsonl"
    write_manifest(path, [dataclasses.replace(u, text=None) for u in tiny_corpus[:4]])
    return path


def adapt(*words: object) -> int:
    return main([*map(str, ["adapt", *words, *SHORTER])])


def moved(before: Path, after: Path) -> bool:
    """Tell whether any weight of the acoustic model is another one."""
    weights = (load_checkpoint(folder).model.state_dict() for folder in (before, after))
    return any(not torch.equal(*pair) for pair in zip(*(w.values() for w in weights), strict=True))


def test_a_model_learns_from_recordings_without_texts(
    model: Path, untold: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapted = tmp_path / "adapted"

    assert adapt(model, untold, "--output", adapted) == 0

    assert "adapted: adapted to 4.1 seconds of speech" in capsys.readouterr().out
    assert moved(model, adapted)
    verify_golden(adapted, load_checkpoint(adapted))
    card = (adapted / "README.md").read_text()
    assert card.startswith("# Knows nothing\n")
    assert "| adapted to | 4 recordings," in card
    assert main([*map(str, ["decode", adapted, untold, "--output", tmp_path / "h.jsonl"])]) == 0


def test_the_card_tells_of_one_adaptation_only(model: Path, untold: Path, tmp_path: Path) -> None:
    assert adapt(model, untold, "--output", tmp_path / "once") == 0
    assert adapt(tmp_path / "once", untold, "--utterances", 2, "--output", tmp_path / "twice") == 0

    card = (tmp_path / "twice" / "README.md").read_text()
    assert card.count("## Adaptation") == 1
    assert "| adapted to | 2 recordings" in card


def test_what_was_recognised_is_not_recognised_again(
    model: Path, untold: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopping(*_: object, **_rest: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("asr.low_resource.adaptation.train_model", stopping)
        assert adapt(model, untold, "--folds", 1, "--output", tmp_path / "stopped") == 130
    monkeypatch.setattr("asr.cli.adapt.recognise", stopping)

    assert adapt(model, untold, "--folds", 1, "--output", tmp_path / "stopped") == 0
    assert adapt(model, untold, "--utterances", 2, "--output", tmp_path / "stopped") == 130


def test_a_signal_ends_the_recognising_too(
    model: Path,
    untold: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    transcribe_all = Recognizer.transcribe_all

    def signalled(recognizer: Recognizer, some: Sequence[Utterance]) -> Iterator[Any]:
        for n, result in enumerate(transcribe_all(recognizer, some), start=1):
            assert n < 3, "recognises on"
            if n == 2:
                signal.raise_signal(signal.SIGTERM)
            yield result

    monkeypatch.setattr(Recognizer, "transcribe_all", signalled)

    assert adapt(model, untold, "--output", tmp_path / "adapted") == 143

    assert "stopped while recognising" in capsys.readouterr().err
    assert not list((tmp_path / "adapted.run").iterdir())


def test_a_recording_that_cannot_be_read_is_named_and_the_others_are_learned_from(
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


def test_a_part_is_recognised_anew_by_a_model_that_did_not_learn_from_it(
    model: Path, untold: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["NOTE", "ONE", "TWO", "TIN"]
    recognised: list[set[str]] = []
    learned: dict[str, dict[str, str | None]] = {}

    def listening(
        _: Recognizer, parts: Sequence[Utterance], **_rest: object
    ) -> dict[str, Transcript]:
        recognised.append({utterance.id for utterance in parts})
        word = words[len(recognised) - 1]
        return {u.id: Transcript(u.id, word, duration=u.duration) for u in parts}

    def learning(config: Config, material: Material, output: Path, *rest: Any) -> RunState:  # noqa: ANN401
        learned[output.name] = {u.id: u.text for u in material.train}
        return train_model(config, material, output, *rest)

    monkeypatch.setattr("asr.cli.adapt.recognise", listening)
    monkeypatch.setattr("asr.low_resource.adaptation.train_model", learning)

    assert adapt(model, untold, "--folds", 3, "--output", tmp_path / "adapted") == 0

    everything, *parts = recognised
    assert len(parts) == 3
    assert set().union(*parts) == everything == learned["acoustic"].keys()
    for number, part in enumerate(parts, start=1):
        assert learned[f"without-{number}"] == dict.fromkeys(everything - part, words[0])
        assert {learned["acoustic"][name] for name in part} == {words[number]}


@pytest.fixture(scope="module")
def spelling(
    tmp_path_factory: pytest.TempPathFactory,
    small_config: Config,
    tiny_corpus: Sequence[Utterance],
) -> Path:
    """A model with phones, a speller, a search and a calibration, all hardly trained."""
    folder: Path = tmp_path_factory.mktemp("spelling")
    words = sorted({word for u in tiny_corpus for word in (u.text or "").split()})
    (folder / "lexicon").write_text("".join(f"{w} {' '.join(w.lower())}\n" for w in words))
    (folder / "text").write_text("\n".join(words))
    (folder / "small.toml").write_text(to_toml(small_config))
    write_manifest(folder / "m.jsonl", tiny_corpus)
    speech = ["--train", folder / "m.jsonl", "--dev", folder / "m.jsonl"]
    known = ["--lexicon", folder / "lexicon"]
    phones = ["--set", "train.phone_weight=0.5"]
    run(folder, "train", folder / "small.toml", *speech, *known, *phones, to="model")
    speller = Path(__file__).parent.parent.parent / "conf" / "speller.toml"
    smaller = {
        "text.units": "char",
        "text.n_tokens": "0",
        "model.size": "8",
        "pronouncing.n_hearings": "1",
        "pronouncing.min_words": "1",
        "optimiser.hold_epochs": "0.0",
        "train.n_epochs": "1",
    }
    settings = [word for key, value in smaller.items() for word in ("--set", f"{key}={value}")]
    text = ["--text", folder / "text"]
    run(folder, "spell", folder / "model", speller, *text, *known, *speech, *settings, to="spell")
    run(folder, "lm", "build", folder / "text", "--order", 1, to="small.lm")
    search = ["--search", "beam", "--lm", folder / "small.lm", *known]
    run(folder, "pack", folder / "spell", *search, to="packed")
    checkpoint = load_checkpoint(folder / "packed")
    fitted = {"greedy": Fitted(Calibration(1.0, 0.0, 0.0, 0.0), "a test")}
    calibrated = dataclasses.replace(checkpoint, calibrations=fitted)
    save_checkpoint(folder / "whole", calibrated, card="# Card\n", example=torch.zeros(4000))
    return folder / "whole"


def run(folder: Path, *words: object, to: str) -> None:
    assert main([*map(str, [*words, "--output", folder / to])]) == 0


def test_search_and_speller_come_along_and_calibrations_do_not(
    spelling: Path, untold: Path, tmp_path: Path
) -> None:
    before = load_checkpoint(spelling)
    assert before.speller
    assert before.search
    assert before.calibrations

    assert adapt(spelling, untold, "--output", tmp_path / "adapted") == 0

    after = load_checkpoint(tmp_path / "adapted")
    assert moved(spelling, tmp_path / "adapted")
    assert after.speller
    assert after.search
    assert not after.calibrations
    for name, weight in before.speller.model.state_dict().items():
        assert torch.equal(weight, after.speller.model.state_dict()[name]), name
    assert (tmp_path / "adapted" / "lexicon.txt").read_text() == (
        spelling / "lexicon.txt"
    ).read_text()
    assert torch.equal(after.priors["text"], before.priors["text"])  # of the speller's tokens
    assert not torch.equal(after.priors["phones"], before.priors["phones"])
    files = [*(tmp_path / "adapted.run").glob("heard.*.jsonl")]
    heard = [json.loads(line)["text"] for f in files for line in f.read_text().splitlines()]
    known = {line.split()[0] for line in (spelling / "lexicon.txt").read_text().splitlines()}
    assert len(heard) == 4 + 4
    assert set(" ".join(heard).split()) <= known


def test_phones_are_not_learned_without_their_lexicon(
    spelling: Path, untold: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adapt(spelling, untold, "--search", "greedy", "--output", tmp_path / "adapted") == 1

    assert "only a search with pronunciations finds them" in capsys.readouterr().err
    assert not (tmp_path / "adapted").exists()
