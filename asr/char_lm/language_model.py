"""A language model's directory: everything that scoring needs, and nothing that runs code.

model.safetensors    weights
config.toml          the configuration, complete, as it was trained with
tokens.txt           the characters by id
README.md            the model card
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError

from asr.char_lm.characters import CharacterTable
from asr.char_lm.network import CharacterModel
from asr.char_lm.sampling import sample
from asr.char_lm.scores import CharacterPerplexity, character_perplexity, score_segments
from asr.checkpoint.directory import CARD_FILE, CONFIG_FILE, WEIGHTS_FILE, staging, swap_in
from asr.config import LanguageConfig, read_tree, to_toml
from asr.errors import ConfigError, DataError, ModelError
from asr.text.normalise import normaliser


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A recurrent language model over characters; it normalises whatever text it is given."""

    config: LanguageConfig
    table: CharacterTable
    model: CharacterModel

    def log_probs(self, texts: Sequence[str]) -> list[float]:
        """Compute the natural log of each text's probability as a segment, its end included."""
        return score_segments(self.model, self.table, self._normalised(texts))

    def perplexity(self, texts: Sequence[str]) -> CharacterPerplexity:
        """Score a text, segment by segment; one that normalises to nothing is none.

        Raises:
            DataError: There is no segment, or a character that the model does not know.
        """
        segments = [segment for segment in self._normalised(texts) if segment]
        return character_perplexity(self.model, self.table, segments)

    def sample(self, prompt: str, *, n_characters: int, temperature: float, seed: int) -> str:
        """Go on with a text; see `asr.char_lm.sampling.sample`.

        Returns:
            The prompt, normalised but for a space at its end, and what the model wrote behind it.
        """
        text = self._normalised([prompt])[0] + " " * (prompt != prompt.rstrip())
        return text + sample(
            self.model,
            self.table,
            text,
            n_characters=n_characters,
            temperature=temperature,
            seed=seed,
        )

    def _normalised(self, texts: Sequence[str]) -> list[str]:
        return list(map(normaliser(self.config.normaliser), texts))


def build_language_model(config: LanguageConfig, table: CharacterTable) -> LanguageModel:
    """Make a model with random weights, as training starts from."""
    return LanguageModel(config, table, CharacterModel(config.model, n_characters=len(table)))


def save_language_model(folder: Path, language_model: LanguageModel, *, card: str) -> None:
    """Write a model directory beside `folder`, then put it in its place.

    Raises:
        ModelError: `folder` holds something that is no model.
    """
    beside = staging(folder)
    beside.mkdir(parents=True)
    weights = {k: v.contiguous() for k, v in language_model.model.state_dict().items()}
    (beside / WEIGHTS_FILE).write_bytes(safetensors.torch.save(weights))
    (beside / CONFIG_FILE).write_text(to_toml(language_model.config), encoding="utf-8")
    language_model.table.write(beside)
    (beside / CARD_FILE).write_text(card, encoding="utf-8")
    swap_in(beside, folder)


def load_language_model(folder: Path) -> LanguageModel:
    """Read a model directory.

    Returns:
        The model, without gradients, in float32.

    Raises:
        ModelError: The folder or a file is missing, or they do not make a language model.
    """
    if not (folder / WEIGHTS_FILE).is_file():
        raise ModelError(f"{folder}: not a model directory: expected {WEIGHTS_FILE} in it")
    try:
        config = read_tree(LanguageConfig, folder / CONFIG_FILE)
        language_model = build_language_model(config, CharacterTable.read(folder))
        tensors = safetensors.torch.load_file(folder / WEIGHTS_FILE)
        language_model.model.load_state_dict({k: v.float() for k, v in tensors.items()})
    except (ConfigError, DataError, SafetensorError, RuntimeError) as error:
        raise ModelError(f"{folder}: its files do not make a language model: {error}") from error
    language_model.model.eval().requires_grad_(False)
    return language_model
