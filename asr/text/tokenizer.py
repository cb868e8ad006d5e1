"""Which tokens a model emits: chosen by configuration and made from the training text."""

from collections.abc import Sequence
from dataclasses import dataclass

from asr.errors import ConfigError
from asr.text.bpe import train_bpe
from asr.text.normalise import NORMALISERS
from asr.text.tokens import Tokenizer, TokenTable

UNITS = ("char", "bpe")


@dataclass(frozen=True, slots=True)
class TextConfig:
    """How transcripts become tokens.

    Attributes:
        normaliser: Name of the normaliser of training transcripts and of scored text.
        units: "char", or "bpe" for pieces of words.
        n_tokens: Size of the table for BPE, blank included; 0 for characters, which the text gives.
    """

    normaliser: str
    units: str
    n_tokens: int

    def __post_init__(self) -> None:
        """Refuse what cannot be made."""
        if self.normaliser not in NORMALISERS:
            raise ConfigError(
                f"text.normaliser must be one of {sorted(NORMALISERS)}, got {self.normaliser!r}"
            )
        if self.units not in UNITS:
            raise ConfigError(f"text.units must be one of {UNITS}, got {self.units!r}")
        if self.n_tokens < 0 or (self.units == "char") != (self.n_tokens == 0):
            raise ConfigError(
                f"text.n_tokens must be 0 for characters and positive for BPE, got {self.n_tokens}"
            )


def make_tokenizer(texts: Sequence[str], config: TextConfig) -> Tokenizer:
    """Make the tokens of normalised training texts.

    Raises:
        DataError: The texts give no tokens, or not so many.
    """
    if config.units == "bpe":
        return train_bpe(texts, config.n_tokens)
    return TokenTable.from_text(texts)
