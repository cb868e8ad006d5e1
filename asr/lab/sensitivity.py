"""Sensitivity: how much an output frame depends on each part of its input, by distance.

The derivative of output frame t by the input under frame t + k is a matrix, and its norm says how
much the network's output still depends on what lies k frames away. Back-propagation through time
makes it a product of as many matrices as there are steps between the two, so it vanishes or
explodes.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

# (B, T, F) features and their lengths → (B, T', V) outputs and their lengths
Network = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def squared_gradients(
    network: Network,
    features: Tensor,
    frames: Tensor,
    *,
    factor: int,
    generator: torch.Generator,
) -> Tensor:
    """Estimate the squared norm of an output frame's derivative by each part of its input.

    One backward pass through a sum of the outputs with random signs has the squared Frobenius norm
    of the whole matrix as its expectation: average over many frames.

    Args:
        network: Any whose output for an utterance is the same alone and in a batch. Its weights
            should be float64: in float32, squaring loses norms below 1e-23.
        features: (T, F) of one utterance, in the type of the weights.
        frames: (B,) int64, the output frames to differentiate.
        factor: Input frames per output frame; those under frame j start at factor * j.
        generator: Draws the signs.

    Returns:
        (B, T') float64: for each of `frames`, the square for the input under every output frame.

    References:
        Hutchinson, "A stochastic estimator of the trace of the influence matrix", Communications in
        Statistics, 1990.
    """
    rows = features.expand(len(frames), -1, -1).detach().requires_grad_()  # (B, T, F)
    outputs, _ = network(rows, torch.full((len(frames),), len(features)))
    probed = outputs[torch.arange(len(frames)), frames]  # (B, V)
    signs = 2.0 * torch.randint(2, probed.shape, generator=generator) - 1.0
    (gradient,) = torch.autograd.grad((probed * signs).sum(), rows)
    squares = gradient.double().square().sum(2)  # (B, T)
    squares = functional.pad(squares, (0, -squares.shape[1] % factor))
    return squares.view(len(squares), -1, factor).sum(2)


class GradientByDistance:
    """Accumulates the norm of the gradient by distance over any number of utterances.

    Args:
        max_distance: Output frames to either side.

    Example:
        >>> gradient = GradientByDistance(max_distance=1)
        >>> gradient.add(torch.tensor([[4.0, 9.0]]), torch.tensor([1]))  # the last output frame's
        >>> gradient.norms().tolist()
        [2.0, 3.0, nan]
    """

    def __init__(self, max_distance: int) -> None:
        self._max_distance = max_distance
        self._sums = torch.zeros(2 * max_distance + 1, dtype=torch.float64)
        self._counts = torch.zeros(2 * max_distance + 1, dtype=torch.int64)

    def add(self, squares: Tensor, frames: Tensor) -> None:
        """Add what `squared_gradients` returned for `frames`."""
        distances = torch.arange(squares.shape[1]) - frames.unsqueeze(1)  # (B, T')
        is_counted = distances.abs() <= self._max_distance
        index = distances[is_counted] + self._max_distance
        self._sums.index_add_(0, index, squares[is_counted].double())
        self._counts += torch.bincount(index, minlength=len(self._counts))

    def norms(self, min_count: int = 1) -> Tensor:
        """Return the root mean square at each distance, the farthest in the past first.

        Returns:
            (2 * max_distance + 1,) float64; NaN where fewer than `min_count` frames were added.
        """
        means = self._sums / self._counts
        return torch.where(self._counts >= min_count, means.sqrt(), torch.nan)


def evenly_spread(length: int, n: int) -> Tensor:
    """Choose at most `n` frames of `length`, (n,) int64, each in the middle of an equal part.

    Example:
        >>> evenly_spread(9, 3).tolist()
        [1, 4, 7]
    """
    n = min(n, length)
    return (2 * torch.arange(n) + 1) * length // (2 * n)
