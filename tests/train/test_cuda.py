"""The same step on a GPU as on the CPU."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor

from asr.model.acoustic import AcousticModel, ModelConfig
from asr.train.objective import Objective
from asr.train.optimiser import OptimiserConfig, adamw
from asr.train.ranks import Ranks, join_ranks
from asr.train.state import RunState, load_state, save_state
from asr.train.step import StepResult, Targets, TrainingBatch, Workers, training_step

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

OPTIMISER = OptimiserConfig("cosine", 0.001, 0.0, 0.0, 1.0, 0.0, 1.0)


def make_model(device: torch.device) -> AcousticModel:
    torch.manual_seed(0)
    config = ModelConfig(2, 2, 1, "lstm", 32, 2, bidirectional=True, dropout=0.3)
    return AcousticModel(config, n_features=20, n_tokens=9).to(device)


def make_batch(device: torch.device) -> TrainingBatch:
    generator = torch.Generator().manual_seed(0)
    return TrainingBatch(
        ids=("a", "b", "c"),
        rows=slice(3),
        features=torch.randn(3, 80, 20, generator=generator),
        lengths=torch.tensor([80, 60, 31]),
        targets={
            "text": Targets(
                torch.randint(1, 9, (3, 12), generator=generator), torch.tensor([12, 9, 3])
            )
        },
        duration=2.0,
        seed=1,
        strength=1.0,
    ).to(device)


def step_on(device: torch.device, precision: str = "float32") -> tuple[StepResult, Tensor]:
    """Make one step; return what it did, and its gradient before clipping would change it."""
    model, ranks = make_model(device), Ranks(0, 1, device)
    with ThreadPoolExecutor(1) as pool:
        result = training_step(
            model,
            adamw(model, OPTIMISER),
            make_batch(device),
            Workers(ranks, pool, 1),
            objective=Objective(0.0, 0.0, 0.0, 0.0, n_layers=2),
            precision=precision,
            max_gradient_norm=1e9,
        )
    gradients = [p.grad.flatten().cpu() for p in model.parameters() if p.grad is not None]
    return result, torch.cat(gradients)


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-2), ("bfloat16", 0.1)])
def test_a_step_on_a_gpu_has_the_gradient_of_one_on_the_cpu(
    precision: str, tolerance: float
) -> None:
    expected, gradient = step_on(torch.device("cpu"))

    with join_ranks("cuda") as ranks:
        got, other = step_on(ranks.device, precision)

    assert got.loss == pytest.approx(expected.loss, rel=tolerance)
    assert float((other - gradient).norm() / gradient.norm()) < tolerance


def test_a_state_saved_on_a_gpu_is_loaded_on_the_cpu_and_back(tmp_path: Path) -> None:
    path, run = tmp_path / "state.safetensors", RunState(step=1, fingerprint="same")
    states = []
    for device in ("cuda", "cpu", "cuda"):
        model = make_model(torch.device(device))
        optimiser = adamw(model, OPTIMISER)
        if path.exists():
            load_state(path, RunState(fingerprint="same"), {"model": model}, optimiser)
        else:
            for parameter in model.parameters():
                parameter.grad = torch.ones_like(parameter)
            optimiser.step()
        save_state(path, run, {"model": model}, optimiser)
        states.append(path.read_bytes())

    assert states[0] == states[1] == states[2]
