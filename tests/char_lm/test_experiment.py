import dataclasses
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from asr.char_lm.config import CharacterModelConfig, LanguageConfig, StreamConfig
from asr.char_lm.experiment import train_language_model
from asr.char_lm.language_model import load_language_model
from asr.char_lm.progress import ChunkReport, LanguageRunState, ValidationReport
from asr.char_lm.sampling import sample
from asr.char_lm.step import Chunk, language_step
from asr.errors import DataError, ModelError, StoppedError, TrainingError
from asr.provenance import provenance

TEXT = ["The cat sat.", "A cat ate the mat, at last!", "", "That's that."] * 6  # 8 chunks
DEV = ["A cat sat at the mat."]


class Watcher:
    """Keeps the reports, and interrupts the run after an update if told to."""

    def __init__(self, stop_at_step: int | None = None) -> None:
        self.stop_at_step = stop_at_step
        self.bits: list[float] = []
        self.validations: list[ValidationReport] = []

    def on_chunk(self, report: ChunkReport) -> None:
        self.bits.append(report.bits)
        if report.step == self.stop_at_step:
            raise KeyboardInterrupt

    def on_validation(self, report: ValidationReport) -> None:
        self.validations.append(report)


def train(
    config: LanguageConfig,
    output: Path,
    watcher: Watcher | None = None,
    text: list[str] = TEXT,
    dev: list[str] = DEV,
    must_stop: Callable[[], bool] = lambda: False,
) -> LanguageRunState:
    watcher = watcher or Watcher()
    return train_language_model(config, text, dev, output, watcher, provenance(["asr"]), must_stop)


def state_tensors(output: Path) -> dict[str, torch.Tensor]:
    return load_file(output.with_name(output.name + ".run") / "state.safetensors")


def test_a_run_that_is_asked_to_stop_saves_its_state_and_resumes_to_the_same_bits(
    small_language_config: LanguageConfig, tmp_path: Path
) -> None:
    rarely = dataclasses.replace(small_language_config.train, checkpoint_minutes=60.0)
    config = dataclasses.replace(small_language_config, train=rarely)
    train(config, tmp_path / "whole")
    for moment in (2, 3):
        asked = iter([False] * (moment - 1) + [True])
        with pytest.raises(StoppedError, match="the state is saved"):
            train(config, tmp_path / "often", must_stop=partial(next, asked))

    train(config, tmp_path / "often")

    whole, often = state_tensors(tmp_path / "whole"), state_tensors(tmp_path / "often")
    assert all(torch.equal(tensor, often[name]) for name, tensor in whole.items())


