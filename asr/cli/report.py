"""Write scores as Markdown.

Each gets a row with the WER and its confidence interval, the counts of errors and the speed. Below
the table stands everything that a figure depends on (command, commit, configuration, machine,
normaliser), the most frequent errors and the worst utterances.

Two scores are never pooled. The same scores give the same text.

Example:
  asr report dev-clean.greedy.score.json dev-clean.beam.score.json --output RESULTS.md
"""

import argparse
from pathlib import Path

from asr.cli.outputs import add_output
from asr.files import write_text
from asr.report.results import results_page
from asr.wer.score_file import read_score_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "scores", type=Path, nargs="+", metavar="S.json", help="scores, in the order of the rows"
    )
    add_output(parser, "RESULTS.md", "report to write")
    parser.add_argument(
        "--title", default="Results", metavar="TEXT", help="of the page (default: Results)"
    )


def run(options: argparse.Namespace) -> int:
    scores = [read_score_file(path) for path in options.scores]
    write_text(options.output, results_page(options.title, scores))
    print(f"{options.output}: {len(options.scores)} scores")
    return 0
