"""The whole front-end as one module: waveforms in, normalised features out.

It travels with the model: its configuration says what is computed, and its state dict holds the
corpus statistics, so a released model cannot be fed other features than it was trained on. It has
no data-dependent Python and exports to ONNX.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from asr.errors import ConfigError, ShapeError
from asr.features.cmvn import CmvnStatistics, normalise, utterance_statistics
from asr.features.deltas import add_deltas
from asr.features.fbank import LogMel
from asr.features.mfcc import Mfcc


@dataclass(frozen=True, slots=True)
class FeatureConfig:
    """What the front-end computes.

    Attributes:
        sample_rate: Hz, of the waveforms that it is given.
        frame_length: Seconds.
        frame_shift: Seconds.
        n_mels: Mel filters.
        low_frequency: Hz, lower edge of the first filter.
        high_frequency: Hz, upper edge of the last filter, at most half the sample rate.
        min_log_energy: Natural log, on Kaldi's 16-bit scale; log-mel energies below are raised to
            it, so that the silence of a lossy codec sounds like any other. Kaldi's own floor, which
            changes nothing, is -15.94; faint noise is at 6.
        n_ceps: Cepstral coefficients, c0 included; 0 keeps the log-mel energies.
        delta_order: Time derivatives to append: 0, 1 or 2 (or more).
        cmvn: Whose mean and variance are normalised: "global" (the training corpus's, kept in the
            state dict), "utterance", "speaker" (given with each call) or "none".
    """

    sample_rate: int
    frame_length: float
    frame_shift: float
    n_mels: int
    low_frequency: float
    high_frequency: float
    min_log_energy: float
    n_ceps: int
    delta_order: int
    cmvn: Literal["global", "utterance", "speaker", "none"]

    @property
    def band(self) -> tuple[float, float]:
        """Hertz where the first filter begins and the last one ends."""
        return self.low_frequency, self.high_frequency

    def __post_init__(self) -> None:
        """Refuse impossible values.

        Raises:
            ConfigError: It names the value, and says what was expected.
        """
        nyquist = self.sample_rate / 2
        expected = {
            "sample_rate": (self.sample_rate > 0, "above 0 Hz"),
            "frame_length": (self.frame_length * self.sample_rate >= 2, "at least two samples"),
            "frame_shift": (self.frame_shift * self.sample_rate >= 1, "at least one sample"),
            "n_mels": (self.n_mels >= 1, "at least 1"),
            "low_frequency": (
                0 <= self.low_frequency < self.high_frequency,
                "at least 0 Hz and below high_frequency",
            ),
            "high_frequency": (self.high_frequency <= nyquist, f"at most {nyquist} Hz"),
            "n_ceps": (0 <= self.n_ceps <= self.n_mels, f"within 0..n_mels ({self.n_mels})"),
            "delta_order": (self.delta_order >= 0, "at least 0"),
            "cmvn": (
                self.cmvn in ("global", "utterance", "speaker", "none"),
                "global, utterance, speaker or none",
            ),
        }
        for name, (is_possible, what) in expected.items():
            if not is_possible:
                raise ConfigError(f"features.{name} must be {what}, got {getattr(self, name)!r}")


class FrontEnd(nn.Module):
    """Log-mel energies or MFCC, derivatives, and CMVN, as one module.

    The state dict holds `mean` and `std` where CMVN is global, and nothing otherwise.

    Attributes:
        config: As given.
        n_features: Features per frame, the F of the output.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: FeatureConfig) -> None:
        """Build the front-end; global CMVN does nothing until its statistics are set or loaded.

        Raises:
            ConfigError: The filters are too many for the frame length.
        """
        super().__init__()
        self.config = config
        self.n_features = (config.n_ceps or config.n_mels) * (config.delta_order + 1)
        self.log_mel = LogMel(
            sample_rate=config.sample_rate,
            frame_length=config.frame_length,
            frame_shift=config.frame_shift,
            n_mels=config.n_mels,
            low_frequency=config.low_frequency,
            high_frequency=config.high_frequency,
            min_log_energy=config.min_log_energy,
        )
        self.cepstra = Mfcc(config.n_mels, config.n_ceps) if config.n_ceps else nn.Identity()
        if config.cmvn == "global":
            self.register_buffer("mean", torch.zeros(self.n_features))
            self.register_buffer("std", torch.ones(self.n_features))

    def forward(
        self, waveforms: Tensor, lengths: Tensor, speaker: CmvnStatistics | None = None
    ) -> tuple[Tensor, Tensor]:
        """Compute what the model sees.

        Args:
            waveforms: (B, N) float32 in [-1, 1] at the configured sample rate. Padding may hold
                anything, NaN included.
            lengths: (B,) int64, valid samples.
            speaker: Statistics of each utterance's speaker, (B, F) each, where CMVN is by speaker:
                gather them from `raw` of all of a speaker's utterances. Not read otherwise.

        Returns:
            Features, (B, T, F) float32 with zero padding, and their lengths in frames, (B,) int64.
            A waveform shorter than one frame has no frames.

        Raises:
            ShapeError: `waveforms` is not (B, N) float32, `lengths` do not fit, or CMVN is by
                speaker and `speaker` is missing.
        """
        features, feature_lengths = self.raw(waveforms, lengths)
        return self.normalise(features, feature_lengths, speaker), feature_lengths

    def raw(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the features before CMVN; arguments and result as in `forward`."""
        log_mel, feature_lengths = self.log_mel(waveforms, lengths)
        features = add_deltas(self.cepstra(log_mel), feature_lengths, self.config.delta_order)
        return features, feature_lengths

    def normalise(
        self, features: Tensor, lengths: Tensor, speaker: CmvnStatistics | None = None
    ) -> Tensor:
        """Apply CMVN to what `raw` returned, (B, T, F) and lengths; the rest as in `forward`."""
        match self.config.cmvn:
            case "none":
                return features
            case "global":
                statistics = CmvnStatistics(self.mean, self.std)
            case "utterance":
                statistics = utterance_statistics(features, lengths)
            case "speaker":
                statistics = _required(speaker)
        return normalise(features, lengths, statistics)

    def set_global_cmvn(self, mean: Tensor, std: Tensor) -> None:
        """Keep the training corpus's statistics, (F,) each, in the state dict.

        Raises:
            ConfigError: CMVN is not global.
            ShapeError: The statistics are not (F,).
        """
        if self.config.cmvn != "global":
            raise ConfigError(f"features.cmvn is {self.config.cmvn!r}: it keeps no statistics")
        if mean.shape != self.mean.shape or std.shape != self.std.shape:
            raise ShapeError(
                f"CMVN statistics must be ({self.n_features},), "
                f"got {tuple(mean.shape)} and {tuple(std.shape)}"
            )
        self.mean.copy_(mean)
        self.std.copy_(std)


def _required(speaker: CmvnStatistics | None) -> CmvnStatistics:
    if speaker is None:
        raise ShapeError("features.cmvn is 'speaker': the speakers' statistics must be given")
    return speaker
