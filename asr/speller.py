"""A speller: the second network of a model, in a folder of its own in the model's directory.

It reads what the acoustic model hears of phones, and writes text. Having learned from text alone,
it knows words that nobody said in the training speech.

speller/model.safetensors    weights
speller/config.toml          the configuration, complete, as it was trained with
speller/tokens.txt           the tokens by id (and bpe.model, where they are pieces of words)
"""

from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from asr.config import SpellingConfig, read_tree, to_toml
from asr.model.acoustic import AcousticModel
from asr.model_files import CONFIG_FILE, WEIGHTS_FILE
from asr.spelling.phone_features import phone_features
from asr.text.bpe import read_tokenizer
from asr.text.tokens import Tokenizer

SPELLER_FOLDER = "speller"


@dataclass(frozen=True, slots=True)
class Speller:
    """A network from phones to text.

    Attributes:
        config: As it was trained with.
        tokenizer: Its tokens.
        model: Reads `phone_features`, and has an output of text.
    """

    config: SpellingConfig
    tokenizer: Tokenizer
    model: AcousticModel

    @property
    def frames_heard(self) -> float:
        """Frames of phones that stand behind one frame of text."""
        return self.config.model.subsampling_factor / self.config.model.upsampling_factor

    def __call__(self, log_probs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Score every token.

        Args:
            log_probs: (B, T, V) of phones, natural log; padding is never read.
            lengths: (B,) int64, valid frames.

        Returns:
            log_probs, (B, T', V') float32 of the speller's tokens, and their lengths, (B,) int64.
        """
        result: tuple[Tensor, Tensor] = self.model(phone_features(log_probs), lengths)
        return result


def build_speller(config: SpellingConfig, tokenizer: Tokenizer, *, n_phones: int) -> Speller:
    """Make a speller with random weights, as training starts from."""
    model = AcousticModel(config.model, n_features=n_phones, n_tokens=len(tokenizer))
    return Speller(config, tokenizer, model)


def read_speller(folder: Path, *, n_phones: int) -> Speller | None:
    """Read the speller of a model directory, in evaluation mode; None if it has none.

    Raises:
        ConfigError: Its configuration is not that of a speller.
        DataError: Its tokens cannot be read.
        RuntimeError: Its weights do not fit.
    """
    folder = folder / SPELLER_FOLDER
    if not folder.is_dir():
        return None
    config = read_tree(SpellingConfig, folder / CONFIG_FILE)
    speller = build_speller(config, read_tokenizer(folder), n_phones=n_phones)
    weights = safetensors.torch.load_file(folder / WEIGHTS_FILE)
    speller.model.load_state_dict({k: tensor.float() for k, tensor in weights.items()})
    speller.model.eval().requires_grad_(False)
    return speller


def write_speller(folder: Path, speller: Speller, *, is_half: bool) -> None:
    """Write a speller into a model directory; `is_half` stores its weights in float16."""
    folder = folder / SPELLER_FOLDER
    folder.mkdir()
    stored = torch.float16 if is_half else torch.float32
    weights = {k: t.to(stored).contiguous() for k, t in speller.model.state_dict().items()}
    (folder / WEIGHTS_FILE).write_bytes(safetensors.torch.save(weights))
    (folder / CONFIG_FILE).write_text(to_toml(speller.config), encoding="utf-8")
    speller.tokenizer.write(folder)
