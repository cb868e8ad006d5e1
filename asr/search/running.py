"""Running search: an emission that arrives in pieces, and its words as soon as they are settled.

The beam search settles what all its prefixes share: the words before the last one that begins in
every prefix. They cannot change any more, so they leave the tree, and their frames the memory. The
words are those of a search of the whole, since nothing is lost but prefixes that were lost anyway.
Only where the prefixes disagree for longer than a patience does the best one decide alone.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from asr.search.emission import BLANK, Emission
from asr.search.greedy import search_greedily
from asr.search.hypothesis import Hypothesis, later

PATIENCE = 1500  # frames; a minute at 25 a second


class RunningSearch(Protocol):
    """Reads the frames of one recording in order. Frames count from the recording's start.

    Attributes:
        first_frame: The first that is not settled; the next word begins there or later.
    """

    first_frame: int

    def read(self, emission: Emission) -> list[Hypothesis]:
        """Search the next frames, (T, V); return what that settles, in order."""

    def finish(self) -> list[Hypothesis]:
        """Return the best hypotheses of what is not settled yet, best first, at least one."""


class RunningGreedySearch:
    """The greedy search of a recording in pieces: the same tokens and frames as of the whole.

    Args:
        begins_word: (V,) bool, which tokens end a word and begin another.
        patience: Frames after which a word without end is settled.
    """

    def __init__(self, begins_word: NDArray[np.bool_], *, patience: int = PATIENCE) -> None:
        self._begins_word, self._patience = begins_word, patience
        self._emission, self.first_frame = np.zeros((0, len(begins_word))), 0

    def read(self, emission: Emission) -> list[Hypothesis]:
        """Search the next frames; the words before the last boundary between two are settled."""
        self._emission = np.concatenate([self._emission, emission])
        alignment = self._emission.argmax(axis=1)
        is_start = np.append(True, alignment[1:] != alignment[:-1])
        starts = np.flatnonzero(is_start & self._begins_word[alignment])
        if len(self._emission) > self._patience and (not len(starts) or not starts[-1]):
            # a word without end is cut between tokens; silence without end, between any two frames
            starts = np.flatnonzero(is_start | (alignment == BLANK))
        if not len(starts) or not starts[-1]:
            return []
        settled = search_greedily(self._emission[: starts[-1]])
        settled = later(settled, self.first_frame)
        self._emission = self._emission[starts[-1] :]
        self.first_frame += int(starts[-1])
        return [settled]

    def finish(self) -> list[Hypothesis]:
        """Return the one hypothesis of the frames that are left."""
        return [later(search_greedily(self._emission), self.first_frame)]
