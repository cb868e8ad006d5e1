"""State: what the loop over frames knows, and what it changes; all of it flat arrays of records.

Each array of records is one argument of a compiled function, and the fields of a record lie side by
side. With an array for each field, calls cost more than the work that they did.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from asr.lm.ngram import Nodes
from asr.search.hotwords import Hotwords
from asr.search.pool import CANDIDATE, STAND
from asr.search.prefix_tree import make_tree

N_CANDIDATES = 8  # for each place in the beam; more than these are thinned out on the way
N_ROWS = 32  # of the tree, for each place in the beam, before it is cleared of what has died

Rows: TypeAlias = "np.recarray[Any, Any]"  # flat, of records
Numbers = NDArray[np.int64]
Factors = NDArray[np.float64]

# A place in the beam: a prefix, and the probability of its paths by how they end.
PLACE = np.dtype([("prefix", np.int64), ("in_blank", np.float64), ("in_token", np.float64)])

# How far the search is: the frame to hear next, places and rows of the tree that are taken, and
# the log of what the beam's probabilities are to be multiplied by.
PROGRESS = np.dtype(
    [
        ("frame", np.int64),
        ("n_places", np.int64),
        ("n_rows", np.int64),
        ("log_scale", np.float64),
    ]
)

# The lexicon's nodes and arcs, side by side in memory; `outlook` is the best that a node can
# become, as a factor, and 1 for the empty word. The last node has no arcs: it is all that the
# lexicon lacks. One more row says where the arcs end.
NODE = np.dtype([("first_arc", np.int32), ("word", np.int32), ("outlook", np.float64)])
ARC = np.dtype([("token", np.int32), ("target", np.int32)])


class Settings(NamedTuple):
    """Numbers that the loop goes by; weights and scores in nats.

    Attributes:
        blank: Token id.
        lm_weight: See `BeamConfig`.
        word_score: See there.
        unknown_score: See there.
        unlisted: The lexicon's node for what it lacks; none if only its words can be said.
        ends_anywhere: Whether a word can end before any token, as there are none that begin one.
        has_ngram: Whether there is a language model.
        has_hotwords: Whether there are hotwords.
        greatest_gain: The most by which a token inside a word raises the outlook, as a factor.
        greatest_start: The greatest outlook behind a word's first token.
        greatest_ending: The most that the end of a word can be worth, as a factor.
    """

    blank: int
    lm_weight: float
    word_score: float
    unknown_score: float
    unlisted: int
    ends_anywhere: bool
    has_ngram: bool
    has_hotwords: bool
    greatest_gain: float
    greatest_start: float
    greatest_ending: float


class Knowledge(NamedTuple):
    """What is known beside the emission.

    Attributes:
        nodes: (M + 2,) `NODE`.
        arcs: (A,) `ARC`.
        number: (W,) int32, the language model's number of each word of the lexicon.
        begins_word: (V,) bool, which tokens end a word and begin another.
        ngram: The language model.
        hotwords: The phrases.
        settings: The rest.
    """

    nodes: Rows
    arcs: Rows
    number: NDArray[np.int32]
    begins_word: NDArray[np.bool_]
    ngram: Nodes
    hotwords: Hotwords
    settings: Settings


class Search(NamedTuple):
    """A search under way: all that changes.

    Attributes:
        beam: (beam_size,) `PLACE`.
        tree: (capacity,) `ROW`, all prefixes.
        pool: (C,) `CANDIDATE`, what may be in the next beam.
        progress: (1,) `PROGRESS`.
        stand: (1,) `STAND`, how the pool stands.
        tokens: (2, V) tokens that matter in a frame: inside words, and at their beginning.
        scratch: (C,) room to choose in.
    """

    beam: Rows
    tree: Rows
    pool: Rows
    progress: Rows
    stand: Rows
    tokens: Numbers
    scratch: Factors


class Source(NamedTuple):
    """A prefix about to be extended, as it is or behind a word that has just ended."""

    prefix: int
    last: int  # its last token
    is_behind: bool  # behind a word
    in_blank: float
    total: float
    spelled: int
    ended: int
    context: int
    phrase: int
    factor: float
    bound: float  # what a child's value cannot exceed, but for the token's probability


def begin(
    n_tokens: int, beam_size: int, least_share: float, context: int, phrase: int, blank: int
) -> Search:
    """Begin with the empty prefix, which all paths spell before the first frame."""
    search = Search(
        beam=np.recarray(beam_size, PLACE),
        tree=make_tree(N_ROWS * beam_size, blank=blank, context=context, phrase=phrase),
        pool=np.recarray(N_CANDIDATES * beam_size, CANDIDATE),
        progress=np.recarray(1, PROGRESS),
        stand=np.recarray(1, STAND),
        tokens=np.empty((2, n_tokens), np.int64),
        scratch=np.empty(N_CANDIDATES * beam_size),
    )
    search.beam[0] = (0, 1.0, 0.0)
    search.progress[0] = (0, 1, 1, 0.0)
    search.stand[0] = (beam_size, 0, 0.0, 0.0, least_share)
    return search


def enlarge(search: Search) -> Search:
    """Go on with twice the room for prefixes."""
    tree = np.recarray(2 * len(search.tree), search.tree.dtype)
    tree[: len(search.tree)] = search.tree
    return search._replace(tree=tree)
