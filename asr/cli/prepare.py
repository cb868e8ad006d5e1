"""Check a corpus, and list its utterances in a manifest.

The corpus is a subset of LibriSpeech, or any other in its layout. Several folders become one
manifest to train on; prepare and score test sets separately.

  FOLDER/<speaker>/<chapter>/*.trans.txt    each line an id and the words
  FOLDER/<speaker>/<chapter>/<id>.flac      or wav, ogg, mp3, aiff

A manifest is JSON lines: id, audio_filepath (relative to the manifest), duration, text, speaker.
You can also write your own; `asr decode` needs only id and audio_filepath.

Some utterances are left out, with the reason in MANIFEST.problems.txt and the first few on stderr:
transcripts without a recording, and the reverse; repeated ids; recordings that cannot be read; and
utterances too short for their text, which CTC cannot align: they need one frame per character and
one more between equal ones, at one frame per 0.01 s × the model's subsampling factor.

Example:
  asr prepare LibriSpeech/train-clean-5 --output train.jsonl
Next:
  asr train conf/mini_librispeech.toml --train train.jsonl --lexicon lexicon.txt --output model
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from asr.cli.bars import counting_bar
from asr.cli.numbers import add_number, duration
from asr.cli.outputs import add_output
from asr.corpus.alignable import too_short_for_ctc
from asr.corpus.librispeech import read_librispeech
from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Problem, Utterance
from asr.errors import DataError
from asr.files import write_text
from asr.lengths import n_frames, subsampled_lengths

SAMPLE_RATE = 16000  # for counting frames; recordings may have any
FRAME_LENGTH, FRAME_SHIFT = 400, 160  # samples: 0.025 and 0.010 s, as in every conf/*.toml
N_NAMED = 5  # problems on stderr, before "and n more"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="a subset, such as LibriSpeech/dev-clean",
    )
    add_output(parser, "MANIFEST", "manifest to write")
    add_number(parser, "--subsampling-factor", "of the model that will be trained", default=4)


def run(options: argparse.Namespace) -> int:
    """Read and check the corpus, and write the manifest and the list of problems."""
    utterances, problems = _read(options.folders)
    problems += too_short_for_ctc(
        utterances,
        n_frames_of=_encoder_frames(options.subsampling_factor),
        tokens_of=lambda text: [ord(character) for character in " ".join(text.split())],
    )
    left_out = {problem.id for problem in problems}
    usable = [utterance for utterance in utterances if utterance.id not in left_out]
    _report_problems(options.output, problems)
    if not usable:
        raise DataError(f"none of the {len(left_out)} utterances can be used")
    write_manifest(options.output, usable)
    print(f"{options.output}: {_summary(usable)}")
    return 0


def _read(folders: Sequence[Path]) -> tuple[list[Utterance], list[Problem]]:
    """Read the folders one after another; a repeated id is a problem."""
    by_id: dict[str, Utterance] = {}
    problems: list[Problem] = []
    for folder in folders:
        with counting_bar(f"{folder}: reading headers", "file") as advance:
            found = read_librispeech(folder, progress=advance)
        problems += found.problems
        for utterance in found.utterances:
            if utterance.id in by_id:
                first = by_id[utterance.id].audio_filepath
                problems.append(Problem(utterance.id, f"{folder}: the same id is that of {first}"))
            by_id.setdefault(utterance.id, utterance)
    return list(by_id.values()), problems


def _encoder_frames(subsampling_factor: int) -> Callable[[float], int]:
    """Make the function that counts the encoder frames of a duration in seconds."""

    def count(seconds: float) -> int:
        frames = n_frames(round(seconds * SAMPLE_RATE), FRAME_LENGTH, FRAME_SHIFT)
        return subsampled_lengths(frames, subsampling_factor)

    return count


def _report_problems(manifest: Path, problems: Sequence[Problem]) -> None:
    """Write all problems to a file next to the manifest, and the first ones to stderr."""
    path = manifest.with_name(f"{manifest.name}.problems.txt")
    if not problems:
        path.unlink(missing_ok=True)
        return
    lines = [f"{problem.id}\t{problem.reason}\n" for problem in problems]
    write_text(path, "".join(lines))
    print(f"asr: {len(problems)} left out (all in {path}):", file=sys.stderr)
    for problem in problems[:N_NAMED]:
        print(f"  {problem.id}: {problem.reason}", file=sys.stderr)
    if len(problems) > N_NAMED:
        print(f"  and {len(problems) - N_NAMED} more", file=sys.stderr)


def _summary(utterances: Sequence[Utterance]) -> str:
    """Summarise how much speech there is, and from how many speakers."""
    length = duration(sum(utterance.duration or 0.0 for utterance in utterances))
    n_speakers = len({utterance.speaker for utterance in utterances})
    return f"{len(utterances)} utterances, {length}, {n_speakers} speakers"
