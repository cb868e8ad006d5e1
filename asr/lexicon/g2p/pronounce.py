"""Pronounce: words get their pronunciations, from a dictionary if it has them."""

from collections.abc import Iterable

from asr.lexicon.dictionary import Dictionary
from asr.lexicon.g2p.pronouncer import Advance, Pronouncer


def pronounce(
    words: Iterable[str], dictionary: Dictionary, advance: Advance = lambda _done, _all: None
) -> Dictionary:
    """Pronounce words by a dictionary, and those that it lacks by a model learned from it.

    The pronunciations do not depend on the order of the words.

    Args:
        words: Spelled as in the dictionary.
        dictionary: See `asr.lexicon.dictionary.read_dictionary`.
        advance: Called with the number of words done, and of all words that the dictionary lacks.

    Returns:
        The words in order of their first appearance, those of the dictionary with all their
        pronunciations, the others with the most probable one. A word is left out if the dictionary
        lacks one of its letters, or if all its letters are found to be silent.

    Raises:
        DataError: A word needs the model, and there is nothing to learn it from.

    Example:
        >>> dictionary = {"AT": (("a", "t"),), "HAT": (("h", "a", "t"),), "AX": (("a", "k", "s"),)}
        >>> pronounce(["HAX", "AT"], dictionary)
        {'HAX': (('h', 'a', 'k', 's'),), 'AT': (('a', 't'),)}
    """
    distinct = dict.fromkeys(words)
    pronunciations = {word: dictionary[word] for word in distinct if word in dictionary}
    if lacking := [word for word in distinct if word not in dictionary]:
        pronouncer = Pronouncer(dictionary)
        pronounceable = [word for word in lacking if pronouncer.letters.keys() >= set(word)]
        pronounced = pronouncer.pronounce(pronounceable, advance)
        pronunciations |= {word: (units,) for word, units in pronounced.items() if units}
    return {word: pronunciations[word] for word in distinct if word in pronunciations}
