"""One update: back-propagation through a chunk, with the state carried over.

Like a batch of the acoustic model, a chunk is cut into shards, one per thread.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from asr.char_lm.network import CharacterModel
from asr.errors import TrainingError
from asr.train.precision import autocast


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one update reads.

    Attributes:
        inputs: (B, U) int64 characters.
        targets: (B, U) int64, the character that follows each.
        state: (n_layers, S, B, D) float32, after the characters before the chunk.
        dropout: (n_layers + 1, B, 1, D).
    """

    inputs: Tensor
    targets: Tensor
    state: Tensor
    dropout: Tensor

    def cut(self, n_shards: int) -> list["Chunk"]:
        """Cut the rows into runs of nearly equal size."""
        inputs, targets = self.inputs.tensor_split(n_shards), self.targets.tensor_split(n_shards)
        states = self.state.tensor_split(n_shards, dim=2)
        dropouts = self.dropout.tensor_split(n_shards, dim=1)
        return [Chunk(*parts) for parts in zip(inputs, targets, states, dropouts, strict=True)]


def language_step(
    model: CharacterModel,
    optimiser: torch.optim.Optimizer,
    chunk: Chunk,
    *,
    precision: str,
    max_gradient_norm: float,
    pool: ThreadPoolExecutor,
    n_shards: int,
) -> tuple[float, Tensor]:
    """Update the model once, on the mean loss per character of the chunk.

    The number of shards changes the sums' rounding and nothing else.

    Returns:
        The loss, nats per character, and the state after the chunk, (n_layers, S, B, D) float32.

    Raises:
        TrainingError: The loss or the gradient is not finite; the weights are as before the call.

    References:
        Mikolov et al., "Extensions of recurrent neural network language model", ICASSP 2011
        (truncated back-propagation through time).
        Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", ICML
        2013 (clipping).
    """
    parameters = tuple(model.parameters())

    def differentiate(shard: Chunk) -> tuple[tuple[Tensor, ...], float, Tensor]:
        """Return the gradient of the shard's summed loss, that loss, and the state at the end."""
        with autocast("cpu", precision):
            log_probs, state = model(shard.inputs, shard.state.contiguous(), shard.dropout)
        loss = -log_probs.gather(2, shard.targets.unsqueeze(2)).sum()
        return torch.autograd.grad(loss, parameters), float(loss.detach()), state.detach()

    shards = pool.map(differentiate, chunk.cut(n_shards))
    gradients, losses, states = zip(*shards, strict=True)
    n_characters = chunk.targets.numel()
    for parameter, *parts in zip(parameters, *gradients, strict=True):
        parameter.grad = torch.stack(parts).sum(0).div_(n_characters)
    loss = sum(losses) / n_characters
    norm = float(nn.utils.clip_grad_norm_(parameters, max_gradient_norm))
    if not torch.tensor([loss, norm]).isfinite().all():
        raise TrainingError(
            f"the loss is {loss} and the gradient's norm {norm}; no update was made. "
            "A lower optimiser.learning_rate usually helps"
        )
    optimiser.step()
    return loss, torch.cat(states, 2)
