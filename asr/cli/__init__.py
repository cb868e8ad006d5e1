"""The command line: one file a verb, and the only place that prints.

Each verb's module has `HELP` (one line), `DESCRIPTION` (what to know before the first use),
`add_arguments` and `run`, which returns the exit status. Heavy imports wait until a verb runs, so
that help comes at once. Besides its arguments, a verb finds in `options` the `command` as typed,
and `refuse`, which shows the usage and exits.

What verbs share: `searching` (how to search), `recognising` (a manifest), `numbers` (whole
numbers), `outputs` (where results go), `bars` (progress), `training` (what a run of training
takes), `watch` (what it shows), `stopping` (signals).
"""

import argparse
import functools
import importlib
import io
import logging
import os
import sys
from collections.abc import Sequence

from asr.errors import AsrError

VERBS = (
    "transcribe",
    "align",
    "download",
    "prepare",
    "train",
    "adapt",
    "tune",
    "decode",
    "score",
    "calibrate",
    "report",
    "lm",
    "lexicon",
    "memory",
    "export",
    "pack",
    "synthesise",
    "doctor",
)

EXTRA_OF = {"torch": "train", "onnx": "train"}  # which brings a package that a verb may lack

DESCRIPTION = """\
Small speech recognition: recurrent encoders trained with CTC, on your own computer.

  asr transcribe speech.wav            what was said, by the model that came with the package

The way from a corpus to a number, one verb a step (recipes/ puts them in order):

  asr download    fetch a corpus                      asr tune     weigh the language model
  asr prepare     check it, list its utterances       asr decode   recognise a test set
  asr train       learn a model from it               asr score    count the errors
  asr lm          make a language model               asr report   write the counts up
  asr pack        make it ready to give away          asr adapt    learn from one's own transcripts
"""

# descriptions keep their lines, and names of verbs stay beside what they do
_FORMATTER = functools.partial(argparse.RawDescriptionHelpFormatter, max_help_position=28)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb.

    Args:
        arguments: Words of the command line; None takes the process's own.

    Returns:
        The exit status: 0 for success, 1 for an error, 130 when interrupted, 141 when whoever read
        the output went away (as `head` does).

    Raises:
        SystemExit: With status 2 for words that make no command, with 0 after `--help`.
    """
    logging.basicConfig(format="asr: %(message)s", level=logging.INFO)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may be any bytes
    words = sys.argv[1:] if arguments is None else arguments
    options = parser(words[0] if words else "").parse_args(words)
    options.command = ["asr", *words]
    try:
        return _run(options)
    except BrokenPipeError:
        _drop_output()
        return 141
    except KeyboardInterrupt:
        print("asr: interrupted", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace) -> int:
    """Run the verb; say in one line what a user can mend."""
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except AsrError as error:
        print(f"asr: error: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        extra = EXTRA_OF.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        needs = f"asr {options.verb} needs {error.name}: pip install 'asr-ctc[{extra}]'"
        print(f"asr: error: {needs}", file=sys.stderr)
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"asr: error: {where}{error.strerror or error}", file=sys.stderr)
        return 1
    return status


def parser(first_word: str = "") -> argparse.ArgumentParser:
    """Make the parser of all verbs; of that verb alone, if the first word is one: it is quicker."""
    words = argparse.ArgumentParser(
        prog="asr",
        description=DESCRIPTION,
        formatter_class=_FORMATTER,
        epilog="asr VERB --help explains a verb.",
    )
    words.add_argument("-V", "--version", action=_Version)
    add_verbs(words, "asr.cli", [first_word] if first_word in VERBS else VERBS)
    return words


def add_verbs(words: argparse.ArgumentParser, package: str, verbs: Sequence[str]) -> None:
    """Add the verbs of a package, a module each, to a parser that then requires one of them."""
    subparsers = words.add_subparsers(dest="verb", metavar="VERB", required=True, title="verbs")
    for verb in verbs:
        module = importlib.import_module(f"{package}.{verb}")
        subparser = subparsers.add_parser(
            verb,
            help=module.HELP,
            description=module.DESCRIPTION,
            formatter_class=_FORMATTER,
        )
        module.add_arguments(subparser)
        if hasattr(module, "run"):  # else it has verbs of its own
            subparser.set_defaults(run=module.run, refuse=subparser.error)


def _drop_output() -> None:
    """Let Python's last flush of what nobody reads go nowhere, without a message.

    References:
        Python's documentation of the module signal, "Note on SIGPIPE".
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


class _Version(argparse.Action):
    """Print the version, found only when asked for."""

    def __init__(self, option_strings: list[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the version")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from asr.provenance import own_version

        print(f"asr {own_version()}")
        parser.exit()
