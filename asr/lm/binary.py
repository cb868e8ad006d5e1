"""Binary: an n-gram model as one file of arrays that is mapped into memory, not copied.

The format is safetensors: the length of a header, the header (JSON: type, shape and offset of each
array), and the arrays. One of these is the vocabulary, its words joined by line breaks. Opening a
model looks at every number once (see `soundness`); the system shares the memory among processes.

References:
    https://github.com/huggingface/safetensors, "Format".
"""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.files import writing
from asr.lm.ngram import NGram, make_nodes
from asr.lm.soundness import unsound
from asr.lm.vocabulary import Vocabulary

FORMAT = "asr-ngram-1"

_LENGTH = struct.Struct("<Q")
# Longest elements first, so that each array begins at a multiple of its element's size.
_ARRAYS: dict[str, tuple[str, type[np.generic]]] = {
    "first_child": ("U32", np.uint32),
    "words": ("I32", np.int32),
    "log_probs": ("F32", np.float32),
    "suffixes": ("I32", np.int32),
    "backoffs": ("F32", np.float32),
    "vocabulary": ("U8", np.uint8),
}


def write_binary(path: Path, model: NGram) -> None:
    """Write a model, complete or not at all."""
    words = np.frombuffer("\n".join(model.vocabulary.words).encode(), np.uint8)
    nodes = {name: getattr(model.nodes, name) for name in _ARRAYS if name != "vocabulary"}
    arrays = {**nodes, "vocabulary": words}
    header = _header(arrays)
    with writing(path) as file:
        file.write(_LENGTH.pack(len(header)))
        file.write(header)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array).data)


def is_binary(path: Path) -> bool:
    """Check for the first bytes of such a file: the length, below 2**48, and a brace."""
    try:
        with path.open("rb") as file:
            return file.read(_LENGTH.size + 1).endswith(b"\0\0{")
    except OSError:
        return False  # and whoever reads it says why


def read_binary(path: Path) -> NGram:
    """Map a model into memory, read-only.

    Raises:
        DataError: The file cannot be read, is not such a model, or is cut short.
    """
    try:
        data = np.memmap(path, np.uint8, "r")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError:  # nothing to map
        raise DataError(f"{path}: expected a binary n-gram model, got an empty file") from None
    start, entries = _read_header(path, data)
    arrays = {name: _array(path, data[start:], entries, name) for name in _ARRAYS}
    try:
        words = arrays.pop("vocabulary").tobytes().decode().split("\n")
        model = NGram(Vocabulary(tuple(words)), make_nodes(**arrays))
    except (UnicodeDecodeError, DataError) as error:
        raise DataError(f"{path}: its vocabulary is damaged: {error}") from error
    if not _fits_together(model):
        raise DataError(f"{path}: its arrays do not fit together: it is damaged")
    if problem := unsound(model.nodes, len(model.vocabulary)):
        raise DataError(f"{path}: is damaged: {problem}")
    return model


def _read_header(path: Path, data: NDArray[np.uint8]) -> tuple[int, dict[str, Any]]:
    """Read the offset of the arrays, and the header's entries."""
    try:
        (length,) = _LENGTH.unpack(data[: _LENGTH.size].tobytes())
        start = _LENGTH.size + length
        entries: dict[str, Any] = json.loads(data[_LENGTH.size : start].tobytes())
        if entries["__metadata__"]["format"] != FORMAT:
            raise KeyError(FORMAT)
    except (struct.error, ValueError, KeyError, TypeError):
        raise DataError(
            f"{path}: expected a binary n-gram model: asr lm build and asr lm convert make them"
        ) from None
    return start, entries


def _array(path: Path, data: NDArray[np.uint8], entries: dict[str, Any], name: str) -> NDArray[Any]:
    """View one array of the mapped file."""
    dtype, element = _ARRAYS[name]
    try:
        entry = entries[name]
        start, stop = entry["data_offsets"]
        if entry["dtype"] != dtype or not 0 <= start <= stop <= len(data):
            raise ValueError
        return np.asarray(data[start:stop]).view(element)
    except (LookupError, TypeError, ValueError):
        raise DataError(f"{path}: {name!r} is missing, cut short or not of type {dtype}") from None


def _fits_together(model: NGram) -> bool:
    """Compare sizes, without reading the contents."""
    nodes, ends = model.nodes, model.nodes.first_child
    n_nodes, n_inner = len(nodes.words), len(nodes.backoffs)
    sizes = {n_nodes, len(nodes.log_probs), len(nodes.suffixes)}
    return (
        len(sizes) == 1
        and 0 < n_inner == len(ends) - 1
        and (ends[0], ends[1], ends[-1]) == (1, len(model.vocabulary) + 1, n_nodes)
    )


def _header(arrays: dict[str, NDArray[Any]]) -> bytes:
    """List type, shape and offset of each array, padded to a multiple of eight bytes."""
    entries: dict[str, object] = {"__metadata__": {"format": FORMAT}}
    offset = 0
    for name, array in arrays.items():
        stop = offset + array.nbytes
        entries[name] = {
            "dtype": _ARRAYS[name][0],
            "shape": list(array.shape),
            "data_offsets": [offset, stop],
        }
        offset = stop
    text = json.dumps(entries, separators=(",", ":")).encode()
    return text + b" " * (-len(text) % _LENGTH.size)
