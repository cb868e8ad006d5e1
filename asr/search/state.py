"""State: what the beam search reads (`Graph`) and changes (`BeamState`)."""

from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from asr.lm.ngram import Nodes
from asr.search.hotwords import Hotwords
from asr.search.pool import CANDIDATE, STATUS, make_table
from asr.search.prefix_tree import make_tree
from asr.search.records import Factors, Ids, Records, record_type

N_CANDIDATES = 2  # per slot of the beam; a full pool is pruned, which raises the cutoff
N_ROWS = 32  # of the tree, per slot of the beam; a full tree is compacted

# A slot of the beam: a prefix, and the probability of its paths by how they end.
SLOT = record_type(ids=("prefix",), factors=("in_blank", "in_token"))

# The next frame, the active prefixes, the rows of the tree in use, and the log of what the beam's
# probabilities are to be multiplied by.
PROGRESS = record_type(ids=("frame", "n_active", "n_rows"), factors=("log_scale",))

# The nodes and arcs of the lexicon. The last node but one stands for all words that it lacks; an
# arc for each token leads there, after the other arcs. The last node marks where those end.
# `look_ahead` is the best factor that words can still earn after an arc.
NODE = np.dtype([("first_arc", np.int32), ("word", np.int32)])
ARC = np.dtype([("token", np.int32), ("target", np.int32), ("look_ahead", np.float64)])


class Settings(NamedTuple):
    """Settings of the search; scores in nats."""

    boundary: int  # token id of a bare boundary between words, as among characters; or none
    lm_weight: float  # see `BeamConfig`
    word_score: float  # see there
    unknown_score: float  # see there; 0 without a language model
    oov_node: int  # the lexicon's node for words that it lacks; none if they cannot be recognised
    words_end_anywhere: bool  # whether a word can end before any token, as no token begins a word
    has_ngram: bool
    has_hotwords: bool
    max_end: float  # the greatest factor for the end of a word; a language model only lowers it


class Graph(NamedTuple):
    """All that scores prefixes apart from the emission."""

    nodes: Records  # (M + 2,) `NODE`
    arcs: Records  # (A + V,) `ARC`
    gains: Factors  # (2, V) the most by which a token raises a rank: inside a word, as its first
    lm_ids: NDArray[np.int32]  # (W,) the language model's id of each word of the lexicon
    ngram: Nodes
    hotwords: Hotwords
    settings: Settings


class BeamState(NamedTuple):
    """A search in progress."""

    beam: Records  # (beam_size,) `SLOT`
    tree: Records  # (capacity,) `ROW`, all prefixes
    pool: Records  # (C,) `CANDIDATE`, the candidates for the next beam
    progress: Records  # (1,) `PROGRESS`
    status: Records  # (1,) `STATUS`, of the pool
    tokens: Ids  # (2, V) active tokens of a frame: inside words, and at their beginning
    reach: Factors  # (2, V) the probability of each times its gain
    probs: Factors  # (2, V) the probability of each active token; 0 for the others
    scratch: Factors  # (C,) for pruning
    table: Ids  # for recombination; empty if there is none

    @property
    def active(self) -> Records:
        """The prefixes in the beam, (K,) `SLOT`, a view."""
        return cast(Records, self.beam[: self.progress.n_active[0]])


class Source(NamedTuple):
    """A prefix that is about to be extended, within its last word or after it."""

    prefix: int
    last: int  # its last token
    in_blank: float
    total: float
    node: int
    ended_word: int
    lm_state: int
    hotword_state: int
    factor: float
    bound: float  # no extension's value exceeds this times the token's reach


def start(
    n_tokens: int,
    beam_size: int,
    min_share: float,
    last_token: int,
    lm_state: int,
    hotword_state: int,
    *,
    recombines: bool,
) -> BeamState:
    """Start with the empty prefix, which all paths spell before the first frame.

    It counts as ending in `last_token`, which adds nothing to it.
    """
    states = {"lm_state": lm_state, "hotword_state": hotword_state}
    state = BeamState(
        beam=np.recarray(beam_size, SLOT),
        tree=make_tree(N_ROWS * beam_size, last_token=last_token, **states),
        pool=np.recarray(N_CANDIDATES * beam_size, CANDIDATE),
        progress=np.recarray(1, PROGRESS),
        status=np.recarray(1, STATUS),
        tokens=np.empty((2, n_tokens), np.int64),
        reach=np.empty((2, n_tokens)),
        probs=np.empty((2, n_tokens)),
        scratch=np.empty(N_CANDIDATES * beam_size),
        table=make_table(N_CANDIDATES * beam_size)[: None if recombines else 0],
    )
    state.beam[0] = (0, 1.0, 0.0)
    state.progress[0] = (0, 1, 1, 0.0)
    state.status[0] = (beam_size, 0, 0.0, 0.0, min_share)
    return state


def grow(state: BeamState) -> BeamState:
    """Double the room for prefixes."""
    tree = np.recarray(2 * len(state.tree), state.tree.dtype)
    tree[: len(state.tree)] = state.tree
    return state._replace(tree=tree)
