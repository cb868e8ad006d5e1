"""Lines: the small text files that a person writes, as lexicons and lists of hotwords."""

from pathlib import Path

from asr.errors import DataError


def read_lines(path: Path) -> list[str]:
    """Read a UTF-8 text file whole.

    Raises:
        DataError: It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as text: {error}") from error
