"""Draw how far back and ahead a trained model remembers.

The result is one self-contained HTML page that explains its pictures: how the output depends on
speech farther and farther away, before and after training; and, if the manifest has texts, how
errors grow as each frame reads less context.

Several models are compared; the first one is also drawn with larger recurrent weights, until its
gradient no longer vanishes but explodes.

Errors are those of the model's default search, unless told otherwise; the gradient is that of the
head that is searched: the phones, if the search uses pronunciations.

A model of a million weights takes about 20 seconds for ten utterances, most of it for the errors.
More utterances, spread evenly over the manifest, give smoother curves.

Examples:
  asr memory exp/tiny/model --audio speech.wav --output memory.html
  asr memory rnn gru lstm --manifest dev.jsonl --utterances 40 --output memory.html
  asr memory rnn gru lstm --manifest dev.jsonl --search beam --lm books.lm --lexicon lexicon.txt ...
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from asr.checkpoint.decoding import plan_search
from asr.checkpoint.names import model_folder
from asr.cli.numbers import add_number
from asr.cli.outputs import add_output, file_to_write
from asr.cli.searching import add_search_arguments, add_threads_argument, read_search
from asr.cli.training import use_threads
from asr.corpus.manifest import read_manifest
from asr.corpus.utterance import Utterance
from asr.errors import counted
from asr.files import write_text
from asr.provenance import provenance
from asr.recognizer import Recognizer
from asr.text.markdown import duration

if TYPE_CHECKING:
    from asr.lab.measurement import Subject


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "models", nargs="+", metavar="MODEL", help="models' folders, or names of shipped ones"
    )
    speech = parser.add_mutually_exclusive_group(required=True)
    speech.add_argument("--manifest", type=Path, help="speech, with texts or without")
    speech.add_argument("--audio", type=Path, nargs="+", metavar="FILE", help="recordings instead")
    add_output(parser, "PAGE.html", "page to write")
    parser.add_argument(
        "--picture",
        type=file_to_write,
        metavar="FILE.svg",
        help="also write its gradients and errors as one picture",
    )
    add_number(parser, "--utterances", "use N of the manifest, evenly spread", default=10)
    add_number(parser, "--seconds", "how far to look to either side", default=4, metavar="S")
    add_search_arguments(parser)
    add_threads_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Measure, write the page, and sum up each model in a line."""
    from asr.lab.measurement import measure_memory, measure_scales, n_steps
    from asr.lab.page import memory_page
    from asr.lab.pictures import memory_sheet
    from asr.lab.prose import summary

    use_threads(options.threads)
    utterances, subjects = _utterances(options), _subjects(options)
    n_all = n_steps(len(subjects), utterances)
    with tqdm(desc="measuring", total=n_all, unit="utt", disable=None, leave=False) as bar:
        memories = [
            measure_memory(subject, utterances, max_seconds=options.seconds, advance=bar.update)
            for subject in subjects
        ]
        scales = measure_scales(
            subjects[0], utterances, max_seconds=options.seconds, advance=bar.update
        )
    searches = dict.fromkeys(str(subject.recognizer.searcher.plan) for subject in subjects)
    speech, made = _describe_speech(options, utterances), provenance(options.command)
    write_text(options.output, memory_page(memories, scales, speech, "; ".join(searches), made))
    if options.picture:
        write_text(options.picture, memory_sheet(memories))
    for memory in memories:
        print(f"{memory.name}: {summary(memory)}")
    print(options.output)
    return 0


def _subjects(options: argparse.Namespace) -> "list[Subject]":
    """Load the models, each with its network and its search."""
    from asr.checkpoint.network import load_checkpoint
    from asr.lab.measurement import Subject

    subjects, search = [], read_search(options)
    for name, model in zip(_names(options.models), options.models, strict=True):
        checkpoint = load_checkpoint(model_folder(model))
        directory = checkpoint.directory
        plan = plan_search(search, directory.search)
        subjects.append(Subject(name, checkpoint, Recognizer(directory, checkpoint.engine, plan)))
    return subjects


def _utterances(options: argparse.Namespace) -> Sequence[Utterance]:
    """Return the recordings, or utterances evenly spread over the manifest."""
    if options.audio:
        return [Utterance(str(path), path) for path in options.audio]
    utterances = read_manifest(options.manifest)
    n = min(options.utterances, len(utterances))
    return [utterances[i * len(utterances) // n] for i in range(n)]


def _describe_speech(options: argparse.Namespace, utterances: Sequence[Utterance]) -> str:
    if options.audio:
        return ", ".join(path.name for path in options.audio)
    seconds = sum(utterance.duration or 0.0 for utterance in utterances)
    known = f", {duration(seconds)}" if all(u.duration for u in utterances) else ""
    return f"{counted(len(utterances), 'utterance')} of {options.manifest.name}{known}"


def _names(models: Sequence[str]) -> list[str]:
    """Call models by the names of their folders, if these are distinct."""
    short = [Path(model).resolve().name for model in models]
    return short if len(set(short)) == len(short) else list(models)
