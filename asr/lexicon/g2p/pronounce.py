"""Pronounce: words with their pronunciations, from a dictionary where it has them."""

from collections.abc import Iterable

from asr.lexicon.dictionary import Dictionary
from asr.lexicon.g2p.pronouncer import Advance, Pronouncer


def pronounce(
    words: Iterable[str], dictionary: Dictionary, advance: Advance = lambda _done, _all: None
) -> Dictionary:
    """Give words their pronunciations, learning from a dictionary those that it lacks.

    The same words and dictionary give the same pronunciations, in whatever order the words come.

    Args:
        words: Spelled as the dictionary's.
        dictionary: See `asr.lexicon.dictionary.read_dictionary`.
        advance: Told how many of the words that it lacks are done, and of how many.

    Returns:
        The words in the order in which they first come: all pronunciations of those that the
        dictionary has, the most probable one of each other. A word is left out if the dictionary
        never has one of its letters, or if all of them seem to be silent.

    Raises:
        DataError: There is nothing to learn from (see `Pronouncer`), and a word needs it.

    Example:
        >>> dictionary = {"AT": (("a", "t"),), "HAT": (("h", "a", "t"),), "AX": (("a", "k", "s"),)}
        >>> pronounce(["HAX", "AT"], dictionary)
        {'HAX': (('h', 'a', 'k', 's'),), 'AT': (('a', 't'),)}
    """
    asked = dict.fromkeys(words)
    lacking = [word for word in asked if word not in dictionary]
    found: Dictionary = {}
    if lacking:
        pronouncer = Pronouncer(dictionary)
        can_be_said = [word for word in lacking if pronouncer.letters.issuperset(word)]
        pronounced = pronouncer.pronounce(can_be_said, advance)
        found = {word: (units,) for word, units in pronounced.items() if units}
    return {
        word: dictionary[word] if word in dictionary else found[word]
        for word in asked
        if word in dictionary or word in found
    }
