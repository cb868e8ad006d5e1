"""Live: the words of a recording while it arrives."""

import sys
from collections.abc import Iterable

from asr.recognizer import Recognizer
from asr.runtime.windows import Waveform

# Seconds; see Recognizer.stream. With 2 and 4 the median word comes 15 s late instead of 9, and on
# joined utterances of LibriSpeech no fewer were wrong.
STRIDE, CONTEXT = 2.0, 2.0


def print_settled(recognizer: Recognizer, blocks: Iterable[Waveform]) -> None:
    """Print a line of words as soon as nothing that follows can change them; say when that is."""
    print(
        f"asr: words come up to {2 * STRIDE + 3 * CONTEXT:g} seconds after they were said, since "
        "the network hears in both directions, and the search waits where it is in doubt",
        file=sys.stderr,
    )
    for words in recognizer.stream(blocks, stride=STRIDE, context=CONTEXT):
        print(" ".join(word.text for word in words), flush=True)
