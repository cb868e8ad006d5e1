"""`asr score`: hypotheses against references, counted."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.decode import record_path
from asr.cli.outputs import file_to_write
from asr.text.normalise import NORMALISERS

if TYPE_CHECKING:
    from asr.wer.score import Score
    from asr.wer.score_file import Condition, Decoding

HELP = "count the errors of hypotheses"
DESCRIPTION = """\
Count the errors of hypotheses against the texts of a manifest: WER by words, CER by characters.

Both sides go through the same normaliser, which is named beside the figures: that of the model's
training text, as H.run.json says (see asr decode), or the one of --normaliser. Hypotheses of other
systems are scored too; JSON lines with an `id` and a `text` are all it takes.

A missing hypothesis counts as deleted words, and is named; one without a reference is named and
not counted. One score is of one subset: there is no way to pool two.

example:
  asr score dev-clean.jsonl dev-clean.beam.jsonl --output dev-clean.beam.score.json
next:
  asr report *.score.json --output RESULTS.md
"""

N_NAMED = 5  # ids that are listed before "and so many more"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr score` takes."""
    parser.add_argument(
        "manifest", type=Path, metavar="MANIFEST", help="what was said (see asr prepare)"
    )
    parser.add_argument("hypotheses", type=Path, metavar="H.jsonl", help="what was recognised")
    parser.add_argument(
        "--output", type=file_to_write, required=True, metavar="S.json", help="counts to write"
    )
    parser.add_argument(
        "--normaliser", choices=sorted(NORMALISERS), help="spelling of both (default: the model's)"
    )
    parser.add_argument(
        "--subset", metavar="WORDS", help="what was scored, for tables (default: manifest's name)"
    )
    parser.add_argument(
        "--condition", metavar="WORDS", help="how it was decoded, for tables (default: the search)"
    )


def run(options: argparse.Namespace) -> int:
    """Count, write the counts, and print the rates."""
    from asr.corpus.manifest import read_manifest
    from asr.errors import DataError
    from asr.provenance import provenance
    from asr.text.transcript import read_transcripts
    from asr.wer.score import score
    from asr.wer.score_file import Condition, write_condition

    references = read_manifest(options.manifest)
    transcripts = read_transcripts(options.hypotheses)
    decoding = _decoding_of(options.hypotheses)
    if not transcripts.keys() & {reference.id for reference in references}:
        raise DataError(f"{options.hypotheses}: none of its ids is in {options.manifest}")
    counts = score(
        references, {i: t.text for i, t in transcripts.items()}, _normaliser(options, decoding)
    )
    condition = Condition(
        subset=options.subset or options.manifest.stem,
        name=options.condition or (decoding.search if decoding else options.hypotheses.stem),
        score=counts,
        scoring=provenance(options.command),
        decoding=decoding,
    )
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write_condition(options.output, condition)
    _print_gaps(counts)
    _print_rates(condition)
    return 0


def _decoding_of(hypotheses: Path) -> "Decoding | None":
    """Read how the hypotheses were made, where that was recorded."""
    from asr.wer.score_file import read_decoding

    path = record_path(hypotheses)
    return read_decoding(path) if path.exists() else None


def _normaliser(options: argparse.Namespace, decoding: "Decoding | None") -> str:
    """Choose the normaliser: the one asked for, or the model's."""
    from asr.errors import DataError

    name: str | None = options.normaliser or (decoding.normaliser if decoding else None)
    if name is None:
        raise DataError(
            f"{record_path(options.hypotheses)} names no normaliser: "
            f"give --normaliser, one of {', '.join(sorted(NORMALISERS))}"
        )
    return name


def _print_gaps(score: "Score") -> None:
    """Name, on stderr, what is missing on either side."""
    for ids, what in (
        (score.missing, "utterances have no hypothesis and count as deleted"),
        (score.extra, "hypotheses have no reference and are not counted"),
    ):
        if ids:
            rest = f" and {len(ids) - N_NAMED} more" if len(ids) > N_NAMED else ""
            print(f"asr: {len(ids)} {what}: {', '.join(ids[:N_NAMED])}{rest}", file=sys.stderr)


def _print_rates(condition: "Condition") -> None:
    """Print WER and CER, and what they are made of."""
    from asr.wer.interval import wer_interval

    total, interval = condition.score.total, wer_interval(condition.score)
    words = total.words
    likely = f" (95 %: {100 * interval.low:.2f} – {100 * interval.high:.2f})" if interval else ""
    print(
        f"{condition.subset}, {condition.name}: WER {100 * total.wer:.2f} %{likely}, "
        f"CER {100 * total.cer:.2f} %\n"
        f"  {words.errors} errors in {words.n_reference} words: {words.substitutions} sub, "
        f"{words.deletions} del, {words.insertions} ins; normaliser {condition.score.normaliser}"
    )
