"""Messages: what a verb tells on stderr."""

import sys

from asr.text.markdown import visible


def tell(*lines: str) -> None:
    """Print lines, the first after `asr: `; no word of a file in them can steer the terminal."""
    print("asr: " + "\n".join(map(visible, lines)), file=sys.stderr)
