"""The configuration of the front-end: the table `[features]`."""

from dataclasses import dataclass
from typing import Literal

from asr.errors import ConfigError


@dataclass(frozen=True, slots=True)
class FeatureConfig:
    """What the front-end computes.

    Attributes:
        sample_rate: Hz, of the waveforms that it takes.
        frame_length: Seconds.
        frame_shift: Seconds.
        n_mels: Mel filters.
        low_frequency: Hz, lower edge of the first filter.
        high_frequency: Hz, upper edge of the last filter, at most half the sample rate.
        min_log_energy: Natural log, on Kaldi's 16-bit scale; lower log-mel energies are raised to
            it, so that silence from a lossy codec looks like any other silence. Kaldi's own floor,
            which changes nothing, is -15.94; faint noise is at 6.
        n_ceps: Cepstral coefficients, c0 included; 0 keeps the log-mel energies.
        delta_order: Number of time derivatives to append.
        cmvn: What mean and variance are taken over: "global" (the training corpus; kept in the
            state dict), "utterance", "window" (the speech around each frame, which also sets the
            level that energies are relative to; of log-mel energies only) or "none".
        cmvn_window: Seconds that a window lasts; 0 for every other `cmvn`.

    Raises:
        ConfigError: A value is impossible; the message names it.
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
    cmvn: Literal["global", "utterance", "window", "none"]
    cmvn_window: float

    def __post_init__(self) -> None:
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
            "cmvn_window": (
                self.cmvn_window >= 1 if self.cmvn == "window" else self.cmvn_window == 0,
                'at least 1 second where cmvn is "window", and 0 elsewhere',
            ),
        }
        if self.cmvn == "window":
            for name in ("n_ceps", "delta_order"):
                expected[name] = (getattr(self, name) == 0, '0 where cmvn is "window"')
        for name, (is_possible, what) in expected.items():
            if not is_possible:
                raise ConfigError(f"features.{name} must be {what}, got {getattr(self, name)!r}")
