"""Windows: a network's output when each frame reads only part of the input."""

import torch
from torch import Tensor

from asr.features.padding import pad
from asr.lab.sensitivity import Network
from asr.lengths import subsampled_lengths

MAX_FRAMES = 20_000  # of features in a batch, padding included; bounds memory


def windowed_outputs(
    network: Network, features: Tensor, *, context: int | None, factor: int
) -> Tensor:
    """Compute each output frame from its own window of the input.

    To the network, the edges of a window are those of an utterance; only one frame of its output is
    kept. This is exact, and costs as many passes over the utterance as a window has frames.

    Args:
        network: Any whose output for an utterance is the same alone and in a batch.
        features: (T, F) of one utterance.
        context: Output frames to either side of the frame itself; None: all.
        factor: Input frames per output frame.

    Returns:
        (T', V).
    """
    n_frames = subsampled_lengths(len(features), factor)
    reach = n_frames if context is None else context
    windows: dict[tuple[int, int], list[int]] = {}  # (start, stop) → the output frames it serves
    for frame in range(n_frames):
        start, stop = max(frame - reach, 0), min(frame + reach + 1, n_frames)
        windows.setdefault((start, stop), []).append(frame)
    kept: list[Tensor] = []
    at_once = max(1, MAX_FRAMES // (factor * max((b - a for a, b in windows), default=1)))
    spans = list(windows)
    for first in range(0, len(spans), at_once):
        batch = spans[first : first + at_once]
        outputs, _ = network(*pad([features[factor * a : factor * b] for a, b in batch]))
        kept += [
            row[[frame - start for frame in windows[start, stop]]]
            for row, (start, stop) in zip(outputs, batch, strict=True)
        ]
    return torch.cat(kept) if kept else network(*pad([features]))[0][0, :0]
