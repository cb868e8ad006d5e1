"""Normalisation over a window of a few seconds, so that level and context do not matter.

A file may hold several speakers, long silences and any level; none of it may change what the model
sees of one sentence. So nothing here is absolute, and nothing looks further than a window:

1. The level of a frame is that of the loudest part of the half window around it that is quietest:
   a quiet speaker has a level of his own, up to the frame in which a loud one starts.
2. Speech stands at least `MIN_RANGE` above the quietest part of its window. What varies less is
   noise or silence and gets a level that much above itself: it looks like a pause, never like
   speech.
3. Energies are taken relative to the level, and raised to `MAX_RANGE` below it.
4. Mean and variance are those of the voiced frames in the window, and of `PRIOR_SECONDS` of average
   speech, which decide where there is no voice: nothing is blown up to the spread of speech.

All of it is shift-equivariant in time and level, and every sum is over one window: float32 is exact
enough for recordings of any length.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

from asr.features.padding import padding_mask, zero_padding

# Energies are natural logarithms of power: 1 nat is 4.3 dB. Figures are of LibriSpeech.
SMOOTHING = 0.2  # seconds over which a frame's energy is averaged: a click is not the loudest part
MIN_RANGE = 4.0  # nats; 93 % of half windows of clean speech span more
MAX_RANGE = 10.0  # nats; a pause in a good recording is so far below the level
VOICED_RANGE = 2.5  # nats; of a frame so far below the level half counts as voiced
VOICED_SLOPE = 2.0  # per nat, of that decision
PRIOR_SECONDS = 1.0  # of voiced frames
PRIOR_MEAN = -1.0  # nats from the level, of a feature of average voiced frames
PRIOR_STD = 2.5  # nats


def normalise_by_window(
    log_mel: Tensor, lengths: Tensor, *, window: float, frame_shift: float
) -> Tensor:
    """Shift and scale log-mel energies by level, mean and spread of the speech around each frame.

    Args:
        log_mel: (B, T, F), natural logarithms.
        lengths: (B,) int64, valid frames. Later frames are never read.
        window: Seconds; what is further than this from a frame (and `SMOOTHING` more) does not
            change it.
        frame_shift: Seconds.

    Returns:
        (B, T, F) with zero padding. The same for energies that are all higher by a constant.
    """
    reach = round(window / 2 / frame_shift)
    level = _level(log_mel.mean(2), lengths, reach, round(SMOOTHING / 2 / frame_shift))
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


def _level(energy: Tensor, lengths: Tensor, reach: int, smoothing: int) -> Tensor:
    """Return the level of speech around each frame, (B, T), from the frames' energies, (B, T)."""
    valid = (~padding_mask(lengths, energy.shape[1])).to(energy.dtype)
    n_frames = _window_sum(valid.unsqueeze(2), smoothing).clamp(min=1.0)
    smooth = _window_sum(zero_padding(energy, lengths).unsqueeze(2), smoothing) / n_frames
    smooth = smooth.squeeze(2)
    quietest = -_closed(-smooth, lengths, reach)
    return torch.maximum(_closed(smooth, lengths, reach), quietest + MIN_RANGE)


def _closed(energy: Tensor, lengths: Tensor, reach: int) -> Tensor:
    """Fill in valleys shorter than a stretch: the least maximum of all stretches around a frame.

    A stretch is `reach` + 1 frames of the recording; a shorter recording is one stretch. This is a
    closing, in the terms of morphology.
    """
    mask = padding_mask(lengths, energy.shape[1])
    padded = pad(energy.masked_fill(mask, -torch.inf), (reach, reach), value=-torch.inf)
    highest = _sliding(padded, reach + 1, torch.maximum)  # (B, T + reach), by where they start
    start = torch.arange(-reach, energy.shape[1], device=energy.device)
    last = lengths.unsqueeze(1) - 1 - reach
    is_whole = (start >= last.clamp(max=0)) & (start <= last.clamp(min=0))
    return _sliding(highest.masked_fill(~is_whole, torch.inf), reach + 1, torch.minimum)


def _window_sum(values: Tensor, reach: int) -> Tensor:
    """Sum (B, T, F) over the frames up to `reach` before and behind each frame."""
    return _sliding(pad(values, (0, 0, reach, reach)), 2 * reach + 1, torch.add)


def _sliding(values: Tensor, n: int, combine: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Combine each n frames in a row: (B, T + n - 1, ...) to (B, T, ...), in about 2 log2(n) steps.

    Twice as many frames are two neighbouring stretches of half as many; an odd one is added.
    """
    if n == 1:
        return values
    half = _sliding(values, n // 2, combine)
    even = combine(half[:, : half.shape[1] - n // 2], half[:, n // 2 :])
    return even if n % 2 == 0 else combine(even[:, :-1], values[:, n - 1 :])
