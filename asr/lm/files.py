"""Files: a model as text (ARPA) or binary; its content tells, and the name of one to write."""

from pathlib import Path

from asr.lm.arpa import write_arpa
from asr.lm.arpa_reader import read_arpa
from asr.lm.binary import is_binary, read_binary, write_binary
from asr.lm.ngram import NGram
from asr.lm.segments import PACKERS


def read_ngram(path: Path) -> NGram:
    """Read a model: binary, or ARPA, plain or compressed, whatever its name.

    Raises:
        DataError: The file cannot be read, or is neither.
    """
    return read_binary(path) if is_binary(path) else read_arpa(path)


def write_ngram(path: Path, model: NGram) -> None:
    """Write a model, complete or not at all: ARPA if the name ends in .arpa, .gz, .xz or .bz2."""
    if path.suffix in {".arpa", *PACKERS}:
        write_arpa(path, model)
    else:
        write_binary(path, model)
