"""Live: the words of a recording while it arrives."""

import sys
from collections.abc import Iterable

from asr.recognizer import Recognizer
from asr.runtime.windows import Waveform

STRIDE, CONTEXT = 4.0, 4.0  # seconds; see Recognizer.stream


def print_settled(recognizer: Recognizer, blocks: Iterable[Waveform]) -> None:
    """Print a line of words as soon as nothing that follows can change them; say when that is."""
    print(
        f"asr: words come about {STRIDE + CONTEXT:g} seconds after they were said: the network "
        f"reads {STRIDE:g} s at a time, in both directions, and {CONTEXT:g} s ahead",
        file=sys.stderr,
    )
    for words in recognizer.stream(blocks, stride=STRIDE, context=CONTEXT):
        print(" ".join(word.text for word in words), flush=True)
