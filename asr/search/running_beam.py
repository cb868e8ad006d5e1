"""The beam search of a recording in pieces: see `running`."""

from dataclasses import replace

import numpy as np

from asr.search.beam_search import BeamSearch
from asr.search.emission import Emission
from asr.search.hypothesis import Hypothesis, first_tokens, later
from asr.search.pauses import Pauses
from asr.search.prefix_tree import (
    ROOT,
    compact,
    keep_extensions,
    n_frames_after,
    n_tokens,
    settled_row,
)
from asr.search.records import NONE
from asr.search.running import PATIENCE


class RunningBeamSearch:
    """The beam search of a recording in pieces: the words of a search of the whole.

    Args:
        search: Searches; its settings and its language.
        patience: Frames that the prefixes may disagree for; then the best one decides alone.

    Attributes:
        unsettled: The frames that are still needed, (T, V).
        first_frame: See `RunningSearch`.
    """

    def __init__(self, search: BeamSearch, *, patience: int = PATIENCE) -> None:
        self._search, self._patience = search, patience
        self._state = search.start()
        self._pauses = Pauses(search.pause)
        self.first_frame, self._score = 0, 0.0  # the score is of the sentences that are over
        self.unsettled: Emission = np.zeros((0, len(search.language.begins_word)))

    def read(self, emission: Emission) -> list[Hypothesis]:
        """Search the next frames; settle the words that all prefixes share, or a pause ends."""
        settled = []
        for part, is_end in self._pauses.parts(emission):
            settled += self._read(part)
            if is_end:
                settled.append(self._end())
        return settled

    def _read(self, emission: Emission) -> list[Hypothesis]:
        emission = self._search.without_prior(emission)
        self._state = self._search.advance(emission, self._state)
        self.unsettled = np.concatenate([self.unsettled, emission])
        if not len(self._state.active):
            return [self._end()]
        scratch = np.empty(int(self._state.progress.n_rows[0]), np.int64)
        row = settled_row(self._state.tree, self._state.active, scratch)
        settled = [self._settle(row)] if row != NONE else []
        if len(self.unsettled) <= self._patience:
            return settled
        return [*settled, *self._settle_by_best()]

    def finish(self) -> list[Hypothesis]:
        """Return the best hypotheses of what is not settled yet."""
        if self._pauses.is_pause:
            return [Hypothesis((), (), (), (), self._score, self._score)]
        return self._hypotheses()

    def _hypotheses(self) -> list[Hypothesis]:
        found = self._search.hypotheses(self.unsettled, self._state)
        return [
            replace(later(one, self.first_frame), score=one.score + self._score) for one in found
        ]

    def _settle(self, row: int) -> Hypothesis:
        """Give out the words that end before a row, and make the tree begin there.

        They end where the best prefix goes on, or earlier if another one needs more frames.
        """
        state, progress = self._state, self._state.progress
        root = int(state.tree.parent[row])
        n_settled = n_tokens(state.tree, root)
        best = self._best()
        settled, end = first_tokens(best, n_settled), best.frames[n_settled]
        if end > (limit := self._n_free(root)):
            settled, end = self._hypothesis(root, limit), limit
        state.tree.parent[root] = NONE
        progress.n_rows[0] = compact(state.tree, progress.n_rows[0], state.active)
        settled = later(settled, self.first_frame)
        self._forget(end)
        return settled

    def _settle_by_best(self) -> list[Hypothesis]:
        """Let the best prefix decide about what was said longer than the patience ago."""
        state, best, limit = self._state, self._best(), len(self.unsettled) - self._patience
        if not best.frames or best.frames[0] >= limit:
            self._forget(max(0, min(limit, self._n_free(ROOT))))
            return []
        begins = [word.start for word in best.words[1:] if best.frames[word.start] >= limit]
        if not begins:
            return [self._end()]  # one word, without an end or with nothing after it
        row = self._best_prefix()
        for _ in range(len(best.tokens) - 1 - begins[0]):
            row = int(state.tree.parent[row])
        while state.tree.ended_word[row] == NONE:  # a boundary before the word
            row = int(state.tree.parent[row])
        state.progress.n_active[0] = keep_extensions(state.tree, state.active, row)
        return [self._settle(row)]

    def _end(self) -> Hypothesis:
        """Give out the best words so far, and begin anew."""
        best = self._hypotheses()[0]
        self._score = best.score
        self._forget(len(self.unsettled))
        self._state = self._search.start()
        return best

    def _best(self) -> Hypothesis:
        """The best prefix at this moment, its last word perhaps unfinished."""
        return self._hypothesis(self._best_prefix(), len(self.unsettled))

    def _hypothesis(self, prefix: int, n_frames: int) -> Hypothesis:
        """Align a prefix with the first of the frames that are still needed."""
        state, score = self._state, float(self._state.progress.log_scale[0])
        return self._search.hypothesis(self.unsettled[:n_frames], state, prefix, score, score)

    def _n_free(self, root: int) -> int:
        """Count the first frames that no prefix needs for its tokens after the root."""
        return len(self.unsettled) - n_frames_after(self._state.tree, self._state.active, root)

    def _best_prefix(self) -> int:
        active = self._state.active
        return int(active.prefix[np.argmax(active.in_blank + active.in_token)])

    def _forget(self, n_frames: int) -> None:
        self.unsettled = self.unsettled[n_frames:]
        self.first_frame += n_frames