def test_bfloat16_is_float32_where_the_processor_has_none(
    small_language_config: LanguageConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asr.train.precision._cpu_has_bfloat16", lambda: False)
    for name in ("float32", "bfloat16"):
        of = dataclasses.replace(small_language_config.train, precision=name)
        train(dataclasses.replace(small_language_config, train=of), tmp_path / name)

    whole, half = (load_file(tmp_path / n / "model.safetensors") for n in ("float32", "bfloat16"))
    assert all(torch.equal(tensor, half[name]) for name, tensor in whole.items())


def test_the_state_is_carried_through_the_text_and_begins_anew_with_it(
    small_language_config: LanguageConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began_anew: list[bool] = []

    def noting(model: Any, optimiser: Any, chunk: Chunk, **more: Any) -> Any:  # noqa: ANN401
        began_anew.append(not chunk.state.any())
        return language_step(model, optimiser, chunk, **more)

    monkeypatch.setattr("asr.char_lm.loop.language_step", noting)
    train(small_language_config, tmp_path / "model")

    n_chunks = len(began_anew) // 2
    assert began_anew == 2 * [True, *[False] * (n_chunks - 1)]


@pytest.mark.parametrize("stop_at_step", [1, 5, 9, 13])
def test_a_run_that_was_interrupted_ends_with_the_bits_of_one_that_was_not(
    small_language_config: LanguageConfig, tmp_path: Path, stop_at_step: int
) -> None:
    train(small_language_config, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(small_language_config, tmp_path / "twice", Watcher(stop_at_step))

    train(small_language_config, tmp_path / "twice")

    whole, twice = state_tensors(tmp_path / "whole"), state_tensors(tmp_path / "twice")
    assert whole.keys() == twice.keys()
    for name, tensor in whole.items():
        assert torch.equal(tensor, twice[name]), name


def test_the_same_seed_gives_the_same_losses_and_another_seed_others(
    small_language_config: LanguageConfig, tmp_path: Path
) -> None:
    other = dataclasses.replace(
        small_language_config, train=dataclasses.replace(small_language_config.train, seed=4)
    )
    bits = []
    for name, config in (("a", small_language_config), ("b", small_language_config), ("c", other)):
        watcher = Watcher()
        train(config, tmp_path / name, watcher)
        bits.append(watcher.bits)

    assert bits[0] == bits[1] != bits[2]


def test_the_model_directory_holds_the_best_model(
    small_language_config: LanguageConfig, tmp_path: Path
) -> None:
    watcher = Watcher()

    run = train(small_language_config, tmp_path / "model", watcher)

    language_model = load_language_model(tmp_path / "model")
    assert language_model.config == small_language_config
    assert run.best_bits == min(report.dev.bits_per_character for report in watcher.validations)
    assert language_model.perplexity(DEV).bits_per_character == pytest.approx(run.best_bits)
    assert f"{run.best_bits:.4f} bits" in (tmp_path / "model" / "README.md").read_text()


def test_validations_are_spread_over_the_run_the_last_one_at_its_end(
    small_language_config: LanguageConfig, tmp_path: Path
) -> None:
    watcher = Watcher()

    run = train(small_language_config, tmp_path / "model", watcher)

    n_steps = len(watcher.bits)
    assert [report.step for report in watcher.validations] == [
        math.ceil(n_steps * n / 3) for n in (1, 2, 3)
    ]
    assert run.step == n_steps


def test_a_periodic_text_is_learned_to_near_nothing(
    small_language_config: LanguageConfig, tmp_path: Path
) -> None:
    config = dataclasses.replace(
        small_language_config,
        model=CharacterModelConfig(cell="gru", size=16, n_layers=1, dropout=0.0),
        streams=StreamConfig(n_streams=4, chunk_length=20),
        optimiser=dataclasses.replace(small_language_config.optimiser, learning_rate=0.03),
        train=dataclasses.replace(
            small_language_config.train,
            n_epochs=15.0,
            n_validations=1,
            n_shards=1,
            checkpoint_minutes=1.0,
        ),
    )
    watcher = Watcher()

    train(config, tmp_path / "model", watcher, text=["ABC ABD"] * 80, dev=["ABC ABD"])

    language_model = load_language_model(tmp_path / "model")
    assert watcher.bits[-1] < 0.05
    written = sample(language_model, "ABC", n_characters=13, temperature=0.0, seed=1)
    assert written == "ABC ABD\nABC ABD\n"


@pytest.mark.parametrize("change", ["configuration", "text", "dev"])
def test_a_run_is_not_resumed_with_another_configuration_or_text(
    small_language_config: LanguageConfig, tmp_path: Path, change: str
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(small_language_config, tmp_path / "model", Watcher(stop_at_step=2))
    config, text, dev = small_language_config, TEXT, DEV
    if change == "configuration":
        optimiser = dataclasses.replace(config.optimiser, weight_decay=0.5)
        config = dataclasses.replace(config, optimiser=optimiser)
    elif change == "text":
        text = [*TEXT[:-1], "That's it."]
    else:
        dev = [*DEV, "A mat."]

    with pytest.raises(TrainingError, match="another configuration or other data"):
        train(config, tmp_path / "model", text=text, dev=dev)


@pytest.mark.parametrize(
    ("text", "dev", "complaint"),
    [
        ([], DEV, "without words"),
        (TEXT, ["..."], "without words"),
        (["A"], ["A"], "longer than"),
        (TEXT, ["A zoo"], "does not know the character 'Z'"),
    ],
)
def test_a_text_to_learn_nothing_from_is_refused(
    small_language_config: LanguageConfig,
    tmp_path: Path,
    text: list[str],
    dev: list[str],
    complaint: str,
) -> None:
    with pytest.raises(DataError, match=complaint):
        train(small_language_config, tmp_path / "model", text=text, dev=dev)


def test_an_output_that_is_no_model_is_refused_before_training(
    small_language_config: LanguageConfig, tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "thesis").touch()

    with pytest.raises(ModelError, match="name a new folder"):
        train(small_language_config, tmp_path / "model")
