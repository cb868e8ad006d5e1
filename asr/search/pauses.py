"""Pauses: where a sentence or a clause ends, as the language model has it, within a recording.

A language model has learned from sentences and clauses. Across the pause between two of them, what
it knows of the end of one says nothing about the next, and costs words. So the search ends where
the blank has been sure for a while, and begins anew. Nothing else is lost by that: hardly a word
lasts through a pause.
"""

import math
from collections.abc import Iterator

import numpy as np

from asr.search.emission import BLANK, Emission

SURE_BLANK = 0.99  # in a pause, frame by frame


class Pauses:
    """Finds the pauses of a recording whose emission arrives in pieces.

    Args:
        n_frames: Sure blanks in a row that end a sentence; None: none do.

    Attributes:
        n_blanks: Sure blanks up to the present frame; before the first, as many as end a sentence.
    """

    def __init__(self, n_frames: int | None) -> None:
        self._n_frames = n_frames
        self.n_blanks = n_frames or 0

    @property
    def is_pause(self) -> bool:
        """Whether nothing was said since the last sentence."""
        return self._n_frames is not None and self.n_blanks >= self._n_frames

    def parts(self, emission: Emission) -> Iterator[tuple[Emission, bool]]:
        """Cut the next frames, (T, V), where sentences end; tell of each part whether one does."""
        if self._n_frames is None:
            yield emission, False
            return
        frames = np.arange(len(emission))
        is_blank = emission[:, BLANK] > math.log(SURE_BLANK)
        last_other = np.maximum.accumulate(np.where(is_blank, -1, frames))
        n_blanks = np.where(last_other < 0, frames + 1 + self.n_blanks, frames - last_other)
        begin = 0
        for end in (np.flatnonzero(n_blanks == self._n_frames) + 1).tolist():
            yield emission[begin:end], True
            begin = end
        if len(emission):
            self.n_blanks = int(n_blanks[-1])
        if begin < len(emission):
            yield emission[begin:], False
