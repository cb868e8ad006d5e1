"""Where results go, refused with the usage and not after hours of work."""

import argparse
from collections.abc import Container
from pathlib import Path


def add_output(parser: argparse.ArgumentParser, metavar: str, help_text: str) -> None:
    """Declare --output, the file that a verb writes."""
    parser.add_argument(
        "--output", type=file_to_write, required=True, metavar=metavar, help=help_text
    )


def file_to_write(text: str) -> Path:
    """Read the path of a file that a verb will write, for `type=` of an argument."""
    path = Path(text)
    if not path.name or path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder; name a file in it")
    return path


def overwritten(options: argparse.Namespace, outputs: Container[str]) -> Path | None:
    """Find an output that is one of the inputs too, which it would replace.

    Args:
        options: What the command line said; each path in it, alone or in a list, that is not an
            output is an input.
        outputs: Names of the options that are files to write.
    """
    read, written = set[Path](), list[Path]()
    for name, value in vars(options).items():
        if name in outputs:
            written += _paths(value)
        else:
            read.update(path.resolve() for path in _paths(value))
    return next((path for path in written if path.is_file() and path.resolve() in read), None)


def _paths(value: object) -> list[Path]:
    values = value if isinstance(value, list | tuple) else [value]
    return [one for one in values if isinstance(one, Path)]


def folder_to_make(text: str) -> Path:
    """Read the path of a folder that a verb will make, for `type=` of an argument."""
    path = Path(text)
    if not path.name:  # `.` or `/`: the new folder could not be prepared next to it
        raise argparse.ArgumentTypeError(f"expected the name of a folder to make, got {text!r}")
    return path


def folder_to_fill(text: str) -> Path:
    """Read the path of a folder that a verb will write files into, for `type=` of an argument."""
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a file; name a folder")
    return path
