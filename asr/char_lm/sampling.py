"""Sampling: text drawn from a language model, character by character."""

import math

import torch
from torch import Tensor

from asr.char_lm.characters import END_ID
from asr.char_lm.language_model import LanguageModel
from asr.errors import ConfigError


def sample(
    language_model: LanguageModel, prompt: str, *, n_characters: int, temperature: float, seed: int
) -> str:
    """Continue a text.

    Args:
        language_model: The model.
        prompt: The beginning of a segment; may be empty.
        n_characters: How many to draw, ends of segments included.
        temperature: 1 draws from the model's distribution, less prefers probable characters; 0
            always takes the most probable one.
        seed: The only source of randomness.

    Returns:
        The prompt, normalised but for a space at its end, and its continuation, in which each
        segment's end is a line break.

    Raises:
        ConfigError: The temperature is negative or not finite.
        DataError: The prompt has a character that the model does not know.
    """
    if not 0.0 <= temperature < math.inf:
        raise ConfigError(f"the temperature must be 0 or more, got {temperature}")
    text = language_model.normalise(prompt) + " " * (prompt != prompt.rstrip())
    model, table = language_model.model, language_model.table
    generator = torch.Generator().manual_seed(seed)
    ids = torch.tensor([[END_ID, *table.encode([text])[:-1].tolist()]])
    state, drawn = model.start(1), []
    with torch.inference_mode():
        for _ in range(n_characters):
            log_probs, state = model(ids, state)
            ids = _draw(log_probs[0, -1], temperature, generator).view(1, 1)
            drawn.append(int(ids))
    return text + table.decode(drawn)


def _draw(log_probs: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """Draw one id from log probabilities (V,)."""
    if temperature == 0.0:
        return log_probs.argmax()
    return torch.multinomial(
        ((log_probs - log_probs.max()) / temperature).softmax(0), 1, generator=generator
    )
