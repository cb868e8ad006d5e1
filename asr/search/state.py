"""State: what the beam search reads (`Graph`) and changes (`BeamState`)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.lm.ngram import Nodes
from asr.search.hotwords import Hotwords
from asr.search.pool import CANDIDATE, STATUS
from asr.search.prefix_tree import make_tree
from asr.search.records import Factors, Ids, Records, record_type

N_CANDIDATES = 8  # per slot of the beam; a full pool is pruned
N_ROWS = 32  # of the tree, per slot of the beam; a full tree is compacted

# A slot of the beam: a prefix, and the probability of its paths by how they end.
SLOT = record_type(ids=("prefix",), factors=("in_blank", "in_token"))

# The next frame, the active prefixes, the rows of the tree in use, and the log of what the beam's
# probabilities are to be multiplied by.
PROGRESS = record_type(ids=("frame", "n_active", "n_rows"), factors=("log_scale",))

# The lexicon's nodes and arcs. `look_ahead` is the best factor that a node's words can earn, 1 for
# the empty word. The last node but one stands for all words that the lexicon lacks and has no arcs;
# the last marks where the arcs end.
NODE = np.dtype([("first_arc", np.int32), ("word", np.int32), ("look_ahead", np.float64)])
ARC = np.dtype([("token", np.int32), ("target", np.int32)])


class Settings(NamedTuple):
    """Settings of the search; scores in nats.

    Attributes:
        blank: Token id.
        lm_weight: As in `BeamConfig`, and so are the next two.
        word_score: Added for each word.
        unknown_score: Added for each word that the language model lacks; 0 without one.
        oov_node: The lexicon's node for words that it lacks; none if they cannot be recognised.
        words_end_anywhere: Whether a word can end before any token, as no token begins a word.
        has_ngram: Whether there is a language model.
        has_hotwords: Whether there are hotwords.
        max_end: The greatest factor for the end of a word; a language model only lowers it.
    """

    blank: int
    lm_weight: float
    word_score: float
    unknown_score: float
    oov_node: int
    words_end_anywhere: bool
    has_ngram: bool
    has_hotwords: bool
    max_end: float


class Graph(NamedTuple):
    """All that scores prefixes apart from the emission.

    Attributes:
        nodes: (M + 2,) `NODE`.
        arcs: (A,) `ARC`.
        gains: (2, V) the greatest factor by which a token raises what its prefix is ranked by,
            apart from the emission: inside a word, at the beginning of one; 0 if it cannot be there.
        lm_ids: (W,) int32, the language model's id of each word of the lexicon.
        ngram: The language model.
        hotwords: The phrases.
        settings: The rest.
    """

    nodes: Records
    arcs: Records
    gains: Factors
    lm_ids: NDArray[np.int32]
    ngram: Nodes
    hotwords: Hotwords
    settings: Settings


class BeamState(NamedTuple):
    """A search in progress.

    Attributes:
        beam: (beam_size,) `SLOT`.
        tree: (capacity,) `ROW`, all prefixes.
        pool: (C,) `CANDIDATE`, the candidates for the next beam.
        progress: (1,) `PROGRESS`.
        status: (1,) `STATUS`, of the pool.
        tokens: (2, V) active tokens of a frame: inside words, and at their beginning.
        reach: (2, V) the probability of each times its gain.
        scratch: (C,) for pruning.
    """

    beam: Records
    tree: Records
    pool: Records
    progress: Records
    status: Records
    tokens: Ids
    reach: Factors
    scratch: Factors


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
    n_tokens: int, beam_size: int, min_share: float, blank: int, lm_state: int, hotword_state: int
) -> BeamState:
    """Start with the empty prefix, which all paths spell before the first frame."""
    states = {"lm_state": lm_state, "hotword_state": hotword_state}
    state = BeamState(
        beam=np.recarray(beam_size, SLOT),
        tree=make_tree(N_ROWS * beam_size, blank=blank, **states),
        pool=np.recarray(N_CANDIDATES * beam_size, CANDIDATE),
        progress=np.recarray(1, PROGRESS),
        status=np.recarray(1, STATUS),
        tokens=np.empty((2, n_tokens), np.int64),
        reach=np.empty((2, n_tokens)),
        scratch=np.empty(N_CANDIDATES * beam_size),
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
