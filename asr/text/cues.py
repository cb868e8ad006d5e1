"""Cues: the words of a transcript as subtitles, broken where it reads best.

Where to break is a small optimisation over all words: a cue should end at the end of a sentence or
in a pause, cues should be about equally full, and none should have to vanish before it is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

MAX_LINE = 42  # characters; a longer word is a line of its own
MIN_CUE, MAX_CUE = 1000, 7000  # milliseconds
MIN_PAUSE = 1000  # milliseconds; a pause this long always ends a cue

# What a break costs. The scale is free; a cue of no text at all would cost 1 for its emptiness.
SHORT_COST = 20.0  # of a cue that must vanish at once
TOO_SHORT_COST = 5.0  # of one that misses `MIN_CUE` by a little: more than any break and emptiness
BREAK_COST = 1.0  # between two words that follow without a pause
CLAUSE_COST, SENTENCE_COST = 0.3, 0.0  # after a comma or the like; after a full stop or the like
HALVING_PAUSE = 200  # milliseconds; a pause so long halves the cost of a break
CLAUSE_ENDS, SENTENCE_ENDS = (",", ";", ":"), (".", "?", "!", "…")


@dataclass(frozen=True, slots=True)
class Interval:
    """A text and its half-open time in whole milliseconds, so that sums are exact."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown at a time.

    Attributes:
        words: With their own times.
        lines: One or two.
        start: Milliseconds; the end of the previous cue or later.
        end: Milliseconds, after the start: `MIN_CUE` to `MAX_CUE` later, less only where the next
            cue must begin.
    """

    words: tuple[Interval, ...]
    lines: tuple[str, ...]
    start: int
    end: int

    @property
    def text(self) -> str:
        """The lines as one."""
        return " ".join(self.lines)


def cues_of(words: Sequence[Interval]) -> list[Cue]:
    """Break words, in the order of their starts, into cues that follow one another.

    Example:
        >>> words = [Interval("Good", 0, 300), Interval("morning.", 300, 900)]
        >>> cues_of([*words, Interval("Yes?", 2500, 2600)])[1].end
        3500
    """
    breaks = _best_breaks(words)
    groups = [words[start:stop] for start, stop in pairwise([0, *breaks])]
    cues: list[Cue] = []
    for n, group in enumerate(groups):
        begin = max(group[0].start, cues[-1].end if cues else 0)
        limit = groups[n + 1][0].start if n + 1 < len(groups) else begin + MAX_CUE
        end = min(max(group[-1].end, begin + MIN_CUE), limit, begin + MAX_CUE)
        if end - begin < MIN_CUE:  # no room after it: before it, perhaps
            begin = max(end - MIN_CUE, cues[-1].end if cues else 0)
        cues.append(Cue(tuple(group), _lines(group), begin, max(end, begin + 1)))
    return cues


def _best_breaks(words: Sequence[Interval]) -> list[int]:
    """Find the cheapest breaks: before which words, but the first, a cue begins; last, their end.

    Dynamic programming over the number of words that are broken already.
    """
    fill = _line_ends(words)
    best, previous = [0.0], [0]  # of the first n words
    for stop in range(1, len(words) + 1):
        cost, start = _break_cost(words, stop), stop - 1
        least, least_start = float("inf"), start
        n_characters = -1
        while start >= 0 and (start == stop - 1 or _fit(words, fill, start, stop)):
            n_characters += len(words[start].text) + 1
            total = best[start] + cost + _cue_cost(words, start, stop, n_characters)
            if total < least:
                least, least_start = total, start
            start -= 1
        best.append(least)
        previous.append(least_start)
    breaks, stop = [], len(words)
    while stop:
        breaks.append(stop)
        stop = previous[stop]
    return breaks[::-1]


def _line_ends(words: Sequence[Interval]) -> list[int]:
    """Find, for each word, the end of a line that it begins: the first word that does not fit."""
    ends, stop, length = [], 0, -1
    for start, word in enumerate(words):
        while stop < len(words) and (
            stop == start or length + 1 + len(words[stop].text) <= MAX_LINE
        ):
            length += 1 + len(words[stop].text)
            stop += 1
        ends.append(stop)
        length -= len(word.text) + 1
    return ends


def _fit(words: Sequence[Interval], fill: Sequence[int], start: int, stop: int) -> bool:
    """Check whether a cue can hold several words."""
    second = fill[start]
    return (
        stop <= (fill[second] if second < len(words) else second)
        and words[stop - 1].end - words[start].start <= MAX_CUE
        and words[start + 1].start - words[start].end < MIN_PAUSE
    )


def _cue_cost(words: Sequence[Interval], start: int, stop: int, n_characters: int) -> float:
    """Tell how bad a cue is: how empty, and how much too short if the next begins in time."""
    emptiness = max(0.0, 1 - n_characters / (2 * MAX_LINE))
    next_start = words[stop].start if stop < len(words) else words[start].start + MIN_CUE
    missing = max(0, MIN_CUE - (next_start - words[start].start)) / MIN_CUE
    return emptiness**2 + (TOO_SHORT_COST + SHORT_COST * missing if missing else 0.0)


def _break_cost(words: Sequence[Interval], stop: int) -> float:
    """Tell how bad it is to end a cue before a word."""
    if stop == len(words) or words[stop - 1].text.endswith(SENTENCE_ENDS):
        return SENTENCE_COST
    cost = CLAUSE_COST if words[stop - 1].text.endswith(CLAUSE_ENDS) else BREAK_COST
    pause = max(0, words[stop].start - words[stop - 1].end)
    return cost * HALVING_PAUSE / (HALVING_PAUSE + pause)


def _lines(words: Sequence[Interval]) -> tuple[str, ...]:
    """Break the text of a cue into at most two lines, as equal as possible."""
    texts = [word.text for word in words]
    whole = " ".join(texts)
    if len(whole) <= MAX_LINE or len(texts) == 1:
        return (whole,)
    pairs = [(" ".join(texts[:n]), " ".join(texts[n:])) for n in range(1, len(texts))]
    return min(pairs, key=lambda pair: max(map(len, pair)))
