r"""ARPA: n-gram models as text, the format that all tools exchange.

    \data\
    ngram 1=5
    ngram 2=3

    \1-grams:
    -1.2 <s> -0.3        log10 of the probability, the words, log10 of the back-off weight
    ...
    \end\

References:
    Doug Paul, "ngram-format(5)" of the SRILM manual.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.files import writing
from asr.lm.ngram import NGram
from asr.lm.segments import Packed, packed

LN_10 = float(np.log(10.0))

_CHUNK = 100_000  # lines written at a time


def write_arpa(path: Path, model: NGram) -> None:
    """Write a model as text, compressed if the name says so; complete or not at all.

    Numbers have seven digits. Back-off weights of one are omitted.
    """
    with writing(path) as raw, packed(raw, path.suffix) as file:
        _write(file, model)


def _write(file: Packed, model: NGram) -> None:
    starts, parents = model.starts, model.parents()
    sizes = np.diff(starts)[1:]
    counts = "".join(f"ngram {order}={size}\n" for order, size in enumerate(sizes, 1))
    file.write(f"\\data\\\n{counts}".encode())
    for order in range(1, model.order + 1):
        file.write(f"\n\\{order}-grams:\n".encode())
        for start in range(starts[order], starts[order + 1], _CHUNK):
            nodes = np.arange(start, min(start + _CHUNK, starts[order + 1]))
            file.write("".join(_lines(model, parents, nodes, order)).encode())
    file.write(b"\n\\end\\\n")


def _lines(
    model: NGram, parents: NDArray[np.int32], nodes: NDArray[np.int64], order: int
) -> Iterator[str]:
    words, ancestors = [], nodes
    for _ in range(order):
        words.append([model.vocabulary.words[i] for i in model.nodes.words[ancestors].tolist()])
        ancestors = parents[ancestors].astype(np.int64)
    log_probs = (model.nodes.log_probs[nodes] / LN_10).tolist()
    backoffs = [0.0] * len(nodes)
    if order < model.order:
        backoffs = (model.nodes.backoffs[nodes] / LN_10).tolist()
    for log_prob, backoff, *ngram in zip(log_probs, backoffs, *reversed(words), strict=True):
        weight = f"\t{backoff:.7g}" if backoff else ""
        yield f"{log_prob:.7g}\t{' '.join(ngram)}{weight}\n"
