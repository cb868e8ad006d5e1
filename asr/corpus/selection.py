"""Selection: the utterances of a list of ids."""

from collections.abc import Collection
from pathlib import Path

from asr.corpus.utterance import CorpusReport
from asr.errors import DataError
from asr.text.lines import read_text


def read_ids(path: Path) -> frozenset[str]:
    """Read a list of ids, one a line; empty lines and those that begin with `#` are skipped.

    Raises:
        DataError: The file cannot be read, is not UTF-8, or has no id.
    """
    lines = (line.strip() for line in read_text(path).split("\n"))
    ids = frozenset(line for line in lines if line and not line.startswith("#"))
    if not ids:
        raise DataError(f"{path}: expected an id a line, got none")
    return ids


def selected(listed: CorpusReport, ids: Collection[str]) -> CorpusReport:
    """Keep the utterances and the problems with these ids."""
    return CorpusReport(
        tuple(utterance for utterance in listed.utterances if utterance.id in ids),
        tuple(problem for problem in listed.problems if problem.id in ids),
    )
