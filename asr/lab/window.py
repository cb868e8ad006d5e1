"""Windows: what a network says when each of its frames hears only so much to the left and right."""

import torch
from torch import Tensor

from asr.features.padding import pad
from asr.lab.sensitivity import Network
from asr.lengths import subsampled_lengths

MAX_FRAMES = 20_000  # of features at once, padding included: bounds the memory


def windowed_outputs(
    network: Network, features: Tensor, *, left: int | None, right: int | None, factor: int
) -> Tensor:
    """Compute each output frame from a window of its own, which is all that the network reads.

    For every output frame the network starts anew at the window's left edge and, if it reads
    backwards too, at its right edge; only that one frame of its answer is kept. It is exact, and
    costs as many times the whole utterance as a window has frames.

    Args:
        network: Any that gives an utterance the same outputs alone and in a batch.
        features: (T, F) of one utterance.
        left: Output frames that each hears before itself; None: all there are.
        right: Output frames that each hears after itself; None: all there are.
        factor: Input frames per output frame.

    Returns:
        (T', V). The window's edge is to the network the edge of an utterance.
    """
    n_frames = int(subsampled_lengths(torch.tensor(len(features)), factor))
    windows: dict[tuple[int, int], list[int]] = {}  # (start, stop) → output frames that it serves
    for frame in range(n_frames):
        start = 0 if left is None else max(frame - left, 0)
        stop = n_frames if right is None else min(frame + right + 1, n_frames)
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
