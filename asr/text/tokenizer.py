"""Tokenizers: made as a head's configuration says, and read from a model directory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from asr.errors import ConfigError, DataError
from asr.text.bpe import BpeTokenizer, bpe_file, train_bpe
from asr.text.normalise import NORMALISERS
from asr.text.tokens import TokenTable, tokens_file

Tokenizer = TokenTable | BpeTokenizer


@dataclass(frozen=True, slots=True)
class TextConfig:
    """The normaliser, by name, of training transcripts and of scored text."""

    normaliser: str

    def __post_init__(self) -> None:
        if self.normaliser not in NORMALISERS:
            raise ConfigError(
                f"text.normaliser must be one of {sorted(NORMALISERS)}, got {self.normaliser!r}"
            )


@dataclass(frozen=True, slots=True)
class HeadConfig:
    """The tokens that a head emits.

    Attributes:
        units: "char", "bpe" for pieces of words, or "phones" for those of the lexicon.
        n_tokens: Number of BPE tokens, blank included; 0 for the other units, whose number follows
            from the training text or the lexicon.
    """

    units: Literal["char", "bpe", "phones"]
    n_tokens: int

    def __post_init__(self) -> None:
        if self.n_tokens < 0 or (self.units == "bpe") != (self.n_tokens > 0):
            raise ConfigError(
                'heads: n_tokens must be positive for units = "bpe" and 0 for all others, '
                f"got {self.n_tokens} for {self.units!r}"
            )


def make_tokenizer(texts: Sequence[str], config: HeadConfig) -> Tokenizer:
    """Make the tokens of normalised training texts.

    Raises:
        DataError: The texts give no tokens, or not that many.
        ConfigError: The units are phones, which come from a lexicon: see `PhoneSpeller.table`.
    """
    if config.units == "phones":
        raise ConfigError('units = "phones": the tokens come from a lexicon, not from text')
    if config.units == "bpe":
        return train_bpe(texts, config.n_tokens)
    return TokenTable.from_text(texts)


def read_tokenizer(folder: Path, name: str) -> Tokenizer:
    """Read the tokens called `name`: BPE if there is such a model, else a plain table.

    Raises:
        DataError: A file is missing or damaged, or the two disagree.
    """
    table = TokenTable.read(folder, name)
    if not (folder / bpe_file(name)).exists():
        return table
    tokenizer = BpeTokenizer.read(folder, name)
    if tokenizer.table != table:
        raise DataError(
            f"{folder / bpe_file(name)}: its pieces are not the tokens of {tokens_file(name)}"
        )
    return tokenizer
