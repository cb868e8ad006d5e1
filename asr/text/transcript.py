"""Transcript: the words recognised in one recording, and files of many transcripts (JSON lines).

Times are seconds from the start of the recording. On writing they are rounded to milliseconds,
confidences and scores to four decimals. Unknown values are `None`.
"""

import dataclasses
import json
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from asr.errors import DataError
from asr.files import writing
from asr.text.lines import Record, read_json_lines


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word and its time.

    Args:
        text: The word, without white space.
        start: Seconds, 0 <= start <= end.
        end: Seconds.
        confidence: 0 to 1; None if unknown. With a calibration, the probability that the word is
            correct; else the product of its tokens' posteriors.

    Raises:
        DataError: The times are not finite or not in order.
    """

    text: str
    start: float
    end: float
    confidence: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.start <= self.end < math.inf:
            raise DataError(
                f"word {self.text!r}: expected 0 <= start <= end in seconds, "
                f"got start {self.start} and end {self.end}"
            )


@dataclass(frozen=True, slots=True)
class Alternative:
    """One entry of an n-best list.

    Args:
        text: The words with one space between them.
        score: Natural log, by which the list is ordered; the weighted sum of the parts.
        acoustic_score: Natural log probability given the emission alone; None if unknown.
        lm_score: Natural log probability of the words, not weighted; None if unknown.
        words: With times; empty if these are unknown, and in the first entry, whose words are
            those of the transcript.
    """

    text: str
    score: float
    acoustic_score: float | None = None
    lm_score: float | None = None
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """The words recognised in one recording.

    Args:
        id: The utterance's id, or the recording's name.
        text: The words with one space between them; empty if nothing was recognised.
        score: Natural log, higher is better, comparable within one recording only.
        confidence: 0 to 1, the mean over the words; if calibrated, the expected share of correct
            ones.
        words: In the order of their starts; empty if times are unknown.
        n_best: Best first, `text` included; empty if not requested, and for a recording of more
            than 84 s, which is searched piece by piece.
        duration: Seconds of the recording; no word ends later.

    Raises:
        DataError: A word begins before the previous one, or ends after the recording.
    """

    id: str
    text: str
    score: float | None = None
    confidence: float | None = None
    words: tuple[Word, ...] = ()
    n_best: tuple[Alternative, ...] = ()
    duration: float | None = None

    def __post_init__(self) -> None:
        for word, following in pairwise(self.words):
            if following.start < word.start:
                raise DataError(
                    f"transcript {self.id}: {following.text!r} begins at {following.start} s, "
                    f"before {word.text!r} at {word.start} s; words must come in order"
                )
        end = max((word.end for word in self.words), default=0.0)
        if self.duration is not None and end > self.duration:
            raise DataError(
                f"transcript {self.id}: its words end at {end} s, "
                f"beyond the recording's {self.duration} s"
            )


def rank(transcript: Transcript, scores: Sequence[float]) -> Transcript:
    """Rerank the n-best list of a transcript by new scores, one per entry; ties keep their order.

    Returns:
        The transcript of the best entry, with the times of its words if known.
    """
    first, *others = transcript.n_best
    entries = [dataclasses.replace(first, words=transcript.words), *others]
    rescored = [
        dataclasses.replace(entry, score=score)
        for entry, score in zip(entries, scores, strict=True)
    ]
    best, *others = sorted(rescored, key=lambda entry: -entry.score)
    return dataclasses.replace(
        transcript,
        text=best.text,
        score=best.score,
        confidence=mean_confidence(best.words),
        words=best.words,
        n_best=(dataclasses.replace(best, words=()), *others),
    )


def mean_confidence(words: Sequence[Word]) -> float | None:
    """Average the known confidences of words; None if none is known."""
    confidences = [word.confidence for word in words if word.confidence is not None]
    return sum(confidences) / len(confidences) if confidences else None


def write_transcripts(path: Path, transcripts: Iterable[Transcript]) -> None:
    """Write transcripts as JSON lines, complete or not at all."""
    with writing(path) as file:
        for transcript in transcripts:
            # a surrogate in an id (a file name that is not UTF-8) becomes JSON's own escape
            file.write(f"{to_json(transcript)}\n".encode("utf-8", "backslashreplace"))


def read_transcripts(path: Path) -> dict[str, Transcript]:
    """Read the transcripts of a file of JSON lines by id, in the file's order.

    Only `id` and `text` are required, so that hypotheses of other systems can be scored. Unknown
    fields and empty lines are ignored.

    Raises:
        DataError: The file is missing, or a line is not a transcript or repeats an id; the message
            names file and line.
    """
    transcripts: dict[str, Transcript] = {}
    for where, record in read_json_lines(path):
        try:
            transcript = from_record(record)
        except DataError as error:
            raise DataError(f"{where}: {error}") from error
        if transcript.id in transcripts:
            raise DataError(f"{where}: a second transcript with the id {transcript.id!r}")
        transcripts[transcript.id] = transcript
    return transcripts


def to_json(transcript: Transcript) -> str:
    """Write a transcript as one line of JSON, without a newline.

    Raises:
        DataError: A score or confidence is NaN or infinite, which JSON does not allow.

    Example:
        >>> to_json(Transcript("a", "", duration=1.23456))
        '{"id": "a", "text": "", "score": null, "confidence": null, "duration": 1.235, \
"words": [], "n_best": []}'
    """
    record = {
        "id": transcript.id,
        "text": transcript.text,
        "score": _rounded(transcript.score, 4),
        "confidence": _rounded(transcript.confidence, 4),
        "duration": _rounded(transcript.duration, 3),
        "words": [_word_record(word) for word in transcript.words],
        "n_best": [_alternative_record(alternative) for alternative in transcript.n_best],
    }
    try:
        return json.dumps(record, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise DataError(f"transcript {transcript.id}: {error}") from error


def from_record(record: Record) -> Transcript:
    """Turn a JSON object, parsed, into a transcript.

    Raises:
        DataError: The string `id` or `text` is missing, or a field has the wrong type or an
            impossible value.
    """
    return Transcript(
        id=_text(record, "id"),
        text=_text(record, "text"),
        score=_optional_number(record, "score"),
        confidence=_confidence(record),
        words=_read_words(record),
        n_best=tuple(_read_alternative(entry) for entry in _objects(record, "n_best")),
        duration=_optional_number(record, "duration"),
    )


def _word_record(word: Word) -> Record:
    return {
        "text": word.text,
        "start": _rounded(word.start, 3),
        "end": _rounded(word.end, 3),
        "confidence": _rounded(word.confidence, 4),
    }


def _alternative_record(alternative: Alternative) -> Record:
    """Turn an entry of an n-best list into a JSON object without its unknown fields."""
    record = {
        "text": alternative.text,
        "score": _rounded(alternative.score, 4),
        "acoustic_score": _rounded(alternative.acoustic_score, 4),
        "lm_score": _rounded(alternative.lm_score, 4),
        "words": [_word_record(word) for word in alternative.words] or None,
    }
    return {name: value for name, value in record.items() if value is not None}


def _rounded(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits)


def _read_words(record: Record) -> tuple[Word, ...]:
    return tuple(
        Word(
            _text(entry, "text"),
            _number(entry, "start"),
            _number(entry, "end"),
            _confidence(entry),
        )
        for entry in _objects(record, "words")
    )


def _read_alternative(entry: Record) -> Alternative:
    return Alternative(
        _text(entry, "text"),
        _number(entry, "score"),
        _optional_number(entry, "acoustic_score"),
        _optional_number(entry, "lm_score"),
        _read_words(entry),
    )


def _text(record: Record, name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str):
        raise DataError(f"expected a string as {name!r}, got {value!r}")
    return value


def _number(record: Record, name: str) -> float:
    """Get a required finite number; a boolean, to Python a number, is not one."""
    value: Any = record.get(name)
    if type(value) not in {int, float} or not abs(value) <= sys.float_info.max:
        raise DataError(f"expected a finite number as {name!r}, got {value!r}")
    return float(value)


def _optional_number(record: Record, name: str) -> float | None:
    return None if record.get(name) is None else _number(record, name)


def _confidence(record: Record) -> float | None:
    """Get a confidence; other tools may give one in per cent or as a logarithm."""
    confidence = _optional_number(record, "confidence")
    if confidence is not None and not 0.0 <= confidence <= 1.0:
        raise DataError(f"expected a number from 0 to 1 as 'confidence', got {confidence:g}")
    return confidence


def _objects(record: Record, name: str) -> list[Record]:
    """Get a list of objects; empty if it is missing."""
    value = record.get(name) or []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise DataError(f"expected a list of objects as {name!r}, got {value!r}")
    return value
