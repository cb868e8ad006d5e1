r"""NIST's formats of references and hypotheses: trn, stm and ctm, as sclite reads them.

  trn  words (speaker-utterance)
  stm  recording channel speaker begin end [<labels>] words
  ctm  recording channel begin duration word [confidence]

Lines that begin with `;;` are comments. A word may have tags, `word;tag`, which are dropped; `\\;`
is a semicolon. Texts may have alternatives and optional words, see `asr.wer.network`.

References:
    NIST, SCTK, manual page of sclite.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from asr.errors import DataError
from asr.text.lines import read_text

FORMATS = ("trn", "stm", "ctm")
IGNORED = "IGNORE_TIME_SEGMENT_IN_SCORING"
_TRN = re.compile(r"(?P<text>.*?)\s*\((?P<id>[^()]+)\)\s*")
_TAG = re.compile(r"(?<!\\);\S*")
_IGNORED = (IGNORED, IGNORED.replace("_", ""))
_STM_COLUMNS, _CTM_COLUMNS = 5, 5  # before the words; before the confidence
_ALTERNATION = {"<ALT_BEGIN>": "{", "<ALT>": "/", "<ALT_END>": "}"}
_MARK = re.compile(r"[{}]|(?<!\S)(\(\S+\)|@)(?!\S)")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech and its text.

    Attributes:
        id: Shared by reference and hypothesis.
        text: What was said, or recognised.
        speaker: None if unknown.
        recording: Recording and channel; None if unknown.
        begin: Seconds.
        end: Seconds; None if times are unknown.
    """

    id: str
    text: str
    speaker: str | None = None
    recording: tuple[str, str] | None = None
    begin: float = 0.0
    end: float | None = None


def has_marks(segment: Segment) -> bool:
    """Tell whether a text has alternatives or optional words."""
    return _MARK.search(segment.text) is not None


def unmarked(segment: Segment) -> Segment:
    """Write a text without the marks of alternatives and optional words."""
    if not has_marks(segment):
        return segment
    words = [word.strip("(){}") for word in segment.text.split() if word not in "{/}@"]
    return replace(segment, text=" ".join(words))


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """List the lines of a file that are neither empty nor comments, with their numbers."""
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip() and not line.startswith(";;"):
            yield number, line.rstrip("\r")


def read_trn(path: Path) -> Iterator[Segment]:
    """Read transcripts; the speaker is what the id has before its first `-` or `_`."""
    for number, line in lines(path):
        found = _TRN.fullmatch(line)
        if found is None:
            raise DataError(
                f"{path}:{number}: expected words and (speaker-utterance), got {line!r}"
            )
        speaker, *rest = re.split("[-_]", found["id"], maxsplit=1)
        yield Segment(found["id"], _words(found["text"]), speaker if rest else None)


def read_stm(path: Path) -> Iterator[Segment]:
    """Read segments; those to be ignored in scoring have `IGNORED` as text.

    A segment that is the only one of its recording is called after it; another also has its begin
    in its id. The channel is in the id if the recording has several.
    """
    rows = []
    for number, line in lines(path):
        columns = line.split(maxsplit=_STM_COLUMNS)
        text = columns.pop() if len(columns) == _STM_COLUMNS + 1 else ""
        if len(columns) != _STM_COLUMNS:
            raise DataError(
                f"{path}:{number}: expected recording, channel, speaker, begin, end and words, "
                f"got {line!r}"
            )
        times = (_seconds(columns[3], path, number), _seconds(columns[4], path, number))
        text = re.sub(r"^<[^<>]*>\s*", "", text)
        text = IGNORED if text.strip() in _IGNORED else _words(text)
        rows.append(Segment("", text, columns[2], (columns[0], columns[1]), *times))
    names = _names([(row.recording or ("", "")) for row in rows])
    n_each = Counter(names)
    for name, row in zip(names, rows, strict=True):
        yield replace(row, id=name if n_each[name] == 1 else f"{name}-{row.begin:.2f}")


def read_ctm(path: Path) -> Iterator[Segment]:
    """Read the words of each recording, or of each of its channels, as one text."""
    words = list(_timed_words(path))
    by_name: dict[str, list[_Timed]] = {}
    for word, name in zip(words, _names([word.recording for word in words]), strict=True):
        by_name.setdefault(name, []).append(word)
    for name, spoken in sorted(by_name.items()):
        yield Segment(name, " ".join(w.text for w in spoken), None, spoken[0].recording)


def words_in_segments(path: Path, segments: Sequence[Segment]) -> Iterator[Segment]:
    """Give the words of a ctm to the segments of an stm, as sclite does.

    A word goes to the first segment that ends after its middle, and the last segment of a channel
    takes the rest. Words of a recording without segments stay together.
    """
    by_channel: dict[tuple[str, str], list[_Timed]] = {}
    for word in _timed_words(path):
        by_channel.setdefault(_folded(word.recording), []).append(word)
    ordered = sorted(segments, key=lambda segment: segment.begin)
    for channel, words in by_channel.items():
        own = [segment for segment in ordered if _folded(segment.recording) == channel]
        if not own:
            yield Segment("-".join(words[0].recording), " ".join(word.text for word in words))
            continue
        texts: list[list[str]] = [[] for _ in own]
        at = 0
        for word in words:
            while at + 1 < len(own) and word.middle >= (own[at].end or 0.0):
                at += 1
            texts[at].append(word.text)
        for segment, spoken in zip(own, texts, strict=True):
            yield replace(segment, text=" ".join(spoken))


@dataclass(slots=True)
class _Timed:
    """A word of a ctm, or alternatives with all their words."""

    recording: tuple[str, str]
    text: str
    middle: float


def _timed_words(path: Path) -> Iterator[_Timed]:
    open_word: _Timed | None = None
    for number, line in lines(path):
        columns = line.split()
        if len(columns) not in (_CTM_COLUMNS, _CTM_COLUMNS + 1):
            raise DataError(
                f"{path}:{number}: expected recording, channel, begin, duration, word and perhaps "
                f"a confidence, got {line!r}"
            )
        recording, mark = (columns[0], columns[1]), _ALTERNATION.get(columns[4].upper())
        if mark == "{":
            open_word = _Timed(recording, mark, 0.0)
        elif mark is not None and open_word is not None:
            open_word.text += f" {mark}"
            if mark == "}":
                yield open_word
                open_word = None
        else:
            begin, duration = (_seconds(column, path, number) for column in columns[2:4])
            word = _Timed(recording, _words(columns[4]), begin + duration / 2)
            if open_word is None:
                yield word
            else:
                open_word.text += f" {word.text}"
                open_word.middle = max(open_word.middle, word.middle)
    if open_word is not None:
        raise DataError(f"{path}: <ALT_BEGIN> without <ALT_END>")


def _names(recordings: Sequence[tuple[str, str]]) -> list[str]:
    """Name recordings, with the channel where there are several."""
    n_channels = Counter(name for name, _ in set(recordings))
    return [name if n_channels[name] == 1 else f"{name}-{channel}" for name, channel in recordings]


def _folded(recording: tuple[str, str] | None) -> tuple[str, str]:
    name, channel = recording or ("", "")
    return name.lower(), channel.lower()


def _words(text: str) -> str:
    return _TAG.sub("", text).replace("\\;", ";")


def _seconds(column: str, path: Path, number: int) -> float:
    try:
        return float(column)
    except ValueError:
        raise DataError(f"{path}:{number}: expected seconds, got {column!r}") from None
