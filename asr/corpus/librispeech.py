"""LibriSpeech's layout on disk, checked.

A subset is a folder of `<speaker>/<chapter>/`. Each chapter contains a transcript,
`<speaker>-<chapter>.trans.txt`, with a line per utterance, its id and its words; and a recording
per id.

References:
    Panayotov et al., "LibriSpeech: an ASR corpus based on public domain audio books", ICASSP 2015.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr.audio.source import ENDINGS
from asr.corpus.measuring import measured
from asr.corpus.utterance import CorpusReport, Problem, Utterance
from asr.errors import DataError
from asr.text.lines import read_text


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a transcript."""

    id: str
    text: str
    where: str


def read_librispeech(folder: Path | str) -> CorpusReport:
    """List the utterances of a subset with their durations, and its problems."""
    return measured(list_librispeech(folder))


def list_librispeech(folder: Path | str) -> CorpusReport:
    """List the utterances of a subset, and its problems, without opening a recording.

    A problem is an id with no words, no recording or several, or two lines in the transcripts; and
    a recording that is in no transcript.

    Args:
        folder: The subset, such as `LibriSpeech/train-clean-5`. Its recordings may be in any format
            that `read_waveform` takes.

    Returns:
        Utterances with text and speaker, and problems; both in order of their ids.

    Raises:
        DataError: The folder is missing, has no transcripts in this layout, or one is not UTF-8.
    """
    folder = Path(folder)
    lines = _by_id(folder)
    recordings = _recordings_by_id(folder)
    return CorpusReport.of(
        _pair(name, lines.get(name, []), recordings.get(name, []))
        for name in sorted(lines.keys() | recordings.keys())
    )


def _by_id(folder: Path) -> dict[str, list[_Line]]:
    """Group all lines of all transcripts; an id should have one, but may have more."""
    transcripts = sorted(folder.glob("*/*/*.trans.txt"))
    if not transcripts:
        reason = "has no <speaker>/<chapter>/*.trans.txt" if folder.is_dir() else "no such folder"
        raise DataError(f"{folder}: {reason}; name a subset, such as LibriSpeech/dev-clean")
    lines = defaultdict(list)
    for path in transcripts:
        for line in _read_transcript(path):
            lines[line.id].append(line)
    return lines


def _read_transcript(path: Path) -> Iterator[_Line]:
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        name, _, text = line.strip().partition(" ")
        if name:
            yield _Line(name, text.strip(), f"{path}:{number}")


def _recordings_by_id(folder: Path) -> dict[str, list[Path]]:
    recordings = defaultdict(list)
    for path in sorted(folder.glob("*/*/*")):
        if path.suffix.lower() in ENDINGS:
            recordings[path.stem].append(path)
    return recordings


def _pair(name: str, lines: Sequence[_Line], recordings: Sequence[Path]) -> Utterance | Problem:
    """Pair the line and the recording of one id, or give the reason why that is impossible."""
    if not lines:
        return Problem(name, f"{recordings[0]}: no transcript has this recording")
    where = lines[0].where
    if len(lines) > 1:
        return Problem(name, f"{where}: the same id is at {lines[1].where}")
    if not lines[0].text:
        return Problem(name, f"{where}: the transcript has no words")
    if not recordings:
        return Problem(name, f"{where}: there is no recording of this name")
    if len(recordings) > 1:
        return Problem(name, f"{recordings[0]}: the same id has {recordings[1]}")
    speaker = recordings[0].parent.parent.name
    return Utterance(name, recordings[0], text=lines[0].text, speaker=speaker)
