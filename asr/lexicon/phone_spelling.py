"""Phone spelling: text becomes the phones of a lexicon, for training."""

from collections.abc import Iterable, Sequence

from asr.errors import DataError
from asr.lexicon.read import Pronunciation
from asr.text.tokens import BLANK, TokenTable


class PhoneSpeller:
    """Spells text in phones, each word by its first pronunciation.

    Args:
        lexicon: Words and their phones.

    Raises:
        DataError: The words have no pronunciations.
    """

    def __init__(self, lexicon: Iterable[Pronunciation]) -> None:
        self._phones: dict[str, tuple[str, ...]] = {}
        for word, phones in lexicon:
            self._phones.setdefault(word, phones)
        if not any(self._phones.values()):
            raise DataError("the lexicon is a list of words without pronunciations")

    def table(self) -> TokenTable:
        """Make the tokens of a model that outputs these phones; none marks the end of a word."""
        phones = {phone for own in self._phones.values() for phone in own}
        return TokenTable((BLANK, *sorted(phones)))

    def spell(self, text: str) -> Sequence[str]:
        """Spell normalised text.

        Raises:
            DataError: The lexicon lacks a word.
        """
        try:
            return [phone for word in text.split() for phone in self._phones[word]]
        except KeyError as missing:
            raise DataError(
                f"the lexicon lacks the word {missing.args[0]!r}; `asr lexicon` adds "
                "pronunciations of words that a dictionary lacks"
            ) from None
