"""Condition: a score with everything that it depends on, and its file, `score.json`.

The file is one JSON object that explains itself: what was scored and how, the totals, then one
utterance a line with its texts and counts, so that two runs can be compared line by line. The
totals are there for people; whoever reads the file sums the counts anew.
"""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asr.errors import DataError
from asr.provenance import Provenance
from asr.wer.alignment import Counts
from asr.wer.score import Score, UtteranceScore

FORMAT = "asr-score-1"

Record = dict[str, Any]  # a JSON object


@dataclass(frozen=True, slots=True)
class Decoding:
    """How hypotheses were made.

    Attributes:
        model: Name or folder of the model.
        config_hash: Of the model's resolved configuration; behind a + that of its speller, if it
            had a part.
        search: The search and its settings in a few words, as in `beam 16`.
        audio_seconds: Duration of the decoded speech.
        computing_seconds: Wall-clock time from audio to text, without loading the model.
        provenance: Of the decoding command.
        normaliser: The one that the model's training text went through; None if not known.
        search_kind: Which of the model's calibrations fits, see `asr.confidence`; None if unknown.
        is_calibrated: Whether confidences went through it; if not, they are the search's own.
    """

    model: str
    config_hash: str
    search: str
    audio_seconds: float
    computing_seconds: float
    provenance: Provenance
    normaliser: str | None = None
    search_kind: str | None = None
    is_calibrated: bool = False

    @property
    def rtf(self) -> float | None:
        """Real-time factor, computing per second of audio; None if there was no audio."""
        return self.computing_seconds / self.audio_seconds if self.audio_seconds else None


@dataclass(frozen=True, slots=True)
class Condition:
    """One subset, decoded and scored in one way: a row of a report.

    Attributes:
        subset: What was scored, in words that a table can show.
        name: What tells this condition from others on the subset, as in `greedy`.
        score: The counts.
        scoring: Provenance of the scoring command.
        decoding: How the hypotheses were made; None if they came from elsewhere.
    """

    subset: str
    name: str
    score: Score
    scoring: Provenance
    decoding: Decoding | None


def write_condition(path: Path, condition: Condition) -> None:
    """Write `score.json`. The file appears complete or not at all."""
    head = json.dumps(_head(condition), indent=2, ensure_ascii=False).removesuffix("\n}")
    utterances = ",\n".join(
        f"    {json.dumps(asdict(utterance), ensure_ascii=False)}"
        for utterance in condition.score.utterances
    )
    _write(path, f'{head},\n  "utterances": [\n{utterances}\n  ]\n}}\n')


def read_condition(path: Path) -> Condition:
    """Read `score.json`.

    Raises:
        DataError: The file is missing, is no score of this format, or its totals are not the
            sums of its utterances' counts.
    """
    record = _read(path)
    try:
        condition = _condition(record)
        is_whole = record["words"] == asdict(condition.score.total.words)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: expected a score of format {FORMAT}, got {error!r}") from error
    if not is_whole:
        raise DataError(f"{path}: the totals are not the sums of the utterances; score it again")
    return condition


def write_decoding(path: Path, decoding: Decoding) -> None:
    """Write how hypotheses were made, as JSON. The file appears complete or not at all."""
    _write(path, json.dumps(asdict(decoding), indent=2, ensure_ascii=False) + "\n")


def read_decoding(path: Path) -> Decoding:
    """Read how hypotheses were made.

    Raises:
        DataError: The file is missing or says something else.
    """
    record = _read(path)
    try:
        return _decoding(record)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: expected the record of a decoding, got {error!r}") from error


def _head(condition: Condition) -> Record:
    """Write everything but the utterances as a JSON object."""
    total = condition.score.total
    return {
        "format": FORMAT,
        "subset": condition.subset,
        "condition": condition.name,
        "normaliser": condition.score.normaliser,
        "wer": total.wer if math.isfinite(total.wer) else None,
        "cer": total.cer if math.isfinite(total.cer) else None,
        "words": asdict(total.words),
        "characters": asdict(total.characters),
        "missing": list(condition.score.missing),
        "extra": list(condition.score.extra),
        "scoring": asdict(condition.scoring),
        "decoding": asdict(condition.decoding) if condition.decoding else None,
    }


def _condition(record: Record) -> Condition:
    """Read a JSON object as a condition."""
    if record["format"] != FORMAT:
        raise ValueError(f"format {record['format']!r}")
    return Condition(
        subset=record["subset"],
        name=record["condition"],
        score=Score(
            record["normaliser"],
            tuple(_utterance(entry) for entry in record["utterances"]),
            tuple(record["extra"]),
        ),
        scoring=Provenance(**record["scoring"]),
        decoding=_decoding(record["decoding"]) if record["decoding"] else None,
    )


def _utterance(record: Record) -> UtteranceScore:
    """Read a JSON object as an utterance's score."""
    counts = {name: Counts(**record[name]) for name in ("words", "characters")}
    return UtteranceScore(**{**record, **counts})


def _decoding(record: Record) -> Decoding:
    """Read a JSON object as a decoding."""
    return Decoding(**{**record, "provenance": Provenance(**record["provenance"])})


def _read(path: Path) -> Record:
    """Read a file that holds one JSON object."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: expected a JSON file, got {error}") from error
    if not isinstance(record, dict):
        raise DataError(f"{path}: expected a JSON object")
    return record


def _write(path: Path, text: str) -> None:
    """Write a file that appears complete or not at all."""
    partial = path.with_name(f"{path.name}.part")
    partial.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    partial.replace(path)
