"""The same step on a GPU as on the CPU."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from asr.model.acoustic import AcousticModel
from asr.model.dense_trigram import dense_trigram
from asr.train.objective import Ctc, CtcCrf, LossTerm, Targets
from asr.train.optimiser import adamw
from asr.train.ranks import Ranks, join_ranks
from asr.train.run import Run
from asr.train.state import STATE_FILE, RunState
from asr.train.step import StepResult, TrainingBatch, Workers, training_step
from tests.conftest import make_config

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

CONFIG = make_config(
    model__subsampling_factor=2,
    model__n_channels=2,
    model__size=32,
    model__n_layers=2,
    model__dropout=0.3,
    optimiser__learning_rate=0.001,
    optimiser__weight_decay=0.0,
)
TRIGRAM = torch.from_numpy(dense_trigram([[1, 2, 3], [4]], 5))
TEXT_ALONE: list[LossTerm] = [Ctc("text", 1.0)]
EVERYTHING: list[LossTerm] = [Ctc("text", 0.6), CtcCrf("phones", 0.4, 0.9, TRIGRAM)]


def make_model(device: torch.device, heads: dict[str, int]) -> AcousticModel:
    torch.manual_seed(0)
    return AcousticModel(CONFIG.model, n_features=20, heads=heads).to(device)


def make_batch(device: torch.device, *, has_phones: bool, has_text: bool) -> TrainingBatch:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(3, 80, 20, generator=generator)
    text = torch.randint(1, 9, (3, 12), generator=generator)
    targets: dict[str, Targets] = {"text": Targets(text, torch.tensor([12, 9, 3]))}
    if has_phones:
        phones = torch.tensor([[1, 2, 3, 4], [4, 3, 0, 0], [1, 0, 0, 0]])
        targets["phones"] = Targets(phones, torch.tensor([4, 2, 1]))
    if not has_text:
        none = Targets(torch.zeros(3, 0, dtype=torch.int64), torch.zeros(3, dtype=torch.int64))
        targets = dict.fromkeys(targets, none)
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
    device: torch.device,
    terms: list[LossTerm],
    precision: str = "float32",
    *,
    has_text: bool = True,
) -> tuple[StepResult, Tensor]:
    """Make one step; return what it did, and its gradient before clipping would change it."""
    has_phones = len(terms) > 1
    heads = {"text": 9, "phones": 5} if has_phones else {"text": 9}
    model, ranks = make_model(device, heads), Ranks(0, 1, device)
    with ThreadPoolExecutor(1) as pool:
        result = training_step(
            model,
            adamw(model, CONFIG.optimiser),
            make_batch(device, has_phones=has_phones, has_text=has_text),
            Workers(ranks, pool, 1),
            terms=terms,
            precision=precision,
            max_gradient_norm=1e9,
        )
    gradients = [p.grad.flatten().cpu() for p in model.parameters() if p.grad is not None]
    return result, torch.cat(gradients)


@pytest.mark.parametrize("terms", [TEXT_ALONE, EVERYTHING])
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-2), ("bfloat16", 0.1)])
def test_a_step_on_a_gpu_has_the_gradient_of_one_on_the_cpu(
    precision: str, tolerance: float, terms: list[LossTerm]
) -> None:
    expected, gradient = step_on(torch.device("cpu"), terms)

    with join_ranks("cuda") as ranks:
        got, other = step_on(ranks.device, terms, precision)

    assert got.loss == pytest.approx(expected.loss, rel=tolerance)
    assert float((other - gradient).norm() / gradient.norm()) < tolerance


def test_a_batch_in_which_every_text_is_empty_has_the_gradient_of_the_cpu() -> None:
    expected, gradient = step_on(torch.device("cpu"), EVERYTHING, has_text=False)

    with join_ranks("cuda") as ranks:
        got, other = step_on(ranks.device, EVERYTHING, has_text=False)

    assert got.loss == pytest.approx(expected.loss, rel=1e-2)
    assert float((other - gradient).norm() / gradient.norm()) < 1e-2


def test_a_state_saved_on_a_gpu_is_loaded_on_the_cpu_and_back(tmp_path: Path) -> None:
    states: list[dict[str, Tensor]] = []
    for device in ("cuda", "cpu", "cuda"):
        model = make_model(torch.device(device), {"text": 9})
        optimiser = adamw(model, CONFIG.optimiser)
        counters = RunState(fingerprint="same")
        run = Run(tmp_path, counters, {"model": model}, optimiser, checkpoint_minutes=60.0)
        if not states:
            for parameter in model.parameters():
                parameter.grad = torch.ones_like(parameter)
            optimiser.step()
        run.save()
        states.append(load_file(tmp_path / STATE_FILE))

    assert states[0].keys() == states[1].keys() == states[2].keys()
    for name, tensor in states[0].items():
        assert torch.equal(tensor, states[1][name])
        assert torch.equal(tensor, states[2][name])
