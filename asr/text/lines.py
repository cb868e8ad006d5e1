"""Lines: text files that people or other programs write, in UTF-8.

A byte order mark, which some programs write, is dropped.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from asr.errors import DataError

Record = dict[str, Any]  # a JSON object


def read_text(path: Path, *, or_else: str | None = None) -> str:
    """Read a text file.

    Args:
        path: The file.
        or_else: The encoding of a file that is not UTF-8; None refuses it.

    Raises:
        DataError: The file cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        if or_else is not None:
            return path.read_text(encoding=or_else)
        raise DataError(f"{path}: is not UTF-8 at byte {error.start}") from error


def read_json_lines(path: Path) -> Iterator[tuple[str, Record]]:
    """Read a JSON object a line, each with its place, `file:line`; empty lines are skipped.

    Raises:
        DataError: As `read_text`, or a line is not a JSON object; the message names the place.
    """
    # Not splitlines(): JSON strings may hold other line separators of Unicode.
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            where = f"{path}:{number}"
            yield where, _parse(line, where)


def _parse(line: str, where: str) -> Record:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: is not JSON: {error.msg} at column {error.colno}") from error
    except (ValueError, RecursionError) as error:  # beyond Python's limits
        raise DataError(
            f"{where}: has a number too long or is nested too deeply to read"
        ) from error
    if not isinstance(record, dict):
        raise DataError(f"{where}: must be a JSON object, got {type(record).__name__}")
    return record
