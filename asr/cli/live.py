"""Live: the words of a recording while it arrives."""

from collections.abc import Iterable

from asr.audio.decoder import Waveform
from asr.cli.messages import tell
from asr.recognizer import Recognizer
from asr.runtime.windows import LIVE_CONTEXT, LIVE_PATIENCE, LIVE_STRIDE


def print_settled(recognizer: Recognizer, blocks: Iterable[Waveform]) -> None:
    """Print a line of words as soon as nothing that follows can change them; say when that is."""
    delay = LIVE_STRIDE + LIVE_CONTEXT + LIVE_PATIENCE
    tell(
        f"words come up to {delay:g} seconds after they were said, since the network hears in both "
        "directions, and the search waits where it is in doubt"
    )
    live = recognizer.stream(
        blocks, stride=LIVE_STRIDE, context=LIVE_CONTEXT, patience=LIVE_PATIENCE
    )
    for words in live:
        print(" ".join(word.text for word in words), flush=True)
