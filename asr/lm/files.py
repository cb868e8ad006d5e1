"""Files: a model is read and written as text (ARPA) or binary, by its file's name."""

from pathlib import Path

from asr.lm.arpa import write_arpa
from asr.lm.arpa_reader import read_arpa
from asr.lm.binary import read_binary, write_binary
from asr.lm.ngram import NGram
from asr.lm.segments import OPENERS


def read_ngram(path: Path) -> NGram:
    """Read a model: ARPA if the name ends in .arpa, or is compressed (.gz, .xz, .bz2); else binary.

    Raises:
        DataError: The file cannot be read, or is not of that form.
    """
    return read_arpa(path) if _is_arpa(path) else read_binary(path)


def write_ngram(path: Path, model: NGram) -> None:
    """Write a model in the form that the name implies, complete or not at all."""
    if _is_arpa(path):
        write_arpa(path, model)
    else:
        write_binary(path, model)


def _is_arpa(path: Path) -> bool:
    return path.suffix in {".arpa", *OPENERS}
