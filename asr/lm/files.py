"""Files: a model as text (ARPA) or binary; its content tells, and the name of one to write."""

from pathlib import Path

from asr.lm.arpa import write_arpa
from asr.lm.arpa_reader import read_arpa
from asr.lm.array_file import is_array_file
from asr.lm.binary import read_binary, write_binary
from asr.lm.ngram import NGram
from asr.lm.segments import PACKERS


def read_ngram(path: Path) -> NGram:
    """Read a model: binary, or ARPA, plain or compressed, whatever its name.

    Raises:
        DataError: The file cannot be read, or is neither.
    """
    return read_binary(path) if is_array_file(path) else read_arpa(path)


def is_text(path: Path) -> bool:
    """Check whether a file of this name is written as ARPA: it ends in .arpa, .gz, .xz or .bz2."""
    return path.suffix in {".arpa", *PACKERS}


def write_ngram(path: Path, model: NGram, *, is_compact: bool = False) -> None:
    """Write a model, complete or not at all: as text or binary, which may be compact."""
    if is_text(path):
        write_arpa(path, model)
    else:
        write_binary(path, model, is_compact=is_compact)
