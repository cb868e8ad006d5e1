import dataclasses
import math

import pytest
import torch

from asr.char_lm.characters import CharacterTable
from asr.char_lm.config import CharacterModelConfig, LanguageConfig
from asr.char_lm.language_model import LanguageModel, build_language_model
from asr.char_lm.sampling import sample
from asr.errors import ConfigError

TABLE = CharacterTable("\n ABC")


@pytest.fixture
def language_model(small_language_config: LanguageConfig) -> LanguageModel:
    torch.manual_seed(0)
    network = CharacterModelConfig(cell="gru", size=8, n_layers=1, dropout=0.0)
    config = dataclasses.replace(small_language_config, model=network)
    made = build_language_model(config, TABLE)
    with torch.no_grad():
        made.model.projection.weight.mul_(5.0)
    return made


def drawn(
    language_model: LanguageModel, temperature: float, seed: int = 1, prompt: str = "AB"
) -> str:
    """Sixty characters after the prompt."""
    text = sample(language_model, prompt, n_characters=60, temperature=temperature, seed=seed)
    assert text.startswith(prompt)
    return text.removeprefix(prompt)


def test_the_same_seed_draws_the_same_text_and_another_seed_another(
    language_model: LanguageModel,
) -> None:
    assert (
        drawn(language_model, 1.0)
        == drawn(language_model, 1.0)
        != drawn(language_model, 1.0, seed=2)
    )


def test_the_text_has_the_length_that_is_asked_for(language_model: LanguageModel) -> None:
    assert len(drawn(language_model, 1.0)) == 60


def test_a_temperature_of_zero_takes_the_most_probable_and_a_low_one_comes_to_the_same(
    language_model: LanguageModel,
) -> None:
    text = drawn(language_model, 0.0)

    model = language_model.model
    ids, state = torch.tensor([[0, 2, 3]]), model.start(1)
    for character in text:
        log_probs, state = model(ids, state)
        ids = log_probs[:, -1:].argmax(2)
        assert TABLE.decode([int(ids)]) == character
    assert drawn(language_model, 1e-4, seed=7) == drawn(language_model, 1e-39, seed=7) == text


def test_the_prompt_decides_what_follows(language_model: LanguageModel) -> None:
    assert drawn(language_model, 1.0, prompt="") != drawn(language_model, 1.0, prompt="C C")


@pytest.mark.parametrize("temperature", [-0.1, math.nan, math.inf])
def test_an_impossible_temperature_is_refused(
    language_model: LanguageModel, temperature: float
) -> None:
    with pytest.raises(ConfigError, match="temperature"):
        drawn(language_model, temperature)


@pytest.mark.parametrize(("prompt", "begins"), [("a  b ", "A B "), ("Cab", "CAB"), ("", "")])
def test_the_prompt_is_normalised_but_for_a_space_at_its_end(
    language_model: LanguageModel, prompt: str, begins: str
) -> None:
    text = sample(language_model, prompt, n_characters=5, temperature=1.0, seed=1)

    assert text.startswith(begins)
    assert len(text) == len(begins) + 5
