"""Phone set: units of a lexicon in the phones that a model has."""

import re
from collections.abc import Collection, Iterable

_DETAILS = re.compile(r"[012]?(_[BIES])?$")  # stress, as in EY1; place in the word, as in EY1_E


def phone_of_each(units: Iterable[str], phones: Collection[str]) -> dict[str, str]:
    """Drop the details of units that a model's phones lack: stress, place in the word, and case.

    A unit that is a phone stays, and so does one that is none even without its details.

    Example:
        >>> phone_of_each(["R", "EY1", "ey_E"], ["EY", "R"])
        {'R': 'R', 'EY1': 'EY', 'ey_E': 'EY'}
        >>> phone_of_each(["EY1"], ["EY0", "EY1"])
        {'EY1': 'EY1'}
    """
    by_letters = {phone.casefold(): phone for phone in phones}
    phone_of = {}
    for unit in units:
        plain = _DETAILS.sub("", unit).casefold()
        folded = by_letters.get(unit.casefold(), by_letters.get(plain, unit))
        phone_of[unit] = unit if unit in phones else folded
    return phone_of
