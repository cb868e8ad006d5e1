"""Texts: references and hypotheses from the files of this and other tools.

A format is chosen by a file's name, or by the caller; a file's content is never guessed at.

  jsonl  a JSON object a line: manifests (ours, NeMo's) and hypotheses (`asr decode`, NeMo's)
  text   Kaldi's `text`, LibriSpeech's `.trans.txt`: the id, then the words; speakers are those of
         Kaldi's `utt2spk` beside it
  tsv    two columns: id, tab, words
  txt    only words; a line's number is its id
  trn, stm, ctm    NIST's, see `asr.wer.nist`
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from sys import intern

from asr.errors import DataError
from asr.text.formats import in_column, in_parentheses
from asr.text.lines import Record, read_json_lines, read_text
from asr.wer import nist
from asr.wer.nist import Segment


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a file.

    Attributes:
        segments: With ids that differ; those of references have texts.
        has_markup: Whether some have alternatives or optional words.
        ignored: Segments whose words are not scored.
    """

    segments: tuple[Segment, ...]
    has_markup: bool
    ignored: tuple[Segment, ...] = ()


def read_references(path: Path, file_format: str | None = None) -> Texts:
    """Read references.

    Args:
        path: The file.
        file_format: One of those above; None: by the file's name.

    Raises:
        DataError: The file cannot be read or breaks its format, or repeats an id, or its name says
            no format.
    """
    kind = file_format or format_of(path)
    read = _json_references if kind == "jsonl" else _READERS[kind]
    found = _distinct(path, read(path))
    segments = tuple(segment for segment in found if segment.text != nist.IGNORED)
    if not segments:
        raise DataError(f"{path}: expected references, got an empty file")
    return Texts(
        segments,
        kind in nist.FORMATS and any(map(nist.has_marks, segments)),
        tuple(segment for segment in found if segment.text == nist.IGNORED),
    )


def read_hypotheses(path: Path, references: Texts, file_format: str | None = None) -> Texts:
    """Read the hypotheses for some references.

    The words of a `ctm` go to the segments of the references in whose time they are, if these have
    times.

    Raises:
        DataError: As for `read_references`; or the file is a manifest, whose texts are no
            hypotheses; or it has no id of the references.
    """
    kind = file_format or format_of(path)
    has_times = any(segment.end is not None for segment in references.segments)
    if kind == "ctm" and has_times:
        everywhere = (*references.segments, *references.ignored)
        ignored = {segment.id for segment in references.ignored}
        words = nist.words_in_segments(path, everywhere)
        segments = tuple(segment for segment in words if segment.id not in ignored)
    else:
        read = _json_hypotheses if kind == "jsonl" else _READERS[kind]
        segments = _distinct(path, read(path))
    known = {segment.id for segment in references.segments}
    if kind not in ("jsonl", "txt"):
        spelled = {_as_written(name, kind): name for name in known}
        named = (
            s if s.id in known else replace(s, id=spelled.get(_as_written(s.id, kind), s.id))
            for s in segments
        )
        segments = _distinct(path, named)
    if not any(segment.id in known for segment in segments):
        shown = f"{segments[0].id!r}, and not {references.segments[0].id!r}" if segments else "none"
        raise DataError(f"{path}: none of its ids is among the references; got {shown}")
    if kind == "txt" and len(segments) != len(references.segments):
        raise DataError(
            f"{path}: has {len(segments)} lines, and the references {len(references.segments)}; "
            "without ids, line n is scored against line n"
        )
    return Texts(segments, kind in nist.FORMATS and any(map(nist.has_marks, segments)))


def format_of(path: Path) -> str:
    """Tell the format of a file by its name.

    Raises:
        DataError: The name has none of the known endings.
    """
    ending = path.suffix.removeprefix(".").lower()
    if path.name == "text" or path.name.endswith(".trans.txt"):
        return "text"
    kind = "jsonl" if ending == "json" else ending
    if kind not in FORMATS:
        raise DataError(
            f"{path}: expected a name that ends in .{', .'.join(FORMATS)}; rename it, or give its "
            "format (see asr score --help)"
        )
    return kind


def _as_written(name: str, kind: str) -> str:
    """Write an id as a format has it; sclite compares those of a trn without case."""
    return in_parentheses(name).lower() if kind == "trn" else in_column(name)


def _distinct(path: Path, segments: Iterator[Segment]) -> tuple[Segment, ...]:
    found: dict[str, Segment] = {}
    for segment in segments:
        if segment.id in found:
            raise DataError(f"{path}: a second text with the id {segment.id!r}")
        found[segment.id] = segment
    return tuple(found.values())


def _json_references(path: Path) -> Iterator[Segment]:
    for where, record in read_json_lines(path):
        text, speaker = record.get("text"), record.get("speaker")
        if not isinstance(text, str):
            raise DataError(f"{where}: expected a string as 'text', the reference, got {text!r}")
        yield Segment(_id(record, where), text, None if speaker is None else intern(str(speaker)))


def _json_hypotheses(path: Path) -> Iterator[Segment]:
    for where, record in read_json_lines(path):
        # In NeMo's output `text` is the reference, and `pred_text` what was recognised.
        is_manifest = "audio_filepath" in record
        name = "pred_text" if is_manifest or "pred_text" in record else "text"
        text = record.get(name)
        if not isinstance(text, str):
            why = "; this is a manifest, whose 'text' is the reference" if is_manifest else ""
            raise DataError(f"{where}: expected the hypothesis as {name!r}, got {text!r}{why}")
        yield Segment(_id(record, where), text)


def _id(record: Record, where: str) -> str:
    """Find an utterance's id; NeMo's manifests have none, so it is the recording's name there."""
    name = record.get("id")
    if isinstance(name, str) and name:
        return name
    audio, offset = record.get("audio_filepath"), record.get("offset")
    if name is not None or not isinstance(audio, str):
        raise DataError(f"{where}: expected a string as 'id' (or 'audio_filepath'), got {name!r}")
    return f"{Path(audio).stem}-{offset:g}" if offset else Path(audio).stem


def _kaldi(path: Path) -> Iterator[Segment]:
    beside = path.with_name("utt2spk")
    rows = nist.lines(beside) if beside.exists() else ()
    speakers = {name: speaker for name, *speaker in (line.split(maxsplit=1) for _, line in rows)}
    for _, line in nist.lines(path):
        name, *text = line.split(maxsplit=1)
        yield Segment(name, "".join(text), *speakers.get(name, ()))


def _columns(path: Path) -> Iterator[Segment]:
    for number, line in nist.lines(path):
        columns = line.split("\t")
        if len(columns) != 2:
            raise DataError(f"{path}:{number}: expected id, tab, words; got {len(columns)} columns")
        if number > 1 or columns != ["id", "text"]:  # a heading
            yield Segment(columns[0], columns[1])


def _plain(path: Path) -> Iterator[Segment]:
    text = read_text(path)
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else [], start=1):
        yield Segment(str(number), line)


_READERS: dict[str, Callable[[Path], Iterator[Segment]]] = {
    "text": _kaldi,
    "tsv": _columns,
    "txt": _plain,
    "trn": nist.read_trn,
    "stm": nist.read_stm,
    "ctm": nist.read_ctm,
}
FORMATS = ("jsonl", *_READERS)
