"""Searches: their kinds, each with a calibration of its own.

What a search knows changes what its confidences mean: a language model corrects letters that the
network got wrong, so that words of low confidence are often correct.
"""

SEARCHES = ("greedy", "beam", "beam-lm", "phones", "phones-lm")


def search_kind(*, is_beam: bool, is_pronounced: bool, has_lm: bool) -> str:
    """Name the kind of a search.

    Args:
        is_beam: Whether it is a beam search; if not, it is greedy.
        is_pronounced: Whether its lexicon has pronunciations.
        has_lm: Whether it has a language model of words.

    Example:
        >>> search_kind(is_beam=True, is_pronounced=False, has_lm=True)
        'beam-lm'
    """
    if not is_beam:
        return "greedy"
    return ("phones" if is_pronounced else "beam") + ("-lm" if has_lm else "")
