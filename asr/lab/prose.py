"""Prose: a network and its memory in words."""

from asr.lab.curve import Curve
from asr.lab.measurement import Memory
from asr.model.config import ModelConfig

LEVEL = 0.01  # relative norm down to which a gradient counts


def describe_network(config: ModelConfig) -> str:
    """Describe a network briefly, as in `2 × 172 LSTM, two directions`."""
    directions = "two directions" if config.bidirectional else "one direction"
    return f"{config.n_layers} × {config.size} {config.cell.upper()}, {directions}"


def summary(memory: Memory) -> str:
    """Sum up in one sentence how far the gradient of a model reaches."""
    after, before = (
        "{} s back and {} s ahead".format(*reach(curve))
        for curve in (memory.trained, memory.untrained)
    )
    return (
        f"half of the gradient lies within {memory.trained.half:.2f} s; "
        f"1 % reaches {after} (before training {before})"
    )


def reach(curve: Curve) -> tuple[str, str]:
    """Write how many seconds 1 % reaches back and ahead; `+` where the measurement ends first."""
    back, ahead = (
        f"{seconds:.2f}{'+' * is_beyond}"
        for seconds, is_beyond in zip(curve.reach(LEVEL), curve.is_beyond(LEVEL), strict=True)
    )
    return back, ahead
