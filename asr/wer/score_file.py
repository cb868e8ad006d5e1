"""Score files: a score with all that it depends on, and the record of the decoding run it scores.

A score file is one JSON object: what was scored and how, the totals, then one utterance a line with
its texts and counts, so that `diff` compares two runs line by line. The totals are for people;
reading sums the counts again.
"""

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from asr.errors import DataError
from asr.files import write_text, writing
from asr.provenance import Provenance
from asr.text.lines import Record, read_text
from asr.wer.alignment import Counts
from asr.wer.score import Score, UtteranceScore

FORMAT = "asr-score-1"

_COUNTS = tuple(field.name for field in fields(Counts))
_UTTERANCE = {field.name for field in fields(UtteranceScore)}


@dataclass(frozen=True, slots=True)
class DecodingRecord:
    """How a decoding run made its hypotheses.

    Attributes:
        model: Name or folder of the model.
        config_hash: Of the model's configuration.
        search: The search and its settings in a few words, as in `beam 16`.
        audio_seconds: Duration of the decoded speech.
        computing_seconds: Wall-clock time from audio to text, without loading the model.
        provenance: Of the decoding command.
        normaliser: That of the model's training text; None if unknown.
        search_kind: Which of the model's calibrations fits, see `asr.confidence`; None if unknown.
        is_calibrated: Whether that calibration was applied; if not, confidences are raw.
        trained_on: The speech that the model has learned from, in a line; None if unknown.
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
    trained_on: str | None = None

    @property
    def rtf(self) -> float | None:
        """Real-time factor, computing per second of audio; None if there was no audio."""
        return self.computing_seconds / self.audio_seconds if self.audio_seconds else None


@dataclass(frozen=True, slots=True)
class ScoreFile:
    """One subset, decoded and scored under one condition: a row of a report.

    Attributes:
        subset: Name of what was scored, for tables.
        condition: Short name of how it was decoded, as in `greedy`; unique within the subset.
        score: The counts.
        scoring: Provenance of the scoring command.
        decoding: None if the hypotheses came from another system.
    """

    subset: str
    condition: str
    score: Score
    scoring: Provenance
    decoding: DecodingRecord | None


def write_score_file(path: Path, score_file: ScoreFile) -> None:
    """Write a score file."""
    head = json.dumps(_head(score_file), indent=2, ensure_ascii=False).removesuffix("\n}")
    with writing(path) as file:
        file.write(f'{head},\n  "utterances": [\n'.encode("utf-8", "backslashreplace"))
        separator = ",\n"
        for i, utterance in enumerate(score_file.score.utterances):
            line = json.dumps(_utterance_record(utterance), ensure_ascii=False)
            file.write(f"{separator if i else ''}    {line}".encode("utf-8", "backslashreplace"))
        file.write(b"\n  ]\n}\n")


def read_score_file(path: Path) -> ScoreFile:
    """Read a score file.

    Raises:
        DataError: The file is missing, is not of this format, or its totals are not the sums of its
            utterances' counts.
    """
    text = read_text(path)
    try:
        record = json.loads(text, object_hook=_Compact())
        score_file = _score_file(record)
        is_consistent = record["words"] == score_file.score.total.words
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: expected a score of format {FORMAT}, got {error!r}") from error
    if not is_consistent:
        raise DataError(f"{path}: the totals are not the sums of the utterances; score it again")
    return score_file


def record_path(hypotheses: Path) -> Path:
    """Name the record of the decoding run that made hypotheses: H.run.json for H.jsonl."""
    return hypotheses.with_name(f"{hypotheses.name.removesuffix('.jsonl')}.run.json")


def write_decoding_record(path: Path, decoding: DecodingRecord) -> None:
    """Write the record of a decoding run as JSON."""
    write_text(path, json.dumps(asdict(decoding), indent=2, ensure_ascii=False) + "\n")


def read_decoding_record(path: Path) -> DecodingRecord:
    """Read the record of a decoding run.

    Raises:
        DataError: The file is missing or something else.
    """
    text = read_text(path)
    try:
        return _decoding_record(json.loads(text))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: expected the record of a decoding run, got {error!r}") from error


def _head(score_file: ScoreFile) -> Record:
    total = score_file.score.total
    return {
        "format": FORMAT,
        "subset": score_file.subset,
        "condition": score_file.condition,
        "normaliser": score_file.score.normaliser,
        "has_markup": score_file.score.has_markup,
        "wer": total.wer if math.isfinite(total.wer) else None,
        "cer": total.cer if math.isfinite(total.cer) else None,
        "ser": total.ser,
        "words": asdict(total.words),
        "characters": asdict(total.characters),
        "missing": list(score_file.score.missing),
        "extra": list(score_file.score.extra),
        "scoring": asdict(score_file.scoring),
        "decoding": asdict(score_file.decoding) if score_file.decoding else None,
    }


def _utterance_record(utterance: UtteranceScore) -> Record:
    """List the fields; `asdict` would take ten times as long."""
    return {
        "id": utterance.id,
        "speaker": utterance.speaker,
        "reference": utterance.reference,
        "hypothesis": utterance.hypothesis,
        "words": _counts_record(utterance.words),
        "characters": _counts_record(utterance.characters),
    }


def _counts_record(counts: Counts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in _COUNTS}


def _score_file(record: Record) -> ScoreFile:
    if record["format"] != FORMAT:
        raise ValueError(f"format {record['format']!r}")
    if not all(isinstance(utterance, UtteranceScore) for utterance in record["utterances"]):
        raise ValueError("an utterance with other fields")
    return ScoreFile(
        subset=record["subset"],
        condition=record["condition"],
        score=Score(
            record["normaliser"],
            tuple(record["utterances"]),
            tuple(record["extra"]),
            record.get("has_markup", False),  # scores before it have none
        ),
        scoring=Provenance(**record["scoring"]),
        decoding=_decoding_record(record["decoding"]) if record["decoding"] else None,
    )


class _Compact:
    """Turns JSON objects into counts and utterances as they are read, at a tenth of the memory."""

    def __init__(self) -> None:
        self._counts: dict[tuple[int, ...], Counts] = {}

    def __call__(self, record: Record) -> object:
        if record.keys() == set(_COUNTS):
            values = tuple(record[name] for name in _COUNTS)
            return self._counts.setdefault(values, Counts(*values))
        if record.keys() == _UTTERANCE:
            return UtteranceScore(**record)
        return record


def _decoding_record(record: Record) -> DecodingRecord:
    return DecodingRecord(**{**record, "provenance": Provenance(**record["provenance"])})
