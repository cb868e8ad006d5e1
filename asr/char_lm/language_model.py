"""A language model and its directory, in which nothing runs code.

model.safetensors    weights
config.toml          the format's version, then the configuration that the model was trained with
tokens.txt           the characters by id
README.md            the model card
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError

from asr.char_lm.characters import CharacterTable
from asr.char_lm.config import LanguageConfig
from asr.char_lm.network import CharacterModel
from asr.char_lm.scores import CharacterPerplexity, Map, score_segments
from asr.checkpoint.directory import (
    CARD_FILE,
    WEIGHTS_FILE,
    check_replaceable,
    read_stored_config,
    write_stored_config,
)
from asr.errors import ConfigError, DataError, ModelError
from asr.files import replacing_folder
from asr.text.normalise import Normaliser, normaliser

_CONVERSION = "in its config.toml, remove optimiser.schedule and put `format = 2` on the first line"


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A recurrent language model over characters. It normalises the text that it is given."""

    config: LanguageConfig
    table: CharacterTable
    model: CharacterModel

    def log_probs(self, texts: Sequence[str]) -> list[float]:
        """Compute the natural log of each text's probability as a segment, its end included."""
        return score_segments(self.model, self.table, list(map(self.normalise, texts)))

    def perplexity(self, texts: Sequence[str], each: Map = map) -> CharacterPerplexity:
        """Score segments, each alone; those that normalise to nothing are left out.

        Args:
            texts: The segments.
            each: See `score_segments`.

        Raises:
            DataError: There is no segment, or a character that the model does not know.
        """
        segments = [segment for text in texts if (segment := self.normalise(text))]
        if not segments:
            raise DataError("expected a text to score, got one without words")
        return CharacterPerplexity(
            n_segments=len(segments),
            n_words=sum(len(segment.split()) for segment in segments),
            n_characters=sum(map(len, segments)),
            log_prob=math.fsum(score_segments(self.model, self.table, segments, each)),
        )

    @property
    def normalise(self) -> Normaliser:
        """Normalises as the training text was."""
        return normaliser(self.config.normaliser)


def build_language_model(config: LanguageConfig, table: CharacterTable) -> LanguageModel:
    """Make a model with random weights, as training starts from."""
    return LanguageModel(config, table, CharacterModel(config.model, n_characters=len(table)))


def save_language_model(folder: Path, language_model: LanguageModel, *, card: str) -> None:
    """Write a model directory, complete or not at all.

    Raises:
        ModelError: `folder` holds something that is not a model.
    """
    check_replaceable(folder)
    weights = {k: v.contiguous() for k, v in language_model.model.state_dict().items()}
    with replacing_folder(folder) as made:
        (made / WEIGHTS_FILE).write_bytes(safetensors.torch.save(weights))
        write_stored_config(made, language_model.config)
        language_model.table.write(made)
        (made / CARD_FILE).write_text(card, encoding="utf-8")


def load_language_model(folder: Path) -> LanguageModel:
    """Read a model directory.

    Returns:
        The model, without gradients, in float32.

    Raises:
        ModelError: The folder or a file is missing, of another format, or not of a language model.
    """
    if not (folder / WEIGHTS_FILE).is_file():
        raise ModelError(f"{folder}: not a model directory: expected {WEIGHTS_FILE} in it")
    try:
        config = read_stored_config(LanguageConfig, folder, conversion=_CONVERSION)
        language_model = build_language_model(config, CharacterTable.read(folder))
        tensors = safetensors.torch.load_file(folder / WEIGHTS_FILE)
        language_model.model.load_state_dict({k: v.float() for k, v in tensors.items()})
    except (ConfigError, DataError, SafetensorError, RuntimeError) as error:
        raise ModelError(f"{folder}: its files do not make a language model: {error}") from error
    language_model.model.eval().requires_grad_(False)
    return language_model
