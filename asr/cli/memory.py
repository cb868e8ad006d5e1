"""`asr memory`: what models remember, as a page with pictures."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.bars import counting_bar
from asr.cli.numbers import at_least, duration
from asr.cli.outputs import file_to_write
from asr.cli.searching import (
    Searching,
    add_search_arguments,
    add_threads_argument,
    read_search,
    use_threads,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asr.corpus.utterance import Utterance

HELP = "draw how far back, and ahead, a model hears"
DESCRIPTION = """\
Draw what a trained model remembers, as one HTML page that needs nothing else, with the pictures
explained: how its output answers to speech farther and farther away, before and after training; and
how its errors grow as less is heard to either side, where the manifest says what was said.

Several models are set beside one another; the first is also drawn with its recurrent weights made
larger, until what vanished explodes.

Errors are those of the search that a model comes with, unless told otherwise; the gradient is that
of the output which is searched: of phones, where the search goes by pronunciations.

A model of a million weights takes about 20 seconds for ten utterances, most of it for the errors.
More utterances, spread evenly over the manifest, give smoother curves.

examples:
  asr memory exp/tiny/model --audio speech.wav --output memory.html
  asr memory rnn gru lstm --manifest dev.jsonl --utterances 40 --output memory.html
  asr memory rnn gru lstm --manifest dev.jsonl --search beam --lm books.lm --lexicon lexicon.txt ...
"""

N_UTTERANCES = 10
SECONDS = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr memory` takes."""
    parser.add_argument(
        "models", nargs="+", metavar="MODEL", help="models' folders, or names of shipped ones"
    )
    heard = parser.add_mutually_exclusive_group(required=True)
    heard.add_argument("--manifest", type=Path, help="speech to listen to, with texts or without")
    heard.add_argument(
        "--audio", type=Path, nargs="+", metavar="FILE", help="recordings to listen to instead"
    )
    parser.add_argument(
        "--output", type=file_to_write, required=True, metavar="PAGE.html", help="page to write"
    )
    parser.add_argument(
        "--picture",
        type=file_to_write,
        metavar="FILE.svg",
        help="its gradients and errors once more, as a picture for another page",
    )
    parser.add_argument(
        "--utterances",
        type=at_least(1),
        default=N_UTTERANCES,
        metavar="N",
        help=f"how many of the manifest to listen to (default: {N_UTTERANCES})",
    )
    parser.add_argument(
        "--seconds",
        type=at_least(1),
        default=SECONDS,
        metavar="S",
        help=f"how far to look, to either side (default: {SECONDS})",
    )
    add_search_arguments(parser)
    add_threads_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Measure, write the page, and say in a line each what was found."""
    from asr.lab.measurement import measure_knob, measure_memory, n_steps
    from asr.lab.page import memory_page
    from asr.lab.pictures import memory_sheet
    from asr.lab.words import summary
    from asr.provenance import provenance

    use_threads(options.threads)
    utterances = _utterances(options)
    searches = [read_search(options, model) for model in options.models]
    recognizers = [
        search.load(model) for search, model in zip(searches, options.models, strict=True)
    ]
    names = _names(options.models)
    n_all, n_done = n_steps(len(recognizers), utterances), 0
    with counting_bar("listening", "utt") as show:

        def advance() -> None:
            nonlocal n_done
            n_done += 1
            show(n_done, n_all)

        memories = [
            measure_memory(name, one, utterances, max_seconds=options.seconds, advance=advance)
            for name, one in zip(names, recognizers, strict=True)
        ]
        knob = measure_knob(
            recognizers[0], utterances, max_seconds=options.seconds, advance=advance
        )
    searched = "; ".join(dict.fromkeys(map(Searching.describe, searches, recognizers)))
    heard, made = _heard(options, utterances), provenance(options.command)
    page = memory_page(memories, knob, heard, searched, made)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    beside = options.output.with_name(f"{options.output.name}.part")
    beside.write_text(page, encoding="utf-8", errors="backslashreplace")
    beside.replace(options.output)
    if options.picture:
        options.picture.parent.mkdir(parents=True, exist_ok=True)
        options.picture.write_text(
            memory_sheet(memories), encoding="utf-8", errors="backslashreplace"
        )
    for memory in memories:
        print(f"{memory.name}: {summary(memory)}")
    print(options.output)
    return 0


def _utterances(options: argparse.Namespace) -> "Sequence[Utterance]":
    """Take what there is to listen to, evenly spread over the manifest."""
    from asr.corpus.manifest import read_manifest
    from asr.corpus.utterance import Utterance

    if options.audio:
        return [Utterance(str(path), path) for path in options.audio]
    utterances = read_manifest(options.manifest)
    n = min(options.utterances, len(utterances))
    return [utterances[i * len(utterances) // n] for i in range(n)]


def _heard(options: argparse.Namespace, utterances: "Sequence[Utterance]") -> str:
    if options.audio:
        return ", ".join(path.name for path in options.audio)
    seconds = sum(utterance.duration or 0.0 for utterance in utterances)
    known = f", {duration(seconds)}" if all(u.duration for u in utterances) else ""
    return f"{len(utterances)} utterances of {options.manifest.name}{known}"


def _names(models: "Sequence[str]") -> list[str]:
    """Call models by the names of their folders, where that tells them apart."""
    short = [Path(model).resolve().name for model in models]
    return short if len(set(short)) == len(short) else list(models)
