"""Where a processor has no LSTM in bfloat16, training goes on in float32."""

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import torch
from torch import nn

from asr.corpus.utterance import Utterance
from asr.experiment import Material, Resources, train_model
from asr.provenance import provenance
from asr.train import precision
from asr.train.precision import autocast, usable_precision
from asr.train.progress import Unwatched
from tests.conftest import make_config

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def untried() -> Iterator[None]:
    precision._cpu_has_bfloat16.cache_clear()
    yield
    precision._cpu_has_bfloat16.cache_clear()


@pytest.fixture
def old_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every LSTM refuse bfloat16 as oneDNN does without AVX-512."""
    compute: Callable[..., object] = nn.LSTM.forward

    def refuse(*inputs: object) -> object:
        if torch.is_autocast_enabled("cpu"):
            raise RuntimeError("could not create a primitive descriptor")
        return compute(*inputs)

    monkeypatch.setattr(nn.LSTM, "forward", refuse)


@pytest.mark.usefixtures("old_processor")
def test_an_old_processor_trains_in_float32_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert usable_precision("bfloat16", CPU) == "float32"

    assert "training in float32" in caplog.text


@pytest.mark.usefixtures("old_processor")
def test_a_whole_run_in_bfloat16_ends_on_an_old_processor(
    tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    config = make_config(train__precision="bfloat16")
    material = Material(tiny_corpus, tiny_corpus[:3])
    made_by, resources = provenance(["asr", "train"]), Resources(max_feature_bytes=10**9)
    state = train_model(config, material, tmp_path / "m", Unwatched(), made_by, resources)

    assert state.epoch == config.train.n_epochs


@pytest.mark.usefixtures("old_processor")
def test_a_gpu_beside_an_old_processor_keeps_bfloat16() -> None:
    assert usable_precision("bfloat16", torch.device("cuda")) == "bfloat16"


def test_what_is_usable_trains_an_lstm_here() -> None:
    with autocast("cpu", usable_precision("bfloat16", CPU)):
        states, _ = nn.LSTM(8, 8)(torch.zeros(3, 1, 8))
    states.float().sum().backward()


def test_trying_draws_no_random_numbers() -> None:
    before = torch.get_rng_state()

    usable_precision("bfloat16", CPU)

    assert torch.equal(torch.get_rng_state(), before)
