"""Normalisation over a window of a few seconds: neither level nor context matters.

A recording may hold several speakers, long silences, and speech at any level; a sentence must look
the same in all of them. So no constant here is absolute, and nothing reaches beyond the window:

1. *Level.* Of all stretches of half a window that contain a frame, take the one whose loudest part
   is the quietest. A quiet speaker thus has a level of his own from his first syllable on, and a
   pause within speech has that of the speech around it. A level is held for `HOLD` on either side,
   since words start and end softly.
2. *Noise.* Speech rises at least `MIN_RANGE` above the quietest part of its stretch. What does not
   is taken to lie that far below speech, and so looks like a pause.
3. *Floor.* Energies are taken relative to the level, and raised to `MAX_RANGE` below it.
4. *Mean and variance* are those of the voiced frames in the window, with `PRIOR_SECONDS` of
   average speech: where there is no voice, the latter decide, and nothing is stretched until it
   varies like speech.

Each sum is over one window and taken in a tree, so that float32 suffices for any length.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

from asr.features.padding import padding_mask, zero_padding

# In nats of power: one nat is 4.3 dB. The values are typical of LibriSpeech's training speech.
SMOOTHING = 0.2  # seconds over which energy is averaged, lest a click be the loudest part
HOLD = 0.4  # seconds
MIN_RANGE = 4.0  # nine in ten stretches of clean speech span more
MAX_RANGE = 10.0  # from the level to a pause in a good recording
VOICED_RANGE = 2.5  # a frame this far below the level counts by half, as in the median frame
VOICED_SLOPE = 2.0  # per nat, of that soft decision
PRIOR_SECONDS = 1.0  # of voiced frames
PRIOR_MEAN = -1.0  # of a voiced frame's features, from the level
PRIOR_STD = 2.5


def normalise_by_window(
    log_mel: Tensor, lengths: Tensor, *, window: float, frame_shift: float
) -> Tensor:
    """Shift and scale log-mel energies by the level, mean and spread of the speech around a frame.

    Args:
        log_mel: (B, T, F), natural logarithms.
        lengths: (B,) int64, valid frames. Later frames are never read.
        window: Seconds. A frame depends on nothing further away than this, `SMOOTHING` and `HOLD`.
        frame_shift: Seconds.

    Returns:
        (B, T, F) with zero padding: to rounding the same if a constant is added to all energies.
    """
    reach, smoothing, hold = (round(x / frame_shift) for x in (window / 2, SMOOTHING / 2, HOLD))
    energy = _window_mean(log_mel.mean(2), lengths, smoothing)
    level = level_of(energy, lengths, reach, hold)
    relative = log_mel - level.unsqueeze(2)
    voiced = torch.sigmoid(VOICED_SLOPE * (relative.mean(2) + VOICED_RANGE)).unsqueeze(2)
    voiced = zero_padding(voiced, lengths)  # (B, T, 1)
    values = zero_padding(relative.clamp(min=-MAX_RANGE), lengths)
    n_prior = PRIOR_SECONDS / frame_shift
    n_voiced = _window_sum(voiced, reach) + n_prior
    total = _window_sum(voiced * values, reach) + n_prior * PRIOR_MEAN
    squares = _window_sum(voiced * values.square(), reach)
    squares = squares + n_prior * (PRIOR_MEAN**2 + PRIOR_STD**2)
    mean = total / n_voiced
    std = (squares / n_voiced - mean.square()).sqrt()
    return zero_padding((values - mean) / std, lengths)


def level_of(energy: Tensor, lengths: Tensor, reach: int, hold: int) -> Tensor:
    """Return the level of the speech around each frame.

    Args:
        energy: (B, T), nats.
        lengths: (B,) int64, valid frames.
        reach: Frames of a stretch, less one.
        hold: Frames on either side of a frame that have at least its level, too.

    Returns:
        (B, T), nats; undefined in the padding.
    """
    quietest = -_closed(-energy, lengths, reach, hold)
    return torch.maximum(_closed(energy, lengths, reach, hold), quietest + MIN_RANGE)


def _window_mean(energy: Tensor, lengths: Tensor, reach: int) -> Tensor:
    """Average (B, T) over the valid frames up to `reach` on either side of each frame."""
    valid = (~padding_mask(lengths, energy.shape[1])).to(energy.dtype)
    n_frames = _window_sum(valid.unsqueeze(2), reach).clamp(min=1.0)
    total = _window_sum(zero_padding(energy, lengths).unsqueeze(2), reach)
    return (total / n_frames).squeeze(2)


def _closed(energy: Tensor, lengths: Tensor, reach: int, hold: int) -> Tensor:
    """Take the lowest maximum of all stretches that contain a frame: a morphological closing.

    A stretch lies within the recording; a recording that is shorter is one stretch. What results is
    held for some frames on either side.

    References:
        Serra, "Image Analysis and Mathematical Morphology", 1982, chapter II.
    """
    mask = padding_mask(lengths, energy.shape[1])
    highest = _highest(energy, mask, reach, reach + 1)  # (B, T + reach), by where they start
    start = torch.arange(-reach, energy.shape[1], device=energy.device)
    last = lengths.unsqueeze(1) - 1 - reach
    is_whole = (start >= last.clamp(max=0)) & (start <= last.clamp(min=0))
    closed = _sliding(highest.masked_fill(~is_whole, torch.inf), reach + 1, torch.minimum)
    return _highest(closed, mask, hold, 2 * hold + 1)


def _highest(energy: Tensor, mask: Tensor, reach: int, n: int) -> Tensor:
    """Take the maximum of every n frames in a row, from `reach` frames before the first one."""
    padded = pad(energy.masked_fill(mask, -torch.inf), (reach, reach), value=-torch.inf)
    return _sliding(padded, n, torch.maximum)


def _window_sum(values: Tensor, reach: int) -> Tensor:
    """Sum (B, T, F) over the frames up to `reach` on either side of each frame."""
    return _sliding(pad(values, (0, 0, reach, reach)), 2 * reach + 1, torch.add)


def _sliding(values: Tensor, n: int, combine: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Combine every n frames in a row: (B, T + n - 1, ...) to (B, T, ...).

    Two neighbouring halves make a whole, and an odd frame is added: at most 2 log2(n) operations.
    """
    if n == 1:
        return values
    half = _sliding(values, n // 2, combine)
    even = combine(half[:, : half.shape[1] - n // 2], half[:, n // 2 :])
    return even if n % 2 == 0 else combine(even[:, :-1], values[:, n - 1 :])
