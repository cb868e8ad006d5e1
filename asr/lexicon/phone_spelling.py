"""Phone spelling: text becomes the phones of a lexicon, for training."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from asr.errors import DataError
from asr.lexicon.read import Pronunciation
from asr.text.tokens import BLANK, TokenTable


@dataclass(frozen=True, slots=True)
class PhoneSpeller:
    """Spells text in phones, each word by its first pronunciation.

    Args:
        pronunciations: Phones by word.
    """

    pronunciations: dict[str, tuple[str, ...]]

    @classmethod
    def from_entries(cls, entries: Iterable[Pronunciation]) -> "PhoneSpeller":
        """Keep the first pronunciation of each word.

        Raises:
            DataError: The entries have no pronunciations.
        """
        pronunciations: dict[str, tuple[str, ...]] = {}
        for word, units in entries:
            pronunciations.setdefault(word, units)
        if not any(pronunciations.values()):
            raise DataError("the lexicon is a list of words without pronunciations")
        return cls(pronunciations)

    def table(self) -> TokenTable:
        """Make the tokens of a model that outputs these phones; none marks the end of a word."""
        phones = {phone for units in self.pronunciations.values() for phone in units}
        return TokenTable((BLANK, *sorted(phones)))

    def spell(self, text: str) -> Sequence[str]:
        """Spell normalised text.

        Raises:
            DataError: The lexicon lacks a word.
        """
        try:
            return [phone for word in text.split() for phone in self.pronunciations[word]]
        except KeyError as missing:
            raise DataError(
                f"the lexicon lacks the word {missing.args[0]!r}; `asr lexicon` adds "
                "pronunciations of words that a dictionary lacks"
            ) from None
