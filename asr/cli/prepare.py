"""Check recordings and their texts, and list them in a manifest.

The sources, of which you may give several:

  FOLDER    in LibriSpeech's layout: <speaker>/<chapter>/*.trans.txt, each line an id and the words
  FOLDER    of recordings (flac, wav, ogg, mp3, aiff), with the text of one.wav in one.txt beside it
  LIST      .jsonl: a manifest, with or without id and duration, as NeMo's are
  LIST      .csv or .tsv with a first line that names the columns, such as Common Voice's path and
            sentence, or audio and text; paths are relative to the list

A manifest is JSON lines: id, audio_filepath (relative to the manifest), offset, duration, text,
speaker, channel. What is missing is filled in: an id from the path, the duration from the
recording. Durations of other tools may be up to 0.5 s off. Prepare and score test sets separately.

Some utterances are left out, with the reason in MANIFEST.problems.txt and the first few on stderr:
texts without a recording, and the reverse; an id with two meanings (a copy is taken once);
recordings that cannot be read; texts of which the normaliser leaves nothing (an empty text stays:
nobody speaks); and utterances too short for their text, which CTC cannot align: they need one frame
per character and one more between equal ones, at one frame per 0.01 s × the subsampling factor.

Only headers are read. --decode reads everything, as slowly as training does in its first epoch, and
finds recordings that are damaged in the middle.

Letters, digits and symbols that the normaliser takes out of texts are counted and named: a model
would learn not to hear them. --normaliser is the text.normaliser of your configuration.

--ids takes only the utterances of a list, an id a line, wherever in the folders they are. If more
than 1 % of the ids are missing, nothing is written.

Examples:
  asr prepare LibriSpeech/train-clean-5 --output train.jsonl
  asr prepare LibriSpeech/train-* --ids recipes/librispeech/hours-17.txt --output train.jsonl
  asr prepare cv-corpus/en/train.tsv my-recordings --decode --output train.jsonl
Next:
  asr train conf/mini_librispeech.toml --train train.jsonl --lexicon lexicon.txt --output model
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from asr.cli.bars import counting_bar
from asr.cli.messages import tell
from asr.cli.numbers import add_number
from asr.cli.omitting import add_normaliser, add_omission_limit, check_omissions
from asr.cli.outputs import add_output
from asr.corpus.alignable import too_short_for_ctc
from asr.corpus.listing import list_corpora
from asr.corpus.manifest import write_manifest
from asr.corpus.measuring import decoded, measured
from asr.corpus.selection import read_ids, selected
from asr.corpus.utterance import CorpusReport, Problem, Utterance, without_folders
from asr.errors import DataError, counted, shortened
from asr.files import write_text
from asr.lengths import n_frames, subsampled_lengths
from asr.text.markdown import duration, visible
from asr.text.normalise import normaliser

SAMPLE_RATE = 16000  # for counting frames; recordings may have any
FRAME_LENGTH, FRAME_SHIFT = 400, 160  # samples: 0.025 and 0.010 s, as in every conf/*.toml
N_NAMED = 5  # problems on stderr, before "and n more"
MAX_MISSING_SHARE = 0.01  # of the ids of a list


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sources",
        type=Path,
        nargs="+",
        metavar="FOLDER|LIST",
        help="recordings and texts, such as LibriSpeech/dev-clean or train.tsv",
    )
    add_output(parser, "MANIFEST", "manifest to write")
    parser.add_argument(
        "--ids", type=Path, metavar="FILE", help="take only the utterances with these ids"
    )
    parser.add_argument(
        "--decode", action="store_true", help="read every recording to its end, not its header only"
    )
    add_normaliser(parser, "of the model that will be trained")
    add_omission_limit(parser)
    add_number(parser, "--subsampling-factor", "of the model that will be trained", default=4)


def run(options: argparse.Namespace) -> int:
    """List and check the corpora, and write the manifest and the list of problems."""
    listed = list_corpora(options.sources)
    if not listed.utterances and not listed.problems:
        raise DataError(f"{', '.join(map(str, options.sources))}: expected utterances, got none")
    if options.ids:
        listed = _only(listed, options.ids)
    omissions = check_omissions(
        options.output, listed.utterances, options.normaliser, options.max_lost
    )
    found = _with_durations(listed, decode=options.decode)
    normalise = normaliser(options.normaliser)
    unusable = [
        *_repeated(found.utterances),
        *_emptied(found.utterances, omissions.emptied, options.normaliser),
        *too_short_for_ctc(
            found.utterances,
            n_frames_of=_encoder_frames(options.subsampling_factor),
            tokens_of=lambda text: [ord(character) for character in normalise(text)],
        ),
    ]
    left_out = {problem.id for problem in unusable}
    usable = list({u.id: u for u in found.utterances if u.id not in left_out}.values())
    report_problems(options.output, [*found.problems, *unusable])
    if not usable:
        n_found = len(found.problems) + len(left_out)
        raise DataError(f"expected a usable utterance, got none among {n_found:,}")
    write_manifest(options.output, usable)
    print(f"{options.output}: {summary(usable)}")
    return 0


def _only(listed: CorpusReport, path: Path) -> CorpusReport:
    """Take the ids of a list; those not found are problems, or refused if they are many."""
    ids = read_ids(path)
    found = selected(listed, ids)
    met = {utterance.id for utterance in found.utterances} | {one.id for one in found.problems}
    missing = sorted(ids - met)
    if len(missing) > MAX_MISSING_SHARE * len(ids):
        raise DataError(
            f"{path}: {len(missing)} of its {len(ids)} ids are in none of the folders: "
            f"{shortened(missing)}; name the folders of all its subsets"
        )
    reason = f"{path}: its recording is in none of the folders"
    problems = (*found.problems, *(Problem(name, reason) for name in missing))
    return CorpusReport(found.utterances, problems)


def _with_durations(listed: CorpusReport, *, decode: bool) -> CorpusReport:
    """Read the headers, or everything."""
    with counting_bar("reading headers", "file") as advance:
        found = measured(listed, progress=advance)
    if decode:
        with counting_bar("decoding", "utt") as advance:
            found = decoded(found, progress=advance)
    return found


def _repeated(utterances: Sequence[Utterance]) -> list[Problem]:
    """List the ids that mean two utterances; say how many are copies of one."""
    by_id = defaultdict[str, list[Utterance]](list)
    for utterance in utterances:
        by_id[utterance.id].append(utterance)
    problems, copies = list[Problem](), list[str]()
    for name, (first, *others) in by_id.items():
        if all(without_folders([first]) == without_folders([other]) for other in others):
            copies += [name] * len(others)
            continue
        for one in (first, *others):
            own = without_folders([one])
            other = next(other for other in (first, *others) if without_folders([other]) != own)
            reason = f"{one.audio_filepath}: the same id is that of {other.audio_filepath}"
            problems.append(Problem(name, reason))
    if copies:
        tell(f"{len(copies)} copies taken once: {shortened(copies)}")
    return problems


def _emptied(
    utterances: Sequence[Utterance], emptied: Collection[str], normaliser_name: str
) -> list[Problem]:
    """List the utterances of whose text the normaliser leaves nothing."""
    names = set(emptied)
    return [
        Problem(utterance.id, f"{normaliser_name} leaves nothing of its text, {utterance.text!r}")
        for utterance in utterances
        if utterance.id in names
    ]


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
    write_text(
        path, "".join(f"{visible(problem.id)}\t{visible(problem.reason)}\n" for problem in problems)
    )
    named = [f"  {problem.id}: {problem.reason}" for problem in problems[:N_NAMED]]
    more = [f"  and {len(problems) - N_NAMED} more"] * (len(problems) > N_NAMED)
    tell(f"{len(problems)} left out (all in {path}):", *named, *more)


def summary(utterances: Sequence[Utterance]) -> str:
    """Summarise how much speech there is, from how many speakers, and what has no text."""
    length = duration(sum(utterance.duration or 0.0 for utterance in utterances))
    speakers = {utterance.speaker for utterance in utterances} - {None}
    parts = [counted(len(utterances), "utterance"), length]
    parts += [counted(len(speakers), "speaker")] * bool(speakers)
    counts = {
        "without a text": sum(utterance.text is None for utterance in utterances),
        "with an empty text": sum(utterance.text == "" for utterance in utterances),
    }
    return ", ".join([*parts, *(f"{count:,} {what}" for what, count in counts.items() if count)])
