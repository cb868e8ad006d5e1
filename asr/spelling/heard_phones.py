"""Heard phones: what a model heard of each phone of its training speech, to say other words with.

An emission of phones is cut into a piece for each phone that was said: between two of them halfway
through the blanks, at the ends of the speech where it ends. Pieces in the order of other words are
what the model may hear of these, its doubts and mistakes included. A mistake goes on from one phone
to the next, so a recording is followed for as long as it says the phones that are wanted.

References:
    Hunt and Black, "Unit selection in a concatenative speech synthesis system using a large speech
    database", ICASSP 1996 (the same with pieces of sound).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import safe_open

from asr.flush import flush
from asr.search.hypothesis import Alignment

Integers = NDArray[np.int64]
Draw = Callable[[int], NDArray[np.float64]]  # so many numbers in [0, 1)

MIN_CHOICE = 3  # pieces; with fewer in the same company, company counts for less

FIRST, LAST = 1, 2  # bits of an edge


@dataclass(frozen=True, slots=True)
class Said:
    """Phones of words, in order.

    Attributes:
        phones: (U,) ids.
        edges: (U,) `FIRST` where a phone begins a word, `LAST` where it ends one, both, or 0.
    """

    phones: Integers
    edges: Integers

    @classmethod
    def of(cls, words: Sequence[Integers]) -> "Said":
        """Say words, each of at least one phone, one after the other."""
        ends = np.cumsum([len(word) for word in words], dtype=np.int64)
        edges = np.zeros(int(ends[-1]) if len(ends) else 0, np.int64)
        edges[ends - 1] |= LAST
        edges[ends[:-1]] |= FIRST
        edges[:1] |= FIRST
        return cls(np.concatenate([np.zeros(0, np.int64), *words]), edges)

    def __len__(self) -> int:
        """Count the phones."""
        return len(self.phones)


# A piece: the time of listening, the phones before (0 at the beginning of an utterance), in and
# behind it (0 at the end), the edge as in `Said`, the first frame, and how many frames, maybe none.
FIELDS = ("hearing", "left", "phone", "right", "edge", "start", "length")
PIECE = np.dtype([(name, np.int64) for name in FIELDS])


def cut_emission(said: Said, alignment: Alignment, *, hearing: int, start: int) -> NDArray[np.void]:
    """Cut the emission of an utterance into pieces.

    Args:
        said: U phones, at least one.
        alignment: (T,), for each frame of the emission the phone that is said in it, or 0.
        hearing: Noted with each piece.
        start: Where the emission's first frame lies among those of others.

    Returns:
        (U,) of `PIECE`.
    """
    changes = alignment[1:] != alignment[:-1]
    firsts = np.flatnonzero((alignment != 0) & np.append(True, changes))
    behind = np.flatnonzero((alignment != 0) & np.append(changes, True)) + 1
    borders = np.concatenate([[0], (behind[:-1] + firsts[1:] + 1) // 2, [len(alignment)]])
    pieces = _placeless(said, hearing)
    pieces["start"], pieces["length"] = start + borders[:-1], np.diff(borders)
    return pieces


def _placeless(said: Said, hearing: int) -> NDArray[np.void]:
    """Make the pieces of phones without their place in an emission."""
    pieces = np.zeros(len(said), PIECE)
    pieces["hearing"], pieces["phone"], pieces["edge"] = hearing, said.phones, said.edges
    pieces["left"][1:], pieces["right"][:-1] = said.phones[:-1], said.phones[1:]
    return pieces


class HeardPhones:
    """Emissions of phones, and the pieces they are cut into.

    Args:
        log_probs: (N, V) float16, the emissions of all utterances, one behind the other.
        pieces: (P,) of `PIECE`.
    """

    def __init__(self, log_probs: NDArray[np.float16], pieces: NDArray[np.void]) -> None:
        self.log_probs, self.pieces = log_probs, pieces
        self.n_hearings = int(pieces["hearing"].max()) + 1
        self.phones = frozenset.intersection(  # those of which there are pieces in every hearing
            *(
                frozenset(pieces["phone"][pieces["hearing"] == hearing].tolist())
                for hearing in range(self.n_hearings)
            )
        )
        orders = [(keys, np.argsort(keys, kind="stable")) for keys in self._keys(pieces)]
        self._orders = [(keys[order], order) for keys, order in orders]

    def say(self, said: Said, hearing: int, draw: Draw) -> Integers:
        """Put pieces together: give the frames, numbers of rows of `log_probs`, in order.

        For each phone one piece of the hearing is drawn among those in the company of the same
        phones and edges, or else of the same phones, of the one before, of the one behind, or
        among all. But where the recording that the last piece is of goes on with the wanted phone,
        and with a word if one begins, it is followed.

        Args:
            said: Phones of `phones`.
            hearing: Which one, from 0.
            draw: The only source of chance.
        """
        wanted = self._keys(_placeless(said, hearing))
        chances, chosen = draw(len(said)), np.full(len(said), -1)
        for (keys, order), own in zip(self._orders, wanted, strict=True):
            first, behind = np.searchsorted(keys, own), np.searchsorted(keys, own, "right")
            least = 1 if keys is self._orders[-1][0] else MIN_CHOICE
            takes = (chosen < 0) & (behind - first >= least)
            picked = first + (chances * (behind - first)).astype(np.int64)
            chosen[takes] = order[picked[takes]]
        assert (chosen >= 0).all()
        self._follow(said, chosen)
        starts, lengths = self.pieces["start"][chosen], self.pieces["length"][chosen]
        shifts = starts - np.concatenate([[0], np.cumsum(lengths)[:-1]])
        return np.repeat(shifts, lengths) + np.arange(lengths.sum())

    def _follow(self, said: Said, chosen: Integers) -> None:
        """Put in the place of chosen pieces those that a recording goes on with, if they say it."""
        phones, edges, left = self.pieces["phone"], self.pieces["edge"], self.pieces["left"]
        for i in range(1, len(said)):
            following = chosen[i - 1] + 1
            if (
                following < len(phones)
                and left[following] != 0  # it does not begin another utterance
                and phones[following] == said.phones[i]
                and (edges[following] ^ said.edges[i]) & FIRST == 0
            ):
                chosen[i] = following

    def write(self, path: Path, fingerprint: str) -> None:
        """Keep what was heard in a file, under the name of what it was heard of."""
        tensors: dict[str, NDArray[Any]] = {
            "log_probs": self.log_probs,
            "pieces": self.pieces.view(np.int64).reshape(-1, len(FIELDS)),
        }
        beside = path.with_name(path.name + ".new")
        beside.write_bytes(safetensors.numpy.save(tensors, {"fingerprint": fingerprint}))
        flush(beside)
        beside.replace(path)

    @classmethod
    def read(cls, path: Path, fingerprint: str) -> "HeardPhones | None":
        """Read such a file; None if there is none, or it holds what was heard of something else."""
        if not path.exists():
            return None
        with safe_open(path, framework="np") as file:
            if file.metadata() != {"fingerprint": fingerprint}:
                return None
            log_probs, pieces = file.get_tensor("log_probs"), file.get_tensor("pieces")
        return cls(log_probs, np.ascontiguousarray(pieces).view(PIECE).ravel())

    def _keys(self, pieces: NDArray[np.void]) -> list[Integers]:
        """Number the company that phones are in, from all of it to none."""
        n = self.log_probs.shape[1]
        own = pieces["hearing"] * n + pieces["phone"]
        before, behind = own * n + pieces["left"], own * n + pieces["right"]
        both = before * n + pieces["right"]
        return [both * 4 + pieces["edge"], both, before, behind, own]
