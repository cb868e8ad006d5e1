"""The front-end as one module: waveforms in, normalised features out.

It travels with the model: its configuration says what is computed, and its state dict holds the
corpus statistics, so a released model cannot get other features than it was trained on.
"""

import torch
from torch import Tensor, nn

from asr.features.cmvn import CmvnStatistics, normalise, utterance_statistics
from asr.features.config import FeatureConfig
from asr.features.deltas import add_deltas
from asr.features.fbank import LogMel
from asr.features.mfcc import Mfcc
from asr.features.window_cmvn import normalise_by_window


class FrontEnd(nn.Module):
    """Log-mel energies or MFCC, derivatives, and CMVN, as one module.

    The state dict holds `mean` and `std` if CMVN is global, else nothing. `n_features` is the F of
    the output.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: FeatureConfig) -> None:
        """Build the front-end. Global CMVN does nothing until its statistics are set or loaded.

        Raises:
            ConfigError: The filters are too many for the frame length.
        """
        super().__init__()
        self.config = config
        self.n_features = (config.n_ceps or config.n_mels) * (config.delta_order + 1)
        self.log_mel = LogMel(config)
        self.cepstra = Mfcc(config.n_mels, config.n_ceps) if config.n_ceps else nn.Identity()
        if config.cmvn == "global":
            self.register_buffer("mean", torch.zeros(self.n_features))
            self.register_buffer("std", torch.ones(self.n_features))

    def forward(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Compute what the model sees.

        Args:
            waveforms: (B, N) float32 in [-1, 1] at the configured sample rate. Padding may hold
                anything, NaN included.
            lengths: (B,) int64, valid samples.

        Returns:
            Features, (B, T, F) float32 with zero padding, and their lengths in frames, (B,) int64;
            0 for a waveform shorter than one frame.

        Raises:
            ShapeError: `waveforms` is not (B, N) float32, or `lengths` do not fit.
        """
        features, feature_lengths = self.raw(waveforms, lengths)
        return self.normalise(features, feature_lengths), feature_lengths

    def raw(self, waveforms: Tensor, lengths: Tensor, tempo: float = 1.0) -> tuple[Tensor, Tensor]:
        """Compute the features before CMVN; else, arguments and result are those of `forward`.

        Args:
            waveforms: As for `forward`.
            lengths: As for `forward`.
            tempo: Factor of the frame shift: above 1, the same spectra are fewer frames, as if the
                speech were faster at the same pitch. The shift is rounded to whole samples.
        """
        log_mel, feature_lengths = self.log_mel(waveforms, lengths, tempo)
        features = add_deltas(self.cepstra(log_mel), feature_lengths, self.config.delta_order)
        return features, feature_lengths

    def normalise(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Apply CMVN to the result of `raw`, (B, T, F) with its lengths; padding stays zero."""
        match self.config.cmvn:
            case "none":
                return features
            case "global":
                statistics = CmvnStatistics(self.mean, self.std)
            case "utterance":
                statistics = utterance_statistics(features, lengths)
            case "window":
                return normalise_by_window(
                    features,
                    lengths,
                    window=self.config.cmvn_window,
                    frame_shift=self.config.frame_shift,
                )
        return normalise(features, lengths, statistics)

    def set_global_cmvn(self, mean: Tensor, std: Tensor) -> None:
        """Store the training corpus's statistics, (F,) each, in the state dict."""
        self.mean.copy_(mean)
        self.std.copy_(std)
