"""Check a corpus, and list its utterances in a manifest.

The corpus is a subset of LibriSpeech, or any other in its layout. Several folders become one
manifest to train on; prepare and score test sets separately.

  FOLDER/<speaker>/<chapter>/*.trans.txt    each line an id and the words
  FOLDER/<speaker>/<chapter>/<id>.flac      or wav, ogg, mp3, aiff

A manifest is JSON lines: id, audio_filepath (relative to the manifest), duration, text, speaker.
You can also write your own; `asr decode` needs only id and audio_filepath.

Some utterances are left out, with the reason in MANIFEST.problems.txt and the first few on stderr:
transcripts without a recording, and the reverse; an id with two meanings (a copy is taken once);
recordings that cannot be read; and utterances too short for their text, which CTC cannot align:
they need one frame per character and one more between equal ones, at one frame per 0.01 s × the
model's subsampling factor.

--ids takes only the utterances of a list, an id a line, wherever in the folders they are. If more
than 1 % of the ids are missing, nothing is written.

Examples:
  asr prepare LibriSpeech/train-clean-5 --output train.jsonl
  asr prepare LibriSpeech/train-* --ids recipes/librispeech/hours-17.txt --output train.jsonl
Next:
  asr train conf/mini_librispeech.toml --train train.jsonl --lexicon lexicon.txt --output model
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from asr.cli.bars import counting_bar
from asr.cli.numbers import add_number, duration
from asr.cli.outputs import add_output, shortened
from asr.corpus.alignable import too_short_for_ctc
from asr.corpus.librispeech import list_librispeech
from asr.corpus.manifest import write_manifest
from asr.corpus.measuring import measured
from asr.corpus.selection import read_ids, selected
from asr.corpus.utterance import Problem, Utterance, without_folders
from asr.errors import DataError
from asr.files import write_text
from asr.lengths import n_frames, subsampled_lengths

SAMPLE_RATE = 16000  # for counting frames; recordings may have any
FRAME_LENGTH, FRAME_SHIFT = 400, 160  # samples: 0.025 and 0.010 s, as in every conf/*.toml
N_NAMED = 5  # problems on stderr, before "and n more"
MAX_MISSING_SHARE = 0.01  # of the ids of a list


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="a subset, such as LibriSpeech/dev-clean",
    )
    add_output(parser, "MANIFEST", "manifest to write")
    parser.add_argument(
        "--ids", type=Path, metavar="FILE", help="take only the utterances with these ids"
    )
    add_number(parser, "--subsampling-factor", "of the model that will be trained", default=4)


def run(options: argparse.Namespace) -> int:
    """Read and check the corpus, and write the manifest and the list of problems."""
    ids = read_ids(options.ids) if options.ids else None
    utterances, problems = _read(options.folders, ids)
    problems += _missing(ids or frozenset(), options.ids, utterances, problems)
    problems += too_short_for_ctc(
        utterances,
        n_frames_of=_encoder_frames(options.subsampling_factor),
        tokens_of=lambda text: [ord(character) for character in " ".join(text.split())],
    )
    left_out = {problem.id for problem in problems}
    usable = [utterance for utterance in utterances if utterance.id not in left_out]
    report_problems(options.output, problems)
    if not usable:
        raise DataError(f"none of the {len(left_out)} utterances can be used")
    write_manifest(options.output, usable)
    print(f"{options.output}: {summary(usable)}")
    return 0


def _read(
    folders: Sequence[Path], ids: frozenset[str] | None
) -> tuple[list[Utterance], list[Problem]]:
    """Read the folders one after another; an id that means two things is a problem."""
    by_id: dict[str, Utterance] = {}
    problems: list[Problem] = []
    copies: list[str] = []
    for folder in folders:
        listed = list_librispeech(folder)
        if ids is not None:
            listed = selected(listed, ids)
        with counting_bar(f"{folder}: reading headers", "file") as advance:
            found = measured(listed, progress=advance)
        problems += found.problems
        for utterance in found.utterances:
            first = by_id.setdefault(utterance.id, utterance)
            if first is not utterance and without_folders([first]) == without_folders([utterance]):
                copies.append(utterance.id)
            elif first is not utterance:
                reason = f"{folder}: the same id is that of {first.audio_filepath}"
                problems.append(Problem(utterance.id, reason))
    if copies:
        print(f"asr: {len(copies)} copies taken once: {shortened(copies)}", file=sys.stderr)
    return list(by_id.values()), problems


def _missing(
    ids: frozenset[str], path: Path, utterances: Sequence[Utterance], problems: Sequence[Problem]
) -> list[Problem]:
    """List the ids of a file that were not found; refuse if they are more than a small share."""
    met = {utterance.id for utterance in utterances} | {problem.id for problem in problems}
    missing = sorted(ids - met)
    if len(missing) > MAX_MISSING_SHARE * len(ids):
        raise DataError(
            f"{path}: {len(missing)} of its {len(ids)} ids are in none of the folders: "
            f"{shortened(missing)}; name the folders of all its subsets"
        )
    return [Problem(name, f"{path}: its recording is in none of the folders") for name in missing]


def _encoder_frames(subsampling_factor: int) -> Callable[[float], int]:
    """Make the function that counts the encoder frames of a duration in seconds."""

    def count(seconds: float) -> int:
        frames = n_frames(round(seconds * SAMPLE_RATE), FRAME_LENGTH, FRAME_SHIFT)
        return subsampled_lengths(frames, subsampling_factor)

    return count


def report_problems(manifest: Path, problems: Sequence[Problem]) -> None:
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


def summary(utterances: Sequence[Utterance]) -> str:
    """Summarise how much speech there is, and from how many speakers."""
    length = duration(sum(utterance.duration or 0.0 for utterance in utterances))
    n_speakers = len({utterance.speaker for utterance in utterances})
    return f"{len(utterances)} utterances, {length}, {n_speakers} speakers"
