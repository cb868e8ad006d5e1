"""`asr report`: scores become RESULTS.md."""

import argparse
from pathlib import Path

from asr.cli.outputs import file_to_write

HELP = "write scores up as RESULTS.md"
DESCRIPTION = """\
Write scores up as Markdown: a row for each, with the WER's confidence interval, what it is made of
and how fast it was decoded; below, everything that a figure depends on (command, commit,
configuration, machine, normaliser), the worst utterances, and the words most often mistaken.

Nothing is summed over two scores. The same scores give the same text.

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
        "--title", default="Results", metavar="WORDS", help="heading (default: Results)"
    )


def run(options: argparse.Namespace) -> int:
    """Write the report, complete or not at all."""
    from asr.report.results import report
    from asr.wer.score_file import read_condition

    text = report(options.title, [read_condition(path) for path in options.scores])
    options.output.parent.mkdir(parents=True, exist_ok=True)
    beside = options.output.with_name(f"{options.output.name}.part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(options.output)
    print(f"{options.output}: {len(options.scores)} scores")
    return 0
