"""Count the errors of hypotheses against the texts of a manifest: WER by words, CER by characters.

Both sides are normalised in the same way: by the normaliser of the model's training text, recorded
in H.run.json (see asr decode), or by --normaliser; the score names it. Hypotheses of other systems
can be scored too: JSON lines with an `id` and a `text` are enough.

A missing hypothesis is listed and counts as deletions; one without a reference is listed and not
counted. A score is of one subset; two are never pooled.

Example:
  asr score dev-clean.jsonl dev-clean.beam.jsonl --output dev-clean.beam.score.json
Next:
  asr report *.score.json --output RESULTS.md
"""

import argparse
import sys
from pathlib import Path

from asr.cli.decode import record_path
from asr.cli.outputs import add_output
from asr.corpus.manifest import read_manifest
from asr.errors import DataError, shortened
from asr.provenance import provenance
from asr.text.normalise import NORMALISERS
from asr.text.transcript import read_transcripts
from asr.wer.interval import wer_interval
from asr.wer.score import Score, score
from asr.wer.score_file import ScoreFile, read_decoding_record, write_score_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "manifest", type=Path, metavar="MANIFEST", help="the references (see asr prepare)"
    )
    parser.add_argument("hypotheses", type=Path, metavar="H.jsonl", help="the hypotheses")
    add_output(parser, "S.json", "score to write")
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
        help="how it was decoded, in a word or two, for tables (default: the name of H.jsonl, "
        "without that of the manifest)",
    )


def run(options: argparse.Namespace) -> int:
    manifest, hypotheses = options.manifest, options.hypotheses
    references, transcripts = read_manifest(manifest), read_transcripts(hypotheses)
    if not transcripts.keys() & {reference.id for reference in references}:
        raise DataError(f"{hypotheses}: none of its ids is in {manifest}")
    record = record_path(hypotheses)
    decoding = read_decoding_record(record) if record.exists() else None
    normaliser = options.normaliser or (decoding.normaliser if decoding else None)
    if normaliser is None:
        raise DataError(
            f"{record} names no normaliser: "
            f"give --normaliser, one of {', '.join(sorted(NORMALISERS))}"
        )
    texts = {name: transcript.text for name, transcript in transcripts.items()}
    score_file = ScoreFile(
        subset=options.subset or manifest.stem,
        condition=options.condition or hypotheses.stem.removeprefix(f"{manifest.stem}."),
        score=score(references, texts, normaliser),
        scoring=provenance(options.command),
        decoding=decoding,
    )
    write_score_file(options.output, score_file)
    _print_gaps(score_file.score)
    _print_rates(score_file)
    return 0


def _print_gaps(counts: Score) -> None:
    """List missing hypotheses and references on stderr."""
    for ids, problem in (
        (counts.missing, "utterances have no hypothesis and count as deleted"),
        (counts.extra, "hypotheses have no reference and are not counted"),
    ):
        if ids:
            print(f"asr: {len(ids)} {problem}: {shortened(ids)}", file=sys.stderr)


def _print_rates(score_file: ScoreFile) -> None:
    """Print WER, CER and counts."""
    total, interval = score_file.score.total, wer_interval(score_file.score)
    words = total.words
    within = f" (95 %: {100 * interval.low:.2f} – {100 * interval.high:.2f})" if interval else ""
    print(
        f"{score_file.subset}, {score_file.condition}: WER {100 * total.wer:.2f} %{within}, "
        f"CER {100 * total.cer:.2f} %\n"
        f"  {words.errors} errors in {words.n_reference} words: {words.substitutions} sub, "
        f"{words.deletions} del, {words.insertions} ins; normaliser {score_file.score.normaliser}"
    )
