"""A slow, obvious reference for the searches: every path there is, spelled out one by one."""

from collections.abc import Callable, Iterator
from itertools import groupby, product

import pytest
from torch import Tensor

Tokens = tuple[int, ...]
Path = tuple[int, ...]
EveryPath = Callable[[Tensor, int], dict[Tokens, dict[Path, float]]]


@pytest.fixture(scope="session")
def every_path() -> EveryPath:
    """All paths of an emission (T, V) that have a chance, by the tokens they spell."""
    return _every_path


def _every_path(emission: Tensor, blank: int) -> dict[Tokens, dict[Path, float]]:
    paths: dict[Tokens, dict[Path, float]] = {}
    for path, score in _scored_paths(emission.tolist()):
        if score > -float("inf"):
            tokens = tuple(token for token, _ in groupby(path) if token != blank)
            paths.setdefault(tokens, {})[path] = score
    return paths


def _scored_paths(frames: list[list[float]]) -> Iterator[tuple[Path, float]]:
    for path in product(*[range(len(frame)) for frame in frames]):
        yield path, sum(frame[token] for frame, token in zip(frames, path, strict=True))
