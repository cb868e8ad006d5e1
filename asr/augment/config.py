"""The configuration of augmentation: the table `[augment]`."""

from dataclasses import dataclass

from asr.errors import ConfigError

MP3_SAMPLE_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)  # Hz


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """How much of each augmentation there is.

    Attributes:
        speeds: Factors of speed perturbation, drawn uniformly; (1.0,) changes nothing.
        codec_share: Share of utterances that go through a lossy codec, 0 to 1.
        noise_share: Share of utterances that get background noise, 0 to 1.
        reverb_share: Share of utterances that are played in a room, 0 to 1.
        silence_share: Share of utterances that get pauses before and after, 0 to 1.
        n_frequency_masks: Masked bands per utterance.
        max_frequency_bins: Widest band; widths are uniform in 0..max.
        time_masks_per_second: Masked stretches per second of speech, on average.
        max_time_seconds: Longest stretch; lengths are uniform in 0..max.
        max_time_fraction: Longest stretch as a fraction of the utterance, if that is less.
        ramp_epochs: Epochs over which codecs, noise, rooms, pauses, masks and dropout grow from
            nothing to full strength: without them, an untrained model leaves CTC's plateau of
            blanks sooner.

    Raises:
        ConfigError: A value is impossible; the message names it.
    """

    speeds: tuple[float, ...]
    codec_share: float
    noise_share: float
    reverb_share: float
    silence_share: float
    n_frequency_masks: int
    max_frequency_bins: int
    time_masks_per_second: float
    max_time_seconds: float
    max_time_fraction: float
    ramp_epochs: int

    def __post_init__(self) -> None:
        if not self.speeds or not all(speed > 0 for speed in self.speeds):
            raise ConfigError(
                f"augment.speeds must be one or more, each above 0, got {self.speeds}"
            )
        for name in self.__slots__[1:]:
            if not getattr(self, name) >= 0:
                raise ConfigError(f"augment.{name} must be at least 0, got {getattr(self, name)}")
        for name in (*self.__slots__[1:5], "max_time_fraction"):
            if not getattr(self, name) <= 1:
                raise ConfigError(f"augment.{name} must be at most 1, got {getattr(self, name)}")

    def strength(self, epoch: int) -> float:
        """Return the share of full strength that an epoch (from 0) has: 0 to 1."""
        return min(1.0, epoch / self.ramp_epochs) if self.ramp_epochs else 1.0


def check_mp3_rate(sample_rate: int) -> None:
    """Refuse a sample rate that MP3 cannot encode.

    Raises:
        ConfigError: `sample_rate` is not one of `MP3_SAMPLE_RATES`.
    """
    if sample_rate not in MP3_SAMPLE_RATES:
        rates = ", ".join(map(str, MP3_SAMPLE_RATES))
        raise ConfigError(f"MP3 has a sample rate of {rates} Hz, not {sample_rate}")
