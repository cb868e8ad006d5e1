"""Array file: named arrays as one file that is mapped into memory, not copied.

The format is safetensors: the length of a header, the header (JSON: type, shape and offset of each
array), and the arrays.

References:
    https://github.com/huggingface/safetensors, "Format".
"""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.files import writing

Arrays = dict[str, NDArray[Any]]
Kinds = Mapping[str, type[np.generic]]  # the elements of each array, the longest first

_LENGTH = struct.Struct("<Q")
_NAMES: dict[type[np.generic], str] = {
    np.uint32: "U32",
    np.int32: "I32",
    np.float32: "F32",
    np.uint8: "U8",
}


def write_arrays(path: Path, form: str, kinds: Kinds, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays, all or nothing.

    Args:
        path: To write.
        form: Name of what they are, for whoever reads them.
        kinds: In this order they are written, so that each begins at a multiple of its element's
            size.
        arrays: By name, as `kinds` says.
    """
    entries: dict[str, object] = {"__metadata__": {"format": form}}
    offset = 0
    for name, kind in kinds.items():
        stop = offset + arrays[name].nbytes
        entries[name] = {
            "dtype": _NAMES[kind],
            "shape": list(arrays[name].shape),
            "data_offsets": [offset, stop],
        }
        offset = stop
    header = json.dumps(entries, separators=(",", ":")).encode()
    header += b" " * (-len(header) % _LENGTH.size)
    with writing(path) as file:
        file.write(_LENGTH.pack(len(header)))
        file.write(header)
        for name in kinds:
            file.write(np.ascontiguousarray(arrays[name]).data)


def is_array_file(path: Path) -> bool:
    """Check for the first bytes of such a file: the length, below 2**48, and a brace."""
    try:
        with path.open("rb") as file:
            return file.read(_LENGTH.size + 1).endswith(b"\0\0{")
    except OSError:
        return False  # and whoever reads it says why


def read_arrays(path: Path, forms: Mapping[str, Kinds], expected: str) -> tuple[str, Arrays]:
    """Map arrays into memory, read-only; return which of the forms they have, and the arrays.

    Args:
        path: Of the file.
        forms: What the file may be, each with its arrays.
        expected: What they all are, and where one comes from, for errors.

    Raises:
        DataError: The file cannot be read, is none of the forms, or is cut short.
    """
    try:
        data: NDArray[np.uint8] = np.memmap(path, np.uint8, "r")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError:  # nothing to map
        data = np.zeros(0, np.uint8)
    try:
        (length,) = _LENGTH.unpack(data[: _LENGTH.size].tobytes())
        start = _LENGTH.size + length
        entries: dict[str, Any] = json.loads(data[_LENGTH.size : start].tobytes())
        form = entries["__metadata__"]["format"]
        kinds = forms[form]
    except (struct.error, ValueError, KeyError, TypeError):
        raise DataError(f"{path}: expected {expected}") from None
    return form, {name: _array(path, data[start:], entries, name, kinds[name]) for name in kinds}


def _array(
    path: Path,
    data: NDArray[np.uint8],
    entries: dict[str, Any],
    name: str,
    kind: type[np.generic],
) -> NDArray[Any]:
    """View one array of the mapped file."""
    try:
        entry = entries[name]
        start, stop = entry["data_offsets"]
        if entry["dtype"] != _NAMES[kind] or not 0 <= start <= stop <= len(data):
            raise ValueError
        return np.asarray(data[start:stop]).view(kind)
    except (LookupError, TypeError, ValueError):
        raise DataError(
            f"{path}: {name!r} is missing, cut short or not of type {_NAMES[kind]}"
        ) from None
