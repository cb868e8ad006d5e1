"""The gradient by distance, of a network as it is and of one that remembers by force."""

import copy
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count

import torch
from torch import Tensor

from asr.errors import DataError
from asr.lab.curve import Curve
from asr.lab.sensitivity import GradientByDistance, evenly_spread, squared_gradients
from asr.lengths import subsampled_lengths
from asr.model.acoustic import AcousticModel, Output

FRAMES_ASKED = 4  # output frames of an utterance, evenly spread
MIN_SHARE = 0.25  # of the frames asked that must have input at a distance for it to be told
MAX_FRAMES = 4000  # of features at once: bounds the memory

Advance = Callable[[], None]


def gradient_curve(
    model: AcousticModel,
    features: Sequence[Tensor],
    max_distance: int,
    frame_shift: float,
    advance: Advance,
    output: Output = "text",
) -> Curve:
    """Measure a network's gradient by distance, averaged over frames and utterances.

    All is computed in float64, whose range a plain network leaves only after hundreds of frames.

    Args:
        model: The network; it stays as it is.
        features: (T, F) of each utterance, normalised.
        max_distance: Output frames to look to either side.
        frame_shift: Seconds from one output frame to the next.
        advance: Called for every utterance.
        output: Which of the network's outputs to ask.

    Raises:
        DataError: No output frame that was asked answers to the input under it.
    """
    precise = copy.deepcopy(model).double().eval().requires_grad_(False)
    network = partial(precise, output=output)
    factor = model.config.subsampling_factor
    gradient, generator = GradientByDistance(max_distance), torch.Generator().manual_seed(0)
    n_asked = 0
    for of_one in features:
        n_outputs = int(subsampled_lengths(torch.tensor(len(of_one)), factor))
        frames = evenly_spread(n_outputs, FRAMES_ASKED)
        groups = frames.split(max(1, MAX_FRAMES // max(1, len(of_one))))
        for some in groups[: len(frames)]:  # torch splits nothing into one group of nothing
            rows = of_one.double().expand(len(some), -1, -1)
            lengths = torch.full((len(some),), len(of_one))
            squares = squared_gradients(
                network, rows, lengths, some, factor=factor, generator=generator
            )
            gradient.add(squares, subsampled_lengths(lengths, factor), some)
        n_asked += len(frames)
        advance()
    norms = gradient.norms(min_count=max(1, round(MIN_SHARE * n_asked)))
    if not bool(norms[max_distance] > 0):
        raise DataError("the output answers to nothing that was heard; try other or more speech")
    past, future = norms[: max_distance + 1].flip(0), norms[max_distance:]
    return Curve(frame_shift, _relative(past), _relative(future))


def scaled_recurrence(model: AcousticModel, factor: float) -> AcousticModel:
    """Copy a network, with all weights from one moment's state to the next's multiplied."""
    scaled = copy.deepcopy(model)
    with torch.no_grad():
        for name, parameter in scaled.named_parameters():
            if "weight_hh" in name:
                parameter.mul_(factor)
    return scaled


def _relative(norms: Tensor) -> tuple[float, ...]:
    """Divide by the first, and end before the first that is not known."""
    known = next(i for i in count() if i == len(norms) or bool(norms[i].isnan()))
    return tuple((norms[:known] / norms[0]).tolist())
