"""`asr report`: write RESULTS.md from scores."""

import argparse
from pathlib import Path

from asr.cli.outputs import file_to_write

HELP = "write RESULTS.md from scores"
DESCRIPTION = """\
Write scores as Markdown: a row for each, with the WER and its confidence interval, the counts of
errors and the speed; then everything that a figure depends on (command, commit, configuration,
machine, normaliser), the most frequent errors and the worst utterances.

Two scores are never pooled. The same scores give the same text.

example:
  asr report dev-clean.greedy.score.json dev-clean.beam.score.json --output RESULTS.md
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr report` takes."""
    parser.add_argument(
        "scores", type=Path, nargs="+", metavar="S.json", help="scores, in the order of the rows"
    )
    parser.add_argument(
        "--output",
        type=file_to_write,
        required=True,
        metavar="RESULTS.md",
        help="report to write",
    )
    parser.add_argument(
        "--title", default="Results", metavar="TEXT", help="of the page (default: Results)"
    )


def run(options: argparse.Namespace) -> int:
    """Write the report."""
    from asr.files import write_text
    from asr.report.results import results_page
    from asr.wer.score_file import read_score_file

    scores = [read_score_file(path) for path in options.scores]
    write_text(options.output, results_page(options.title, scores))
    print(f"{options.output}: {len(options.scores)} scores")
    return 0
