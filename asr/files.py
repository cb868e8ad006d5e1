"""Flush: what was written is on the disk, and stays there when the power fails."""

import os
from pathlib import Path


def flush(path: Path) -> None:
    """Have a file, or a folder's list of names, on the disk before going on.

    A renamed file has its new name for good once the folder is flushed that it lies in.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
