"""The command line: one file a verb, and the only place that prints.

The docstring of a verb's module is its `--help`. `add_arguments` declares what the verb takes, and
`run` returns the exit status. Besides its arguments, a verb finds in `options` the `command` as
typed, and `refuse`, which shows the usage and exits. A verb is loaded when it is asked for; torch,
only when a verb that needs it runs.

What verbs share: `searching` (how to search), `recordings` (what to transcribe), `delivery` (where
transcripts go), `live` (words as they are settled), `recognising` (a manifest), `numbers` (whole
numbers), `outputs` (where results go), `omitting` (what a normaliser takes away), `messages`
(stderr), `bars` (progress), `training` (what a run of training takes), `watch` (what it shows),
`stopping` (signals).
"""

import argparse
import functools
import importlib
import io
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asr.cli.messages import tell
from asr.cli.outputs import file_to_write, overwritten
from asr.cli.stopping import Terminated
from asr.errors import AsrError
from asr.provenance import DISTRIBUTION, own_version

VERBS = {
    "transcribe": "print what was said in recordings",
    "serve": "transcribe over HTTP, with a page and OpenAI's API",
    "listen": "print what is said into a microphone",
    "align": "find when the words of known texts were said",
    "download": "fetch a corpus",
    "prepare": "check a corpus and list its utterances",
    "select": "choose training utterances, hold some out",
    "train": "train a model",
    "adapt": "adapt a model to recordings that nobody has transcribed",
    "tune": "find the language model's weight on a dev set",
    "decode": "recognise the utterances of a manifest",
    "score": "count the errors of hypotheses",
    "compare": "tell whether one system is better than another",
    "calibrate": "turn word confidences into probabilities",
    "report": "write scores as Markdown, JSON, a picture or one HTML file",
    "lm": "language models: build, train, measure, rescore",
    "lexicon": "make a lexicon, with pronunciations that a dictionary lacks",
    "memory": "draw how far back and ahead a model remembers",
    "export": "make the graph that recognises without torch",
    "pack": "make a model ready to give away",
    "synthesise": "make a tiny corpus of speech-like sounds",
    "doctor": "check the installation and its models",
}

DESCRIPTION = """\
Small speech recognition: recurrent encoders trained with CTC, on your own computer.

  asr transcribe speech.wav            print what was said: a model is included

From a corpus to a number, one verb per step (recipes/ puts them in order):

  asr download    fetch a corpus                      asr tune     weight the language model
  asr prepare     check it, list its utterances       asr decode   recognise a test set
  asr train       train a model on it                 asr score    count the errors
  asr lm          build a language model              asr report   write or show the results

And then:

  asr pack        make a model ready to give away     asr adapt    adapt it to new recordings
"""

# by package, the extra that installs it
EXTRAS = {
    **dict.fromkeys(("torch", "onnx"), "train"),
    **dict.fromkeys(("fastapi", "starlette", "uvicorn", "websockets"), "serve"),
}

# descriptions keep their lines, and verbs stay on the line of their help
_FORMATTER = functools.partial(argparse.RawDescriptionHelpFormatter, max_help_position=28)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb.

    Args:
        arguments: Words of the command line; None takes the process's own.

    Returns:
        The exit status: 0 for success, 1 for an error, 130 when interrupted, 141 when whoever read
        the output went away (as `head` does), 143 after SIGTERM.

    Raises:
        SystemExit: With status 2 for words that make no command, with 0 after `--help`.
    """
    # By default OpenMP's threads wait for each other busily. On a machine with other work they take
    # the cores from those that they wait for. Read once, when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    logging.basicConfig(format="asr: %(message)s")
    logging.getLogger("asr").setLevel(logging.INFO)  # of the libraries, warnings only
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may be any bytes
    if sys.stderr is None:  # closed, as by 2>&-
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 (for as long as the process lives)
    if sys.stdout is None:
        return _fail("standard output is closed; send it to a file, or to /dev/null")
    words = sys.argv[1:] if arguments is None else arguments
    options = parser().parse_args(words)
    options.command = ["asr", *words]
    try:
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        _drop_output()
        return 141
    except KeyboardInterrupt as error:
        return _interrupted(error)
    except AsrError as error:
        return _fail(str(error))
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        return _fail(f"{options.verb} needs {error.name}: pip install '{DISTRIBUTION}[{extra}]'")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}")


def parser() -> argparse.ArgumentParser:
    """Make the parser of all verbs."""
    top = argparse.ArgumentParser(
        prog="asr",
        description=DESCRIPTION,
        formatter_class=_FORMATTER,
        epilog="asr VERB --help explains a verb.",
    )
    top.add_argument(
        "-V",
        "--version",
        action="version",
        version=f"asr {own_version()}",
        help="print the version and exit",
    )
    add_verbs(top, "asr.cli", VERBS)
    return top


def add_verbs(parser: argparse.ArgumentParser, package: str, verbs: Mapping[str, str]) -> None:
    """Add the verbs of a package, a module each, to a parser that then requires one of them."""
    subparsers = parser.add_subparsers(
        metavar="VERB", required=True, title="verbs", parser_class=_Verb
    )
    for verb, help_text in verbs.items():
        subparser = subparsers.add_parser(verb, help=help_text, formatter_class=_FORMATTER)
        subparser.module = f"{package}.{verb}"


class _Verb(argparse.ArgumentParser):
    """The parser of a verb, which loads the verb's module when it has words to parse."""

    module: str

    def parse_known_args(self, *given: Any) -> Any:  # type: ignore[override]  # noqa: ANN401
        """Parse the words after the verb; refuse those that are left over with its own usage."""
        verb = importlib.import_module(self.module)
        self.description = verb.__doc__
        verb.add_arguments(self)
        if hasattr(verb, "run"):  # else it has verbs of its own
            self.set_defaults(run=verb.run, refuse=self.error, verb=self.prog)
        options, unknown = super().parse_known_args(*given)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        outputs = {one.dest for one in self._actions if one.type is file_to_write} | {"output"}
        if output := overwritten(options, outputs):
            self.error(f"{output} is one of the inputs, and would be written over")
        return options, unknown


def _interrupted(error: KeyboardInterrupt) -> int:
    """Print which signal it was; return the exit status."""
    is_sigterm = isinstance(error, Terminated)
    tell("terminated" if is_sigterm else "interrupted")
    return 143 if is_sigterm else 130


def _fail(message: str) -> int:
    """Print an error; return the exit status."""
    tell(*f"error: {message}".split("\n"))
    return 1


def _drop_output() -> None:
    """Let Python's last flush of what nobody reads go nowhere, without a message.

    References:
        Python's documentation of the module signal, "Note on SIGPIPE".
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
