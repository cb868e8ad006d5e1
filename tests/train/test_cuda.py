"""The same step on a GPU as on the CPU."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor

from asr.model.acoustic import AcousticModel, ModelConfig, Output
from asr.model.dense_trigram import dense_trigram
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
TEXT_ALONE = Objective(0.0, 0.0, 0.0, 0.0, n_layers=2)
TRIGRAM = torch.from_numpy(dense_trigram([[1, 2, 3], [4]], 5))
EVERYTHING = Objective(0.4, 0.9, 0.3, 0.1, n_layers=2, phone_trigram=TRIGRAM)


def make_model(device: torch.device, n_phones: int = 0) -> AcousticModel:
    torch.manual_seed(0)
    config = ModelConfig(2, 2, 1, "lstm", 32, 2, bidirectional=True, dropout=0.3)
    return AcousticModel(config, n_features=20, n_tokens=9, n_phones=n_phones).to(device)


def make_batch(device: torch.device, *, has_phones: bool) -> TrainingBatch:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(3, 80, 20, generator=generator)
    text = torch.randint(1, 9, (3, 12), generator=generator)
    targets: dict[Output, Targets] = {"text": Targets(text, torch.tensor([12, 9, 3]))}
    if has_phones:
        phones = torch.tensor([[1, 2, 3, 4], [4, 3, 0, 0], [1, 0, 0, 0]])
        targets["phones"] = Targets(phones, torch.tensor([4, 2, 1]))
    return TrainingBatch(
        ids=("a", "b", "c"),
        rows=slice(3),
        features=features,
        lengths=torch.tensor([80, 60, 31]),
        targets=targets,
        duration=2.0,
        seed=1,
        strength=1.0,
    ).to(device)


def step_on(
    device: torch.device, objective: Objective, precision: str = "float32"
) -> tuple[StepResult, Tensor]:
    """Make one step; return what it did, and its gradient before clipping would change it."""
    has_phones = objective.phone_weight > 0
    model, ranks = make_model(device, 5 if has_phones else 0), Ranks(0, 1, device)
    with ThreadPoolExecutor(1) as pool:
        result = training_step(
            model,
            adamw(model, OPTIMISER),
            make_batch(device, has_phones=has_phones),
            Workers(ranks, pool, 1),
            objective=objective,
            precision=precision,
            max_gradient_norm=1e9,
        )
    gradients = [p.grad.flatten().cpu() for p in model.parameters() if p.grad is not None]
    return result, torch.cat(gradients)


@pytest.mark.parametrize("objective", [TEXT_ALONE, EVERYTHING])
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-2), ("bfloat16", 0.1)])
def test_a_step_on_a_gpu_has_the_gradient_of_one_on_the_cpu(
    precision: str, tolerance: float, objective: Objective
) -> None:
    expected, gradient = step_on(torch.device("cpu"), objective)

    with join_ranks("cuda") as ranks:
        got, other = step_on(ranks.device, objective, precision)

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
