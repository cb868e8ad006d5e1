"""The command line: one file a verb, and the only place that prints.

Each verb's module has `HELP` (one line), `DESCRIPTION` (what to know before the first use),
`add_arguments` and `run`. Heavy imports wait until a verb runs, so that help comes at once.
"""

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence

from asr.errors import AsrError

VERBS = (
    "transcribe",
    "download",
    "prepare",
    "train",
    "decode",
    "score",
    "report",
    "pack",
    "synthesise",
    "doctor",
)

DESCRIPTION = """\
Small speech recognition: recurrent encoders trained with CTC, on your own computer.

  asr transcribe speech.wav            what was said, by the model that came with the package

The way from a corpus to a number, one verb a step (recipes/ puts them in order):

  asr download    fetch a corpus                      asr decode   recognise a test set
  asr prepare     check it, list its utterances       asr score    count the errors
  asr train       learn a model from it               asr report   write the counts up
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb.

    Args:
        arguments: Words of the command line; None takes the process's own.

    Returns:
        The exit status: 0 for success, 1 for an error, 2 for words that make no command, 130 when
        interrupted.
    """
    logging.basicConfig(format="asr: %(message)s", level=logging.INFO)
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except AsrError as error:
        print(f"asr: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("asr: interrupted", file=sys.stderr)
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="asr",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="asr VERB --help explains a verb.",
    )
    parser.add_argument("--version", action=_Version)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, title="verbs")
    for verb in VERBS:
        module = importlib.import_module(f"asr.cli.{verb}")
        subparser = verbs.add_parser(
            verb,
            help=module.HELP,
            description=module.DESCRIPTION,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(subparser)
        subparser.set_defaults(run=module.run)
    return parser


class _Version(argparse.Action):
    """Print the version, found only when asked for."""

    def __init__(self, option_strings: list[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the version")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"asr {version('asr')}")
        parser.exit()
