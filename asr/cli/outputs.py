"""Where results go, refused with the usage and not after hours of work."""

import argparse
from pathlib import Path


def add_output(parser: argparse.ArgumentParser, metavar: str, told: str) -> None:
    """Declare --output, the file that a verb writes."""
    parser.add_argument("--output", type=file_to_write, required=True, metavar=metavar, help=told)


def file_to_write(text: str) -> Path:
    """Read the path of a file that a verb will write, for `type=` of an argument."""
    path = Path(text)
    if not path.name or path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder; name a file in it")
    return path


def folder_to_make(text: str) -> Path:
    """Read the path of a folder that a verb will make, for `type=` of an argument."""
    path = Path(text)
    if not path.name:  # `.` or `/`: the new folder could not be prepared next to it
        raise argparse.ArgumentTypeError(f"expected the name of a folder to make, got {text!r}")
    return path
