"""Phone set: pronunciations in the phones that a model has."""

import re
from collections.abc import Collection, Sequence

_DETAILS = re.compile(r"[012]?(_[BIES])?$")  # stress, as in EY1; place in the word, as in EY1_E


def in_phones(pronunciations: Sequence[str], phones: Collection[str]) -> list[str]:
    """Drop the details of units that a model's phones lack: stress, place in the word, and case.

    A unit that is a phone stays, and so does one that is none even without its details.

    Example:
        >>> in_phones(["R EY1", "r_B ey_E"], ["EY", "R"])
        ['R EY', 'R EY']
        >>> in_phones(["R EY1"], ["EY0", "EY1", "R"])
        ['R EY1']
    """
    by_letters = {phone.casefold(): phone for phone in phones}
    phone_of = {}
    for unit in set(" ".join(pronunciations).split()).difference(phones):
        plain = _DETAILS.sub("", unit).casefold()
        phone_of[unit] = by_letters.get(unit.casefold(), by_letters.get(plain, unit))
    if not phone_of:
        return list(pronunciations)
    return [" ".join([phone_of.get(u, u) for u in units.split()]) for units in pronunciations]
