"""Print what was said in recordings.

They may be WAV, FLAC, Ogg, MP3, AIFF, AU, CAF and what else libsndfile reads, at any rate, with any
number of channels; - is standard input. With `pip install 'asr-ctc[media]'` they may be M4A, MP4,
WebM, MKV, WMA, AMR and what else FFmpeg reads. The model is the one that comes with the package,
with its default search, unless you choose others.

One recording prints its text. Several print a line each, as soon as it is known: the file's name, a
tab, and the text, for `cut`, `sort` and spreadsheets. All other formats call a recording by its
name without folder and ending, as manifests do, so that asr score finds its reference.

  txt       the text alone                     ctm       a word a line, with times (NIST)
  json      text, words with times and         trn       text and name (NIST)
            confidence, score, a line each     tsv       a table of cues
  srt, vtt  subtitles                          TextGrid  for Praat
  stm       name, times and text (NIST)        text      name and text (Kaldi)

A word's confidence is the probability that it is right, if the model is calibrated for this kind of
search (see asr calibrate). Otherwise it is the product of the model's probabilities of the word's
tokens, which only ranks words.

A file that cannot be used is named on stderr with the reason. The others are still transcribed, but
the exit status is 1.

Examples:
  asr transcribe speech.wav
  asr transcribe --search greedy speech.wav                    is faster, with more errors
  asr transcribe --format json *.flac | jq .words
  asr transcribe --format srt --output subtitles talk.mp3      writes subtitles/talk.srt
  curl -s https://example.org/talk.mp3 | asr transcribe -
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from asr.checkpoint.names import DEFAULT_MODEL
from asr.cli.numbers import add_number
from asr.cli.searching import add_search_arguments, add_threads_argument, load
from asr.corpus.utterance import Utterance
from asr.errors import AsrError, AudioError
from asr.files import write_text
from asr.text.formats import FORMATS
from asr.text.transcript import Transcript

BATCH_DURATION = 60.0  # seconds of audio at once: enough to be quick, few enough to be prompt
SELF_CONTAINED = ("srt", "vtt", "tsv", "TextGrid")  # formats whose files hold one transcript

Deliver = Callable[[Path, Transcript], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="recordings")
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, help="a model's name or folder (default: %(default)s)"
    )
    parser.add_argument(
        "--format",
        type=_format_name,
        choices=FORMATS,
        default="txt",
        help="one of those above (default: txt)",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="write a file per recording into this folder"
    )
    add_number(
        parser, "--channel", "use one channel, counted from 0 (default: all, mixed)", minimum=0
    )
    add_search_arguments(parser)
    add_threads_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Transcribe every file that can be used, and name those that cannot."""
    deliver = _delivery(options)
    recognizer = load(options, options.model)
    utterances = [Utterance(str(path), path, channel=options.channel) for path in options.files]
    is_several, n_failed = len(utterances) > 1, 0
    results = recognizer.transcribe_all(utterances, batch_duration=BATCH_DURATION)
    is_hidden = None if is_several else True  # None: hidden unless stderr is a terminal
    with tqdm(results, total=len(utterances), unit="file", disable=is_hidden) as bar:
        for utterance, result in bar:
            try:
                if isinstance(result, AudioError):
                    raise result
                path = utterance.audio_filepath
                deliver(path, replace(result, id=path.stem))
            except AsrError as error:
                n_failed += 1
                bar.write(f"asr: {error}", file=sys.stderr)
    if n_failed and is_several:
        print(
            f"asr: {n_failed} of {len(utterances)} recordings could not be transcribed",
            file=sys.stderr,
        )
    return 1 if n_failed else 0


def _format_name(text: str) -> str:
    """Find a format by its name in any case."""
    return {name.lower(): name for name in FORMATS}.get(text.lower(), text)


def _delivery(options: argparse.Namespace) -> Deliver:
    """Choose where transcripts go."""
    is_several, write = len(options.files) > 1, FORMATS[options.format]
    if options.output is not None:
        _refuse_equal_names(options)
        return _into_files(options, write)
    if is_several and options.format in SELF_CONTAINED:
        options.refuse(f"several recordings as {options.format} need --output FOLDER")
    if is_several and options.format == "txt":
        return lambda path, transcript: _print(f"{path}\t{transcript.text}\n")
    _refuse_equal_names(options)
    return lambda _, transcript: _print(write(transcript))


def _refuse_equal_names(options: argparse.Namespace) -> None:
    (name, n_times), *_ = Counter(path.stem for path in options.files).most_common(1)
    if n_times > 1:
        options.refuse(f"more than one recording would become {name}.{options.format}")


def _into_files(options: argparse.Namespace, write: Callable[[Transcript], str]) -> Deliver:
    """Write each transcript into a file named after its recording."""
    options.output.mkdir(parents=True, exist_ok=True)

    def deliver(path: Path, transcript: Transcript) -> None:
        write_text(options.output / f"{path.stem}.{options.format}", write(transcript))

    return deliver


def _print(text: str) -> None:
    """Print around the progress bar, at once, even into a pipe."""
    tqdm.write(text, end="")
    sys.stdout.flush()
