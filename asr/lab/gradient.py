"""The gradient of a network by distance, and the network with larger recurrent weights."""

import copy
import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import takewhile

import torch
from torch import Tensor

from asr.errors import DataError
from asr.lab.curve import Curve
from asr.lab.sensitivity import GradientByDistance, evenly_spread, squared_gradients
from asr.lengths import subsampled_lengths
from asr.model.acoustic import AcousticModel

N_PROBES = 4  # output frames of an utterance that are differentiated, evenly spread
MIN_SHARE = 0.25  # of the probes that must have input at a distance for it to count
MAX_FRAMES = 4000  # of features in a batch; bounds memory

Advance = Callable[[], object]


def gradient_curve(
    model: AcousticModel,
    features: Sequence[Tensor],
    max_distance: int,
    frame_shift: float,
    advance: Advance,
    head: str,
) -> Curve:
    """Measure a network's gradient by distance, averaged over frames and utterances.

    It is computed in float64, whose range a plain RNN leaves only after hundreds of frames.

    Args:
        model: The network; it is not changed.
        features: (T, F) of each utterance, normalised.
        max_distance: Output frames to either side.
        frame_shift: Seconds from one output frame to the next.
        advance: Called for every utterance.
        head: Whose output is differentiated.

    Raises:
        DataError: No output frame depends on the input under it.
    """
    network = partial(copy.deepcopy(model).double().eval().requires_grad_(False), head=head)
    factor = model.config.subsampling_factor
    gradient, generator = GradientByDistance(max_distance), torch.Generator().manual_seed(0)
    n_probes = 0
    for own in features:
        frames = evenly_spread(subsampled_lengths(len(own), factor), N_PROBES)
        at_once = max(1, MAX_FRAMES // max(1, len(own)))
        for first in range(0, len(frames), at_once):
            some = frames[first : first + at_once]
            squares = squared_gradients(
                network, own.double(), some, factor=factor, generator=generator
            )
            gradient.add(squares, some)
        n_probes += len(frames)
        advance()
    norms = gradient.norms(min_count=max(1, round(MIN_SHARE * n_probes)))
    if not bool(norms[max_distance] > 0):
        raise DataError("the output depends on none of the input; try other or more speech")
    past, future = norms[: max_distance + 1].flip(0), norms[max_distance:]
    return Curve(frame_shift, _relative(past), _relative(future))


def scaled_recurrence(model: AcousticModel, factor: float) -> AcousticModel:
    """Copy a network, with all weights from one state to the next multiplied."""
    scaled = copy.deepcopy(model)
    with torch.no_grad():
        for name, parameter in scaled.named_parameters():
            if "weight_hh" in name:
                parameter.mul_(factor)
    return scaled


def _relative(norms: Tensor) -> tuple[float, ...]:
    """Divide by the first norm, and end before the first unknown one."""
    return tuple(takewhile(lambda norm: not math.isnan(norm), (norms / norms[0]).tolist()))
