"""A slow, obvious reference for the searches: every path there is, spelled out one by one."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby, product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from asr.lm.backoff import score_segment
from asr.lm.ngram import make_nodes
from asr.search.beam import BeamConfig
from asr.search.beam_search import BeamSearch
from asr.search.emission import BLANK, Emission
from asr.search.fusion import Fusion, fuse
from asr.search.language import plain_language

Ids = tuple[int, ...]  # of tokens


def every_path(emission: NDArray[np.float64]) -> dict[Ids, dict[Ids, float]]:
    """List all paths of an emission (T, V) that have a chance, by the tokens they spell."""
    paths: dict[Ids, dict[Ids, float]] = {}
    for path, score in _scored_paths(emission.tolist()):
        if score > -float("inf"):
            tokens = tuple(token for token, _ in groupby(path) if token != BLANK)
            paths.setdefault(tokens, {})[path] = score
    return paths


def _scored_paths(frames: list[list[float]]) -> Iterator[tuple[Ids, float]]:
    for path in product(*[range(len(frame)) for frame in frames]):
        yield path, sum(frame[token] for frame, token in zip(frames, path, strict=True))


def random_log_probs(seed: int, *shape: int, scale: float = 1.0) -> NDArray[np.float64]:
    """Draw normalised log probabilities of any shape, the tokens last."""
    logits = scale * np.random.default_rng(seed).standard_normal(shape)
    log_probs: NDArray[np.float64] = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    return log_probs


@pytest.fixture(scope="session", autouse=True)
def compiled_before_anything_is_timed() -> None:
    """Compile the search, so that the first example of a property does not take that time."""
    search = BeamSearch(BeamConfig(beam_size=2, beam_threshold=10.0, n_best=1), plain_language(2))
    search(np.log(np.full((1, 3, 2), 0.5)), np.array([3]))
    nodes = make_nodes(
        np.array([-1, 0, 1, 2], np.int32),
        np.zeros(4, np.float32),
        np.zeros(1, np.float32),
        np.array([1, 4], np.uint32),
        np.zeros(4, np.int32),
    )
    score_segment(nodes, np.zeros(1, np.int32), np.empty(2))


CHARACTERS = ("<blank>", "▁", "A", "B", "C")
PHONES = ("<blank>", "A", "B", "C")
ARPA = """
\\data\\
ngram 1=6
ngram 2=4

\\1-grams:
-1.5\t<unk>
-99\t<s>\t-0.4
-1.0\t</s>
-0.7\tAB\t-0.3
-0.9\tBA\t-0.2
-0.8\tCAB\t-0.5

\\2-grams:
-0.2\t<s> AB
-0.3\tAB CAB
-0.4\tCAB BA
-0.5\tBA </s>

\\end\\
"""


@pytest.fixture(scope="module")
def fusions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fusion]:
    """Words of characters with a boundary, and words of phones without."""
    folder = tmp_path_factory.mktemp("language")
    (folder / "lm.arpa").write_text(ARPA)
    (folder / "words.txt").write_text("AB\nBA\nCAB\n")
    (folder / "phones.txt").write_text("AB A B\nBA B A\nCAB C A B\n")

    def language(phones: tuple[str, ...] | None, lexicon: str) -> Fusion:
        return fuse(
            CHARACTERS,
            "librispeech-1",
            phones=phones,
            lm=folder / "lm.arpa",
            lexicon=folder / lexicon,
            hotwords={"BA": 0.5},
        )

    return {
        "characters": language(None, "words.txt"),
        "phones": language(PHONES, "phones.txt"),
    }


@pytest.fixture(scope="session")
def published_emission(shared_data: Path) -> Emission:
    """The characters of one utterance of LibriSpeech, as another project's network read it."""
    path = shared_data / "emissions" / "librispeech_char_emission.json"
    logits = np.array(json.loads(path.read_text()))  # rounded log probabilities
    logits = np.roll(logits, 1, axis=1)  # its blank comes last
    emission: Emission = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    return emission


def pieces_of(emission: Emission, sizes: Sequence[int]) -> list[Emission]:
    return np.split(emission, np.cumsum(sizes)[np.cumsum(sizes) < len(emission)])
