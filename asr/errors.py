"""Errors: each is an `AsrError` and also the built-in that fits, so that a caller can catch either.

A message says what was expected, what came, where, and what to do.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # `import asr` takes no time
    from logging import Logger


class AsrError(Exception):
    """The base of every error that a caller or a user can cause and fix."""


class AudioError(AsrError, ValueError):
    """A recording that cannot be used: missing, unreadable, empty, truncated or not finite."""


class DataError(AsrError, ValueError):
    """A manifest, corpus, transcript, token table or hypothesis file that breaks its format."""


class DownloadError(AsrError, OSError):
    """A corpus archive that could not be fetched, or does not have the published checksum."""


class ConfigError(AsrError, ValueError):
    """A configuration with an unknown, missing or impossible value."""


class ModelError(AsrError, ValueError):
    """A model directory that is missing, incomplete, or does not reproduce its golden example."""


class ShapeError(AsrError, ValueError):
    """A tensor whose shape, type or lengths do not fit the call."""


class StoppedError(AsrError, RuntimeError):
    """Training stopped when asked to, with its state saved; not a failure."""


class TrainingError(AsrError, RuntimeError):
    """Training cannot go on: a loss that is not finite, or a state that does not fit the run."""


def counted(number: int, noun: str) -> str:
    """Write a number with its noun, which is regular.

    Example:
        >>> counted(1, "word"), counted(52576, "word")
        ('1 word', '52,576 words')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def shortened(names: list[str] | tuple[str, ...], n_shown: int = 5) -> str:
    """List names, and count those after the first few.

    Example:
        >>> shortened(["one", "two", "three"], 2)
        'one, two and 1 more'
    """
    rest = f" and {len(names) - n_shown} more" if len(names) > n_shown else ""
    return f"{', '.join(names[:n_shown])}{rest}"


@lru_cache(maxsize=1000)
def warn_once(log: "Logger", message: str) -> None:
    """Log a warning, once, not whenever the same thing is seen again."""
    log.warning("%s", message)
