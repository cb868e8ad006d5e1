"""Print or write what was said in recordings.

Examples first; formats and details come after them.

Some recordings, from anywhere:
  asr transcribe speech.wav                             prints the text
  asr transcribe *.flac https://example.org/talk.mp3    a line each: name, tab, text
  ffmpeg -i film.mkv -f wav - | asr transcribe -        - is standard input
  asr transcribe --pcm 8000:1:mulaw call.raw            samples without a header

For a player, an editor or another program, as a file or on standard output:
  asr transcribe talk.mp3 --output talk.srt
  asr transcribe --format json *.flac | jq .words

Whole folders and their subfolders; archive/a/b.mp3 gives texts/a/b.vtt:
  asr transcribe archive --output texts --format vtt

On many machines, each taking its share (docs/transcribing-at-scale.md):
  asr transcribe archive --output texts --shard 7/100

While somebody speaks (asr listen does it with a microphone):
  asr transcribe --follow interview.wav                 prints lines as they are settled
  arecord -t raw -f S16_LE -r 16000 | asr transcribe --follow - --pcm 16000

If a file is still growing, --follow stops at the end it had at the start; pipe it in instead. A
pipe of raw samples is read as it fills; one with a header is first read to its end.

Recordings may be WAV, FLAC, Ogg, MP3, AIFF, AU, CAF and whatever else libsndfile reads, at any
rate, with any number of channels, of any length. With `pip install 'asr-ctc[media]'` they may be
M4A, MP4, WebM, MKV, WMA, AMR and whatever else FFmpeg reads; with [cloud], URLs of s3, gs, http and
others. The model is the one that comes with the package, with its default search, unless you choose
others.

Formats:
  txt           the text alone                 ctm        a word a line, with times (NIST)
  json, jsonl   text, words with times and     trn        text and name (NIST)
                confidence, score, a line each tsv        a table of cues
  whisper       JSON as Whisper writes it      TextGrid   for Praat
  srt, vtt      subtitles                      text       name and text (Kaldi)
  stm           name, times and text (NIST)

Formats name a recording, as manifests do, by its file name without the extension, so that asr score
finds its reference; by more of its path where two names would clash.

Into a folder, each transcript is written whole or not at all, under its recording's path in the
folder that you name; files end in their format's name, those of whisper in .whisper.json. What
exists already is skipped, so the same command resumes after Ctrl-C, SIGTERM or a crash; the first
two finish the recordings in hand first. --output is a folder unless its name ends as files of a
format do.

A word's confidence is the probability that it is right, if the model is calibrated for this kind of
search (see asr calibrate). Otherwise it is the product of the model's probabilities of the word's
tokens, which only ranks words.

A recording that cannot be used is named on stderr with the reason when all is done, and in the
folder's failures.tsv. The others are still transcribed, but the exit status is 1.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from asr.audio.recording import open_recording
from asr.audio.source import STDIN
from asr.cli.bars import HoursBar
from asr.cli.delivery import SELF_CONTAINED, Delivery, format_of, is_file
from asr.cli.live import print_settled
from asr.cli.messages import tell
from asr.cli.numbers import add_number, at_least
from asr.cli.recordings import (
    Failure,
    Named,
    add_pcm_argument,
    find_all,
    is_folder,
    name_all,
    recording_to_read,
)
from asr.cli.searching import add_model_option, add_search_arguments, load
from asr.cli.stopping import StopSignals, terminating
from asr.corpus.utterance import Utterance
from asr.errors import AsrError, AudioError, StoppedError, counted
from asr.text.formats import FORMATS
from asr.text.markdown import duration
from asr.text.transcript import Transcript

BATCH_DURATION = 60.0  # seconds of audio at once: enough to be quick, few enough to be prompt


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "recordings",
        type=recording_to_read,
        nargs="+",
        metavar="RECORDING",
        help="files, folders, URLs",
    )
    add_model_option(parser)
    parser.add_argument(
        "--format",
        type=_format_name,
        choices=FORMATS,
        help="one of those above (default: the ending of --output, else txt)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="OUT",
        help="a folder, for a file per recording; or, of a single one, NAME.FORMAT",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="transcribe again what is in the folder already"
    )
    parser.add_argument(
        "--shard", type=_shard, metavar="I/N", help="only every N-th recording, from the I-th on"
    )
    parser.add_argument(
        "--follow", action="store_true", help="print the words of one recording as they are settled"
    )
    add_number(
        parser, "--channel", "use one channel, counted from 0 (default: all, mixed)", minimum=0
    )
    add_pcm_argument(parser)
    parser.add_argument(
        "--threads",
        "--jobs",
        type=at_least(1),
        metavar="N",
        help="recordings at a time, a CPU thread each (default: as many as cores)",
    )
    add_search_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Transcribe every recording that can be used, and list those that cannot."""
    found, failures = find_all(options.recordings)
    is_single = len(found) == 1 and not failures and not is_folder(options.recordings[0])
    delivery = _delivery(options, is_single)
    if options.follow:
        with terminating():
            return _follow(options, found[0][0])
    named = name_all(found, delivery.reserved)
    if options.shard is not None:
        number, n_shards = options.shard
        named = named[number - 1 :: n_shards]
    to_do = [each for each in named if options.overwrite or not delivery.is_done(each)]
    if len(to_do) < len(named):
        n_done = counted(len(named) - len(to_do), "recording")
        tell(f"{n_done} done already (--overwrite transcribes again)")
    if to_do:
        delivery.make_folder()
    n_all = len(named) + len(failures)
    signals = StopSignals(last="the recordings in hand")
    try:
        with terminating() if is_single else signals:  # one alone ends at once
            for failure in _transcribe(options, to_do, delivery, signals.has_come):
                failures.append(failure)
    finally:
        _report(failures, n_all)
        delivery.list_failures(failures)
    if signals.has_stopped:
        return signals.exit_status
    return 1 if failures else 0


