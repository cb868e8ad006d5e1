import math

import pytest
import torch

from asr.char_lm.characters import CharacterTable
from asr.char_lm.config import CharacterModelConfig
from asr.char_lm.network import CharacterModel
from asr.char_lm.sampling import sample
from asr.errors import ConfigError

TABLE = CharacterTable("\n ABC")


@pytest.fixture
def model() -> CharacterModel:
    torch.manual_seed(0)
    model = CharacterModel(
        CharacterModelConfig(cell="gru", size=8, n_layers=1, dropout=0.0), n_characters=5
    )
    with torch.no_grad():
        model.projection.weight.mul_(5.0)
    return model


def write(model: CharacterModel, temperature: float, seed: int = 1, prompt: str = "AB") -> str:
    return sample(model, TABLE, prompt, n_characters=60, temperature=temperature, seed=seed)


def test_the_same_seed_writes_the_same_and_another_seed_something_else(
    model: CharacterModel,
) -> None:
    assert write(model, 1.0) == write(model, 1.0) != write(model, 1.0, seed=2)


def test_so_many_characters_are_written(model: CharacterModel) -> None:
    assert len(write(model, 1.0)) == 60


def test_a_temperature_of_zero_takes_the_most_probable_and_a_low_one_comes_to_the_same(
    model: CharacterModel,
) -> None:
    written = write(model, 0.0)

    ids, state = torch.tensor([[0, 2, 3]]), model.start(1)
    for character in written:
        log_probs, state = model(ids, state)
        ids = log_probs[:, -1:].argmax(2)
        assert TABLE.decode([int(ids)]) == character
    assert write(model, 1e-4, seed=7) == written


def test_the_prompt_decides_what_follows(model: CharacterModel) -> None:
    assert write(model, 1.0, prompt="") != write(model, 1.0, prompt="C C")


@pytest.mark.parametrize("temperature", [-0.1, math.nan, math.inf])
def test_an_impossible_temperature_is_refused(model: CharacterModel, temperature: float) -> None:
    with pytest.raises(ConfigError, match="temperature"):
        write(model, temperature)
