"""`asr transcribe`: recordings become text, or subtitles, or times of words."""

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.numbers import at_least
from asr.cli.searching import add_search_arguments, add_threads_argument, load
from asr.text.formats import FORMATS

if TYPE_CHECKING:
    from asr.text.transcript import Transcript

HELP = "print what was said in recordings"
DESCRIPTION = """\
Print what was said in recordings: WAV, FLAC, Ogg, MP3 or AIFF, at any rate, mono or not.

One recording gives its text. Several give a line each as soon as it is known: the file's name, a
tab, and the text, which `cut`, `sort` and spreadsheets take apart (a name may contain a colon, or
spaces, but hardly a tab).

  txt       the text alone                     ctm       a word a line, with times (NIST)
  json      text, words with times and         trn       text and name (NIST)
            confidence, score, a line each     tsv       a table of cues
  srt, vtt  subtitles                          TextGrid  for Praat

A word's confidence is the probability that it is right, if the model has a calibration of this kind
of search (see asr calibrate); else the product of what the model gives to the word's tokens, which
only tells surer words from less sure ones.

A file that cannot be used is named on stderr with the reason; the others are transcribed all the
same, and the exit status is 1.

examples:
  asr transcribe speech.wav
  asr transcribe --format json *.flac | jq .words
  asr transcribe --format srt --output subtitles talk.mp3      writes subtitles/talk.srt
"""

BATCH_DURATION = 60.0  # seconds of audio at once: enough to be quick, few enough to be prompt
SELF_CONTAINED = ("srt", "vtt", "tsv", "TextGrid")  # formats of which a file holds one transcript

Deliver = Callable[[Path, "Transcript"], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr transcribe` takes."""
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="recordings")
    parser.add_argument(
        "--model", metavar="MODEL", help="a model's name or folder (default: the one shipped)"
    )
    parser.add_argument(
        "--format",
        type=_format_name,
        choices=FORMATS,
        default="txt",
        help="one of those above (default: txt)",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="write a file a recording into this folder"
    )
    parser.add_argument(
        "--channel",
        type=at_least(0),
        metavar="N",
        help="listen to one channel, counted from 0 (default: all, mixed)",
    )
    add_search_arguments(parser)
    add_threads_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Transcribe every file that can be used, and name those that cannot."""
    from tqdm import tqdm

    from asr.checkpoint.names import DEFAULT_MODEL
    from asr.corpus.utterance import Utterance
    from asr.errors import AsrError, AudioError

    deliver = _delivery(options)
    recognizer = load(options, options.model or DEFAULT_MODEL)
    utterances = [Utterance(str(path), path, channel=options.channel) for path in options.files]
    n_failed = 0
    with tqdm(total=len(utterances), unit="file", disable=_hides_bar(options)) as bar:
        for utterance, result in recognizer.transcribe_all(
            utterances, batch_duration=BATCH_DURATION
        ):
            try:
                if isinstance(result, AudioError):
                    raise result
                deliver(utterance.audio_filepath, result)
            except AsrError as error:
                n_failed += 1
                bar.write(f"asr: {error}", file=sys.stderr)
            bar.update()
    if n_failed and len(utterances) > 1:
        print(
            f"asr: {n_failed} of {len(utterances)} recordings could not be transcribed",
            file=sys.stderr,
        )
    return 1 if n_failed else 0


def _format_name(text: str) -> str:
    """Find a format by its name in any case."""
    return {name.lower(): name for name in FORMATS}.get(text.lower(), text)


def _hides_bar(options: argparse.Namespace) -> bool | None:
    """Tell tqdm whether to keep silent; None means: unless stderr is a terminal."""
    return None if len(options.files) > 1 else True


def _delivery(options: argparse.Namespace) -> Deliver:
    """Choose what becomes of a transcript."""
    is_several, write = len(options.files) > 1, FORMATS[options.format]
    if options.output is not None:
        return _into_files(options, write)
    if is_several and options.format in SELF_CONTAINED:
        options.refuse(f"several recordings as {options.format} need --output FOLDER")
    if is_several and options.format == "txt":
        return lambda path, transcript: _print(f"{path}\t{transcript.text}\n")
    return lambda _, transcript: _print(write(transcript))


def _into_files(options: argparse.Namespace, write: Callable[["Transcript"], str]) -> Deliver:
    """Write each transcript into a file named after its recording."""
    folder: Path = options.output
    times = Counter(path.stem for path in options.files)
    clash = next((name for name, n in times.items() if n > 1), None)
    if clash is not None:
        options.refuse(f"more than one recording would become {clash}.{options.format}")
    folder.mkdir(parents=True, exist_ok=True)

    def deliver(path: Path, transcript: "Transcript") -> None:
        target = folder / f"{path.stem}.{options.format}"
        target.write_text(write(transcript), encoding="utf-8", errors="backslashreplace")

    return deliver


def _print(text: str) -> None:
    """Print around the progress bar, and at once, also into a pipe."""
    from tqdm import tqdm

    tqdm.write(text, end="")
    sys.stdout.flush()
