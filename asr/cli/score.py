"""`asr score`: count the errors of hypotheses."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.decode import record_path
from asr.cli.outputs import file_to_write
from asr.text.normalise import NORMALISERS

if TYPE_CHECKING:
    from asr.wer.score import Score
    from asr.wer.score_file import DecodingRecord, ScoreFile

HELP = "count the errors of hypotheses"
DESCRIPTION = """\
Count the errors of hypotheses against the texts of a manifest: WER by words, CER by characters.

Both sides are normalised in the same way, named with the figures: by the normaliser of the model's
training text, recorded in H.run.json (see asr decode), or by --normaliser. Hypotheses of other
systems can be scored too: JSON lines with an `id` and a `text` are enough.

A missing hypothesis is listed and counts as deletions; one without a reference is listed and not
counted. A score is of one subset; two are never pooled.

example:
  asr score dev-clean.jsonl dev-clean.beam.jsonl --output dev-clean.beam.score.json
next:
  asr report *.score.json --output RESULTS.md
"""

N_NAMED = 5  # ids listed if there are more


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr score` takes."""
    parser.add_argument(
        "manifest", type=Path, metavar="MANIFEST", help="the references (see asr prepare)"
    )
    parser.add_argument("hypotheses", type=Path, metavar="H.jsonl", help="the hypotheses")
    parser.add_argument(
        "--output", type=file_to_write, required=True, metavar="S.json", help="score to write"
    )
    parser.add_argument(
        "--normaliser", choices=sorted(NORMALISERS), help="of both sides (default: the model's)"
    )
    parser.add_argument(
        "--subset",
        metavar="NAME",
        help="what was scored, for tables (default: the manifest's name)",
    )
    parser.add_argument(
        "--condition",
        metavar="NAME",
        help="how it was decoded, in a word or two, for tables (default: the name of H.jsonl)",
    )


def run(options: argparse.Namespace) -> int:
    """Count, write the counts, and print the rates."""
    from asr.corpus.manifest import read_manifest
    from asr.errors import DataError
    from asr.provenance import provenance
    from asr.text.transcript import read_transcripts
    from asr.wer.score import score
    from asr.wer.score_file import ScoreFile, write_score_file

    references = read_manifest(options.manifest)
    transcripts = read_transcripts(options.hypotheses)
    decoding = _decoding_of(options.hypotheses)
    if not transcripts.keys() & {reference.id for reference in references}:
        raise DataError(f"{options.hypotheses}: none of its ids is in {options.manifest}")
    counts = score(
        references, {i: t.text for i, t in transcripts.items()}, _normaliser(options, decoding)
    )
    score_file = ScoreFile(
        subset=options.subset or options.manifest.stem,
        condition=options.condition or _condition(options.hypotheses, options.manifest),
        score=counts,
        scoring=provenance(options.command),
        decoding=decoding,
    )
    write_score_file(options.output, score_file)
    _print_gaps(counts)
    _print_rates(score_file)
    return 0


def _condition(hypotheses: Path, manifest: Path) -> str:
    """Name a condition after the file of its hypotheses, as `beam` after dev-clean.beam.jsonl."""
    return hypotheses.stem.removeprefix(f"{manifest.stem}.")


def _decoding_of(hypotheses: Path) -> "DecodingRecord | None":
    """Read the record of the decoding run, if there is one."""
    from asr.wer.score_file import read_decoding_record

    path = record_path(hypotheses)
    return read_decoding_record(path) if path.exists() else None


def _normaliser(options: argparse.Namespace, decoding: "DecodingRecord | None") -> str:
    """Choose the normaliser: the requested one, or the model's."""
    from asr.errors import DataError

    name: str | None = options.normaliser or (decoding.normaliser if decoding else None)
    if name is None:
        raise DataError(
            f"{record_path(options.hypotheses)} names no normaliser: "
            f"give --normaliser, one of {', '.join(sorted(NORMALISERS))}"
        )
    return name


def _print_gaps(score: "Score") -> None:
    """List missing hypotheses and references on stderr."""
    for ids, what in (
        (score.missing, "utterances have no hypothesis and count as deleted"),
        (score.extra, "hypotheses have no reference and are not counted"),
    ):
        if ids:
            rest = f" and {len(ids) - N_NAMED} more" if len(ids) > N_NAMED else ""
            print(f"asr: {len(ids)} {what}: {', '.join(ids[:N_NAMED])}{rest}", file=sys.stderr)


def _print_rates(score_file: "ScoreFile") -> None:
    """Print WER, CER and counts."""
    from asr.wer.interval import wer_interval

    total, interval = score_file.score.total, wer_interval(score_file.score)
    words = total.words
    within = f" (95 %: {100 * interval.low:.2f} – {100 * interval.high:.2f})" if interval else ""
    print(
        f"{score_file.subset}, {score_file.condition}: WER {100 * total.wer:.2f} %{within}, "
        f"CER {100 * total.cer:.2f} %\n"
        f"  {words.errors} errors in {words.n_reference} words: {words.substitutions} sub, "
        f"{words.deletions} del, {words.insertions} ins; normaliser {score_file.score.normaliser}"
    )
