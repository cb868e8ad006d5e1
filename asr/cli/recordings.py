"""Recordings on the command line: files, folders, URLs and standard input, and their names."""

import argparse
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

from asr.audio.pcm import PcmFormat
from asr.audio.source import STDIN, find_recordings, is_url
from asr.corpus.listing import distinct_names
from asr.errors import AsrError, AudioError, ConfigError


class Failure(NamedTuple):
    """What was named as a recording, and why there is no transcript of it."""

    source: Path | str
    error: AsrError | OSError

    @property
    def reason(self) -> str:
        """The error, with the name of the file that it is about."""
        if isinstance(self.error, OSError) and not isinstance(self.error, AsrError):
            return f"{self.error.filename or self.source}: {self.error.strerror or self.error}"
        return str(self.error)


@dataclass(frozen=True, slots=True)
class Named:
    """A recording and what its transcript is called.

    Attributes:
        source: A path, or a str for a URL.
        id: As manifests call it: the name without folder and ending, if that is enough to tell all
            recordings apart.
        output: The transcript's file in a folder of them, without the ending of its format.
    """

    source: Path | str
    id: str
    output: Path


def add_pcm_argument(parser: argparse.ArgumentParser) -> None:
    """Declare the format of samples without a header."""
    parser.add_argument(
        "--pcm",
        type=_pcm_format,
        metavar="RATE[:CHANNELS[:ENCODING]]",
        help="recordings are raw samples: 16000, or 8000:2:mulaw (default encoding: s16le)",
    )


def recording_to_read(text: str) -> str:
    """Read the name of a recording or a folder of them, for `type=` of an argument."""
    if not text:  # which a path takes for the working folder
        raise argparse.ArgumentTypeError("expected a file, a folder or a URL, got ''")
    return text


def is_folder(word: str) -> bool:
    """Tell whether a word names a folder; whoever reads it says why the system refuses to tell."""
    try:
        return Path(word).is_dir()
    except OSError:  # a name that is too long
        return False


def find_all(words: Sequence[str]) -> tuple[list[tuple[Path | str, Path]], list[Failure]]:
    """Find the recordings that the command line names, those in folders too, each once.

    Returns:
        Each with its path relative to the folder that was named, or its name; and why some of what
        was named has none.
    """
    found: dict[Path | str, Path] = {}
    problems: list[Failure] = []
    for word in words:
        if is_url(word):
            found.setdefault(word, Path(Path(word.partition("?")[0]).name))
        elif word != STDIN and is_folder(word):
            n_before = len(found), len(problems)
            unread: list[AudioError] = []
            for path in find_recordings(Path(word), unread.append):
                found.setdefault(path, path.relative_to(word))
            problems += [Failure(word, error) for error in unread]
            if (len(found), len(problems)) == n_before:
                problems.append(Failure(word, AudioError(f"{word}: has no recordings")))
        else:
            found.setdefault(Path(word), Path("stdin" if word == STDIN else Path(word).name))
    return list(found.items()), problems


def name_all(
    found: Sequence[tuple[Path | str, Path]], reserved: Collection[Path] = ()
) -> list[Named]:
    """Name transcripts so that none is written over another, or over what is reserved.

    The ending of a recording's name is kept where two differ in nothing else, and as much of its
    path as tells it from others.
    """
    ids = distinct_names([source for source, _ in found])
    names = [relative.with_suffix("") for _, relative in found]
    for longer in (
        [relative for _, relative in found],
        [inside(ids[source]) for source, _ in found],
    ):
        counts = Counter([*names, *reserved])
        names = [
            name if counts[name] == 1 else more for name, more in zip(names, longer, strict=True)
        ]
    names = numbered(names, reserved)
    return [
        Named(source, "stdin" if str(source) == STDIN else ids[source], name)
        for (source, _), name in zip(found, names, strict=True)
    ]


def numbered(names: Sequence[Path], taken: Collection[Path] = ()) -> list[Path]:
    """Number those that are still the same, such as those of /a and a."""
    seen, numbered = {*taken}, list[Path]()
    for name in names:
        candidates = (name.with_name(f"{name.name}-{n}") for n in count(2))
        unique = next(each for each in chain([name], candidates) if each not in seen)
        seen.add(unique)
        numbered.append(unique)
    return numbered


def inside(name: str) -> Path:
    """Turn any path into one that stays inside the folder that it is appended to."""
    path = Path(name)
    parts = path.parts[1:] if path.anchor else path.parts
    return Path(*("_" if part == ".." else part for part in parts or [".."]))


def _pcm_format(text: str) -> PcmFormat:
    rate, *rest = text.split(":", maxsplit=2)
    try:
        return PcmFormat(*map(int, (rate, *rest[:1])), *rest[1:])  # type: ignore[arg-type]
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    except ValueError:
        message = f"expected RATE[:CHANNELS[:ENCODING]], got {text!r}"
        raise argparse.ArgumentTypeError(message) from None
