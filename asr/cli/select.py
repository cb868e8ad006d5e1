"""Choose what to train on, from one manifest or several, and hold some of it out.

Left out, with the reason in MANIFEST.problems.txt, are utterances that teach nothing or something
wrong: without words; with letters, digits or symbols that were said and that the normaliser takes
out; shorter or longer than wanted; or too short for their text at the fastest speed of training.

--held-out FOLDER holds out a part of each manifest, as FOLDER/NAME.jsonl: about one speaker in
twelve, or one utterance in twelve where a single one speaks. It tells whether the corpus was
learned. Hashes of names decide, so the same utterances are held out whatever else there is.

--prefix puts the manifest's name before each id, so that manifests may share ids.

--texts gives utterances without texts what a model recognised in them, where its words have the
mean --min-confidence or more: a model can then learn from its own transcripts.

Examples:
  asr select train-clean-100.jsonl --output train.jsonl
  asr select vctk.jsonl ljspeech.jsonl --prefix --held-out held-out --output more.jsonl
  asr select train.jsonl archive.jsonl --texts archive.hypotheses.jsonl --output train-self.jsonl
Next:
  asr train conf/librispeech.toml --train train.jsonl --lexicon lexicon.txt --output model
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from asr.cli.messages import tell
from asr.cli.numbers import above_zero, add_number
from asr.cli.omitting import add_normaliser
from asr.cli.outputs import add_output, folder_to_fill
from asr.cli.prepare import FRAME_SHIFT, SAMPLE_RATE, report_problems, summary
from asr.corpus.manifest import read_manifest, write_manifest
from asr.corpus.training_set import (
    Requirements,
    held_out,
    named_by_corpus,
    unfit_for_training,
    with_transcripts,
)
from asr.corpus.utterance import Problem, Utterance
from asr.errors import DataError
from asr.text.normalise import normaliser
from asr.text.transcript import Transcript, read_transcripts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "manifests", type=Path, nargs="+", metavar="MANIFEST", help="utterances to choose from"
    )
    add_output(parser, "FILE", "manifest to write")
    parser.add_argument(
        "--held-out", type=folder_to_fill, metavar="FOLDER", help="hold some out, in this folder"
    )
    add_number(parser, "--every", "hold out one speaker in N", minimum=2, default=12)
    parser.add_argument(
        "--prefix", action="store_true", help="put the manifest's name before each id"
    )
    parser.add_argument(
        "--texts",
        type=Path,
        metavar="HYPOTHESES",
        help="what asr decode wrote, for utterances without texts",
    )
    for name, default, help_text in (
        ("--min-confidence", 0.8, "least mean confidence of such a text, at most 1"),
        ("--min-seconds", 0.8, "shortest utterance"),
        ("--max-seconds", 20.0, "longest utterance"),
        ("--max-speed", 1.1, "highest of augment.speeds, at which texts must fit"),
    ):
        parser.add_argument(
            name,
            type=above_zero(),
            default=default,
            metavar="X",
            help=f"{help_text} (default: {default})",
        )
    add_number(parser, "--subsampling-factor", "of the model that will be trained", default=4)
    add_normaliser(parser, "of the model that will be trained")


def run(options: argparse.Namespace) -> int:
    """Choose, hold out, and write the manifests, that of the training last."""
    if options.min_confidence > 1:
        options.refuse(f"--min-confidence is at most 1, got {options.min_confidence:g}")
    if options.held_out:
        _refuse_overwriting(options)
    if options.texts:
        _refuse_shared_ids(options.manifests)
    transcripts = read_transcripts(options.texts) if options.texts else None
    corpora, problems = dict[str, list[Utterance]](), list[Problem]()
    for path in options.manifests:
        if path.stem in corpora:
            raise DataError(f"{path}: another manifest has the name {path.stem}; rename one")
        corpora[path.stem], left_out = _fit_for_training(path, transcripts, options)
        problems += left_out
    apart: dict[str, list[Utterance]] = {}
    chosen = [utterance for utterances in corpora.values() for utterance in utterances]
    if options.held_out:
        apart, chosen = held_out(corpora, options.every)
    report_problems(options.output, problems)
    if apart and not chosen:
        raise DataError("all that can be used is held out: a higher --every holds out less")
    _check(chosen)
    for name, utterances in apart.items():
        path = options.held_out / f"{name}.jsonl"
        write_manifest(path, utterances)
        print(f"{path}: {summary(utterances)}")
    write_manifest(options.output, chosen)
    print(f"{options.output}: {summary(chosen)}")
    for name in corpora.keys() - apart.keys() if options.held_out else ():
        path = options.held_out / f"{name}.jsonl"
        path.unlink(missing_ok=True)  # who was held out before is trained on now
        tell(f"nothing is held out from {name}: a lower --every holds out more")
    return 0


def _refuse_overwriting(options: argparse.Namespace) -> None:
    """Refuse to hold out into a manifest that is read, or that will be trained on."""
    texts = [options.texts] if options.texts else []
    taken = {path.resolve() for path in (*options.manifests, *texts, options.output)}
    for path in options.manifests:
        held_out = options.held_out / f"{path.stem}.jsonl"
        if held_out.resolve() in taken:
            options.refuse(f"--held-out would write over {held_out}, which has another use here")


def _refuse_shared_ids(paths: Sequence[Path]) -> None:
    """Refuse an id of two utterances without a text: a transcript cannot be that of both."""
    first_of: dict[str, Path] = {}
    for path in paths:
        for utterance in read_manifest(path):
            if utterance.text is None and first_of.setdefault(utterance.id, path) != path:
                raise DataError(
                    f"{path}: the id {utterance.id} has no text in {first_of[utterance.id]} "
                    "either, so it is unclear which of them --texts means: select from each with "
                    "its own --texts, then from both results"
                )


def _fit_for_training(
    path: Path, transcripts: Mapping[str, Transcript] | None, options: argparse.Namespace
) -> tuple[list[Utterance], list[Problem]]:
    """Read a manifest; separate what can be learned from, and the rest with its reasons."""
    utterances, problems = read_manifest(path), list[Problem]()
    if transcripts is not None:
        utterances, problems = with_transcripts(utterances, transcripts, options.min_confidence)
    wanted = Requirements(
        options.min_seconds,
        options.max_seconds,
        FRAME_SHIFT / SAMPLE_RATE * options.subsampling_factor,
        options.max_speed,
    )
    found = unfit_for_training(utterances, wanted, normaliser(options.normaliser))
    left_out = {problem.id for problem in found}
    chosen = [utterance for utterance in utterances if utterance.id not in left_out]
    if options.prefix:
        chosen = named_by_corpus(path.stem, chosen)
    return chosen, [*problems, *found]


def _check(chosen: list[Utterance]) -> None:
    """Refuse an empty manifest, and one in which an id is there twice."""
    if not chosen:
        raise DataError("none of the utterances can be used")
    seen = set[str]()
    for utterance in chosen:
        if utterance.id in seen:
            raise DataError(f"the id {utterance.id} is in two manifests; use --prefix")
        seen.add(utterance.id)
