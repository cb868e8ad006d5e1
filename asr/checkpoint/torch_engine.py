"""The network in torch as an engine: a checkpoint in training recognises without an export."""

import numpy as np
import torch
from numpy.typing import NDArray

from asr.features.front_end import FrontEnd
from asr.model.acoustic import AcousticModel


class TorchEngine:
    """Runs a network as `asr.runtime.engine.Engine` asks; all in float32.

    Args:
        front_end: Computes its features.
        model: The network, in evaluation mode.
    """

    def __init__(self, front_end: FrontEnd, model: AcousticModel) -> None:
        self._front_end, self._model = front_end, model
        self.sample_rate = front_end.config.sample_rate
        self.heads: dict[str, int] = {
            head: linear.out_features  # type: ignore[misc]
            for head, linear in model.heads.items()
        }

    def log_probs(
        self, waveforms: NDArray[np.float32], lengths: NDArray[np.int64], head: str
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Score every token of a head at every frame; see `asr.runtime.engine.Engine`."""
        with torch.inference_mode():
            features, n_frames = self._front_end(
                torch.from_numpy(waveforms), torch.from_numpy(lengths)
            )
            log_probs, n_frames = self._model(features, n_frames, head)
        return log_probs.numpy(), n_frames.numpy()
