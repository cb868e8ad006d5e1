"""LibriSpeech's layout on disk, checked.

A subset is a folder of `<speaker>/<chapter>/`. Each chapter contains a transcript,
`<speaker>-<chapter>.trans.txt`, with a line per utterance, its id and its words; and a recording
per id.

References:
    Panayotov et al., "LibriSpeech: an ASR corpus based on public domain audio books", ICASSP 2015.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from asr.audio.read import read_duration
from asr.corpus.utterance import Problem, Utterance
from asr.errors import AudioError, DataError
from asr.text.lines import read_text

AUDIO_ENDINGS = (".aif", ".aifc", ".aiff", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".wav")


@dataclass(frozen=True, slots=True)
class CorpusReport:
    """What a corpus contains; both parts in order of their ids.

    Attributes:
        utterances: The usable ones, each with duration, text and speaker.
        problems: The others, and why they cannot be used.
    """

    utterances: tuple[Utterance, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a transcript."""

    id: str
    text: str
    where: str


def read_librispeech(
    folder: Path | str, *, progress: Callable[[int, int], None] | None = None
) -> CorpusReport:
    """List the utterances of a subset, and its problems.

    A problem is an id with no words, no recording or several, a recording that `read_duration`
    refuses, or two lines in the transcripts; and a recording that is in no transcript. Only the
    recordings' headers are read, several at a time.

    Args:
        folder: The subset, such as `LibriSpeech/train-clean-5`. Its recordings may be in any format
            that `read_waveform` takes.
        progress: Called after each recording with the number of recordings so far, and of all.

    Raises:
        DataError: The folder is missing, has no transcripts in this layout, or one is not UTF-8.
    """
    folder = Path(folder)
    lines = _by_id(folder)
    recordings = _recordings_by_id(folder)
    paired = [
        _pair(name, lines.get(name, []), recordings.get(name, []))
        for name in sorted(lines.keys() | recordings.keys())
    ]
    unmeasured = [one for one in paired if isinstance(one, Utterance)]
    measured = list(_measure_all(unmeasured, progress))
    utterances = [one for one in measured if isinstance(one, Utterance)]
    problems = [one for one in (*paired, *measured) if isinstance(one, Problem)]
    return CorpusReport(tuple(utterances), tuple(sorted(problems, key=lambda problem: problem.id)))


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
        if path.suffix.lower() in AUDIO_ENDINGS:
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


def _measure_all(
    utterances: Sequence[Utterance], progress: Callable[[int, int], None] | None
) -> Iterator[Utterance | Problem]:
    """Read the headers, several at a time; return the results in order."""
    with ThreadPoolExecutor(thread_name_prefix="probe") as pool:
        for done, measured in enumerate(pool.map(_measure, utterances), start=1):
            if progress is not None:
                progress(done, len(utterances))
            yield measured


def _measure(utterance: Utterance) -> Utterance | Problem:
    try:
        return replace(utterance, duration=read_duration(utterance.audio_filepath))
    except AudioError as error:
        return Problem(utterance.id, str(error))
