from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from asr.char_lm.config import CharacterModelConfig
from asr.char_lm.network import CharacterModel
from asr.char_lm.step import Chunk, language_step
from asr.errors import TrainingError


def make_model() -> CharacterModel:
    torch.manual_seed(0)
    return CharacterModel(
        CharacterModelConfig(cell="lstm", size=8, n_layers=2, dropout=0.3), n_characters=5
    )


def make_chunk(model: CharacterModel) -> Chunk:
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, 5, (5, 9), generator=generator)
    _, state = model(ids, model.start(5))
    dropout = model.draw_dropout(5, generator)
    return Chunk(ids[:, :-1], ids[:, 1:], state.detach(), dropout)


def step(
    model: CharacterModel, chunk: Chunk, n_shards: int = 2, rate: float = 0.1
) -> tuple[float, torch.Tensor]:
    with ThreadPoolExecutor(n_shards) as pool:
        return language_step(
            model,
            torch.optim.SGD(model.parameters(), lr=rate),
            chunk,
            precision="float32",
            max_gradient_norm=1.0,
            pool=pool,
            n_shards=n_shards,
        )


def weights(model: CharacterModel) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()]).clone()


def test_a_step_lowers_the_loss_of_its_chunk() -> None:
    model = make_model()
    chunk = make_chunk(model)

    losses = [step(model, chunk)[0] for _ in range(5)]

    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("n_shards", [2, 3, 5])
def test_the_number_of_shards_changes_nothing_but_rounding(n_shards: int) -> None:
    whole, cut = make_model(), make_model()

    expected_loss, expected_state = step(whole, make_chunk(whole), n_shards=1)
    loss, state = step(cut, make_chunk(cut), n_shards=n_shards)

    assert loss == pytest.approx(expected_loss)
    torch.testing.assert_close(state, expected_state)
    torch.testing.assert_close(weights(cut), weights(whole))


def test_a_step_is_no_longer_than_the_greatest_norm_allows() -> None:
    model = make_model()
    with torch.no_grad():
        model.projection.weight.mul_(50.0)
    chunk, before = make_chunk(model), weights(model)

    step(model, chunk, rate=1.0)

    assert (weights(model) - before).norm() == pytest.approx(1.0, abs=1e-3)


def test_a_loss_that_is_not_finite_stops_before_the_update() -> None:
    model = make_model()
    chunk = make_chunk(model)
    chunk.state[0, 0, 3] = float("nan")
    before = weights(model)

    with pytest.raises(TrainingError, match="the loss is nan"):
        step(model, chunk)

    assert torch.equal(weights(model), before)
