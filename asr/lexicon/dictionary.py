"""Dictionary: the words of a lexicon, each with all its pronunciations."""

from pathlib import Path

from asr.errors import DataError
from asr.lexicon.read import read_lexicon
from asr.text.normalise import Normaliser

Units = tuple[str, ...]
Dictionary = dict[str, tuple[Units, ...]]  # the pronunciations of each word, at least one


def read_dictionary(path: Path, normalise: Normaliser) -> Dictionary:
    """Read words and their pronunciations, each once, in the order of the file.

    Raises:
        DataError: As `read_lexicon`; or the words have no pronunciations.
    """
    dictionary: Dictionary = {}
    for word, units in read_lexicon(path, normalise):
        if not units:
            raise DataError(f"{path}: expected words with pronunciations, got {word!r} alone")
        known = dictionary.get(word, ())
        if units not in known:
            dictionary[word] = (*known, units)
    return dictionary
