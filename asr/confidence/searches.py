"""Searches: their kinds, of which each has a calibration of its own.

What a search's confidences are worth depends on what it knows: a language model makes up for
letters that were not heard, so that words of low confidence are often right.
"""

SEARCHES = ("greedy", "beam", "beam-lm", "phones", "phones-lm")


def search_kind(*, is_beam: bool, is_pronounced: bool, has_lm: bool) -> str:
    """Name the kind of a search.

    Args:
        is_beam: Not greedy.
        is_pronounced: By a lexicon with pronunciations.
        has_lm: With a language model of words.

    Example:
        >>> search_kind(is_beam=True, is_pronounced=False, has_lm=True)
        'beam-lm'
    """
    if not is_beam:
        return "greedy"
    return ("phones" if is_pronounced else "beam") + ("-lm" if has_lm else "")
