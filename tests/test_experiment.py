import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from asr.checkpoint import load_checkpoint, verify_golden
from asr.config import Config
from asr.corpus.utterance import Utterance
from asr.errors import DataError, ModelError, TrainingError
from asr.experiment import train_model
from asr.provenance import provenance
from asr.train.progress import EpochReport, StepReport
from asr.train.state import RunState


class Watcher:
    """Notes what it hears, and interrupts the run after a step if told to."""

    def __init__(self, stop_at_step: int | None = None) -> None:
        self.stop_at_step = stop_at_step
        self.losses: list[float] = []
        self.epochs: list[EpochReport] = []

    def on_step(self, report: StepReport) -> None:
        self.losses.append(report.loss)
        if report.step == self.stop_at_step:
            raise KeyboardInterrupt

    def on_validation(self, n_words: int) -> None:
        pass

    def on_epoch(self, report: EpochReport) -> None:
        self.epochs.append(report)


def train(
    config: Config,
    corpus: Sequence[Utterance],
    output: Path,
    watcher: Watcher | None = None,
) -> RunState:
    return train_model(
        config,
        corpus,
        corpus[:3],
        output,
        watcher or Watcher(),
        provenance(["asr", "train"]),
        max_feature_bytes=10**9,
    )


def state_tensors(output: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(output.with_name(output.name + ".run") / "state.safetensors")


@pytest.mark.parametrize("stop_at_step", [1, 4, 7])
def test_a_run_that_was_interrupted_ends_with_the_bits_of_one_that_was_not(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path, stop_at_step: int
) -> None:
    train(small_config, tiny_corpus, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(small_config, tiny_corpus, tmp_path / "twice", Watcher(stop_at_step))

    train(small_config, tiny_corpus, tmp_path / "twice")

    whole, twice = state_tensors(tmp_path / "whole"), state_tensors(tmp_path / "twice")
    assert whole.keys() == twice.keys()
    for name, tensor in whole.items():
        assert torch.equal(tensor, twice[name]), name


def test_the_same_seed_gives_the_same_losses_and_another_seed_others(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    other = dataclasses.replace(
        small_config, batching=dataclasses.replace(small_config.batching, seed=4)
    )
    losses = []
    for name, config in (("a", small_config), ("b", small_config), ("c", other)):
        watcher = Watcher()
        train(config, tiny_corpus, tmp_path / name, watcher)
        losses.append(watcher.losses)

    assert losses[0] == losses[1] != losses[2]


def test_the_model_directory_holds_the_best_epoch_and_its_golden_example_comes_out(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    watcher = Watcher()

    run = train(small_config, tiny_corpus, tmp_path / "model", watcher)

    checkpoint = load_checkpoint(tmp_path / "model")
    verify_golden(tmp_path / "model", checkpoint)
    assert checkpoint.config == small_config
    assert run.best_wer == min(report.wer for report in watcher.epochs)
    assert [r.epoch for r in watcher.epochs if r.is_best][-1] == run.best_epoch
    assert f"epoch {run.best_epoch})" in (tmp_path / "model" / "README.md").read_text()


def test_a_finished_run_is_not_trained_again_but_its_model_is_put_back(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    train(small_config, tiny_corpus, tmp_path / "model")
    (tmp_path / "model").rename(tmp_path / "elsewhere")
    watcher = Watcher()

    train(small_config, tiny_corpus, tmp_path / "model", watcher)

    assert not watcher.losses
    load_checkpoint(tmp_path / "model")


def test_patience_ends_a_run_that_no_longer_gets_better(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    config = dataclasses.replace(
        small_config,
        train=dataclasses.replace(small_config.train, n_epochs=50, patience=2),
        optimiser=dataclasses.replace(small_config.optimiser, learning_rate=1e-9),
    )

    run = train(config, tiny_corpus, tmp_path / "model")

    assert run.epoch == run.best_epoch + 2 < 50


def test_a_run_is_not_gone_on_with_under_another_configuration(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(small_config, tiny_corpus, tmp_path / "model", Watcher(stop_at_step=4))
    other = dataclasses.replace(
        small_config, optimiser=dataclasses.replace(small_config.optimiser, weight_decay=0.5)
    )

    with pytest.raises(TrainingError, match="another configuration"):
        train(other, tiny_corpus, tmp_path / "model")


@pytest.mark.parametrize("change", [{"duration": 0.3}, {"channel": 0}, {"speaker": "another"}])
def test_a_run_is_not_gone_on_with_under_other_utterances(
    small_config: Config,
    tiny_corpus: Sequence[Utterance],
    tmp_path: Path,
    change: dict[str, Any],
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(small_config, tiny_corpus, tmp_path / "model", Watcher(stop_at_step=2))
    other = [*tiny_corpus[:-1], dataclasses.replace(tiny_corpus[-1], **change)]

    with pytest.raises(TrainingError, match="other data"):
        train(small_config, other, tmp_path / "model")


def test_a_run_is_gone_on_with_where_the_audio_was_moved(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(small_config, tiny_corpus, tmp_path / "model", Watcher(stop_at_step=4))
    moved = []
    for utterance in tiny_corpus:
        path = shutil.copy(utterance.audio_filepath, tmp_path)
        moved.append(dataclasses.replace(utterance, audio_filepath=Path(path)))
    watcher = Watcher()

    train(small_config, moved, tmp_path / "model", watcher)

    assert watcher.epochs[-1].step == 3 + len(watcher.losses)  # the fourth was not saved


@pytest.mark.parametrize("cmvn", ["global", "utterance", "speaker", "none"])
def test_every_cmvn_trains(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path, cmvn: str
) -> None:
    config = dataclasses.replace(
        small_config,
        features=dataclasses.replace(small_config.features, cmvn=cmvn),  # type: ignore[arg-type]
        train=dataclasses.replace(small_config.train, n_epochs=1),
    )

    train(config, tiny_corpus, tmp_path / "model")

    load_checkpoint(tmp_path / "model")


def test_a_run_stops_after_an_epoch_in_which_no_utterance_could_be_aligned(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    endless = [dataclasses.replace(u, text="TO AND FRO " * 50) for u in tiny_corpus]

    with pytest.raises(TrainingError, match="epoch 1: every utterance has fewer frames"):
        train(small_config, endless, tmp_path / "model")

    assert not (tmp_path / "model").exists()


def test_utterances_without_a_text_are_refused_by_their_id(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    untold = dataclasses.replace(tiny_corpus[0], text=None)

    with pytest.raises(DataError, match=untold.id):
        train(small_config, [untold, *tiny_corpus[1:]], tmp_path / "model")


def test_a_dev_set_without_words_is_refused_before_training(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    silent = [dataclasses.replace(utterance, text="") for utterance in tiny_corpus[:2]]

    with pytest.raises(DataError, match="dev set has no words"):
        train_model(
            small_config,
            tiny_corpus,
            silent,
            tmp_path / "model",
            Watcher(),
            provenance(["asr"]),
            max_feature_bytes=0,
        )


def test_an_output_that_is_no_model_is_refused_before_training(
    small_config: Config, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "thesis").touch()

    with pytest.raises(ModelError, match="name a new folder"):
        train(small_config, tiny_corpus, tmp_path / "model")

    assert not (tmp_path / "model.run").exists()