def _delivery(options: argparse.Namespace, is_single: bool) -> Delivery:
    """Decide where transcripts go and in which format; refuse what cannot be."""
    has_file = is_file(options.output)
    name = options.format or (has_file and format_of(options.output)) or "txt"
    if options.follow and not (is_single and options.output is None and name == "txt"):
        options.refuse("--follow prints the text of one recording")
    if options.output is not None and not has_file and options.output.is_file():
        options.refuse(f"--output {options.output} is a file; name a folder, or NAME.FORMAT")
    if has_file and not is_single:
        options.refuse("several recordings need --output FOLDER; for one file of all, use > FILE")
    if options.output is None and not is_single and name in SELF_CONTAINED:
        options.refuse(f"several recordings as {name} need --output FOLDER")
    share = ".{}-of-{}".format(*options.shard) if options.shard else ""
    return Delivery(name, options.output, is_single, share)


def _transcribe(
    options: argparse.Namespace,
    to_do: Sequence[Named],
    delivery: Delivery,
    must_stop: Callable[[], bool],
) -> Iterator[Failure]:
    """Transcribe and deliver; yield what failed.

    Raises:
        StoppedError: `must_stop` returned True before all was done.
    """

    def wanted() -> Iterator[Utterance]:
        for each in to_do:
            if must_stop():
                return
            yield Utterance(each.id, each.source, channel=options.channel)

    if not to_do:
        return
    recognizer = load(options)
    n_seen, began, seconds = 0, time.monotonic(), 0.0
    with HoursBar([each.source for each in to_do], options.pcm) as bar:
        results = recognizer.transcribe_all(
            wanted(), batch_duration=BATCH_DURATION, pcm=options.pcm, progress=bar.advance
        )
        for named, (_, result) in zip(to_do, results, strict=False):
            n_seen += 1
            failure = _delivered(delivery, named, result)
            if failure is not None:
                bar.fail(named.source)
                yield failure
            elif isinstance(result, Transcript):
                seconds += result.duration or 0.0
    if delivery.has_folder:
        took = time.monotonic() - began
        print(f"{options.output}: {duration(seconds)} of audio in {duration(took)}")
    if n_seen < len(to_do):
        n_left = len(to_do) - n_seen
        raise StoppedError(f"stopped; the same command transcribes the {n_left} that are left")


def _delivered(delivery: Delivery, named: Named, result: Transcript | AudioError) -> Failure | None:
    """Deliver a transcript; return why it cannot be, or why there is none."""
    if isinstance(result, AudioError):
        return Failure(named.source, result)
    try:
        delivery(named, result)
    except (AsrError, OSError) as error:
        if isinstance(error, OSError) and delivery.output is None:
            raise  # nobody reads standard output any more
        return Failure(named.source, error)
    return None


def _follow(options: argparse.Namespace, source: Path | str) -> int:
    """Print the words of one recording as they are settled."""
    recognizer = load(options)
    is_pipe = str(source) == STDIN and sys.stdin is not None and not sys.stdin.seekable()
    if is_pipe and options.pcm is None:
        tell("standard input is read to its end first; raw samples, as by --pcm 16000, are not")
    with open_recording(source, pcm=options.pcm) as recording:
        blocks = recording.blocks(recognizer.sample_rate, channel=options.channel)
        print_settled(recognizer, blocks)
    return 0


def _report(failures: Sequence[Failure], n_all: int) -> None:
    for failure in failures:
        tell(failure.reason)
    if failures and n_all > 1:
        tell(f"{len(failures):,} of {n_all:,} recordings could not be transcribed")


def _format_name(text: str) -> str:
    """Find a format by its name in any case."""
    return {name.lower(): name for name in FORMATS}.get(text.lower(), text)


def _shard(text: str) -> tuple[int, int]:
    """Read which share of how many."""
    numbers = text.split("/")
    if len(numbers) != 2 or not all(number.isdecimal() for number in numbers):
        raise argparse.ArgumentTypeError(f"expected I/N, such as 1/8, got {text!r}")
    share, n_shards = map(int, numbers)
    if not 1 <= share <= n_shards:
        raise argparse.ArgumentTypeError(f"expected I from 1 to N in I/N, got {text!r}")
    return share, n_shards
