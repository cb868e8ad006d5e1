"""Where results go: refused with the usage, and not when hours of work are done."""

import argparse
from pathlib import Path


def file_to_write(text: str) -> Path:
    """Read the path of a file that a verb will write, for `type=` of an argument."""
    path = Path(text)
    if not path.name or path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder; name a file in it")
    return path


def add_model_output(parser: argparse.ArgumentParser) -> None:
    """Declare --output of a verb that makes a model."""
    parser.add_argument(
        "--output",
        type=folder_to_make,
        required=True,
        metavar="FOLDER",
        help="model directory to make",
    )


def folder_to_make(text: str) -> Path:
    """Read the path of a folder that a verb will make, for `type=` of an argument."""
    path = Path(text)
    if not path.name:  # `.` or `/`, beside which nothing can be prepared
        raise argparse.ArgumentTypeError(f"expected the name of a folder to make, got {text!r}")
    return path
