"""Binary: an n-gram model as a file of arrays, in one of two forms.

mapped     the arrays of `Nodes` as they are: 12 to 20 bytes per n-gram. It opens instantly,
           whatever its size, and the system shares its memory among processes.
compact    a fifth of that, to be given away; see `asr.lm.compact`. It is unpacked into memory.

In both, one more array is the vocabulary, its words joined by line breaks. Opening a model looks at
every number once (see `asr.lm.soundness`).
"""

from pathlib import Path

import numpy as np

from asr.errors import DataError
from asr.lm.array_file import Kinds, read_arrays, write_arrays
from asr.lm.compact import pack, unpack
from asr.lm.ngram import NGram, make_nodes
from asr.lm.soundness import UNFIT, unsound
from asr.lm.vocabulary import Vocabulary

MAPPED, COMPACT = "asr-ngram-1", "asr-ngram-compact-2"

FORMS: dict[str, Kinds] = {
    MAPPED: {
        "first_child": np.uint32,
        "words": np.int32,
        "log_probs": np.float32,
        "suffixes": np.int32,
        "backoffs": np.float32,
        "vocabulary": np.uint8,
    },
    COMPACT: {
        "log_prob_values": np.float32,
        "backoff_values": np.float32,
        "contexts": np.uint8,
        "n_children": np.uint8,
        "backoffs": np.uint8,
        "gaps": np.uint8,
        "log_probs": np.uint8,
        "vocabulary": np.uint8,
    },
}


def write_binary(path: Path, model: NGram, *, is_compact: bool = False) -> None:
    """Write a model, complete or not at all."""
    words = np.frombuffer("\n".join(model.vocabulary.words).encode(), np.uint8)
    form = COMPACT if is_compact else MAPPED
    arrays = pack(model.nodes) if is_compact else model.nodes._asdict()
    write_arrays(path, form, FORMS[form], {**arrays, "vocabulary": words})


def read_binary(path: Path) -> NGram:
    """Map a model into memory, or unpack it; it is read-only.

    Raises:
        DataError: The file cannot be read, is not such a model, or is damaged.
    """
    expected = "a binary n-gram model: asr lm build and asr lm convert make them"
    form, arrays = read_arrays(path, FORMS, expected)
    try:
        vocabulary = Vocabulary(tuple(arrays.pop("vocabulary").tobytes().decode().split("\n")))
    except (UnicodeDecodeError, DataError) as error:
        raise DataError(f"{path}: its vocabulary is damaged: {error}") from error
    nodes = unpack(arrays) if form == COMPACT else make_nodes(**arrays)
    problem = unsound(nodes, len(vocabulary)) if nodes else UNFIT
    if nodes is None or problem:
        raise DataError(f"{path}: is damaged: {problem}")
    return NGram(vocabulary, nodes)


def is_compact(path: Path) -> bool:
    """Tell whether a file is a model in the form that is unpacked into memory."""
    try:
        form, _ = read_arrays(path, FORMS, "an n-gram model")
    except DataError:
        return False
    return form == COMPACT
