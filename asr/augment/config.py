"""The configuration of augmentation: the table `[augment]`."""

from dataclasses import dataclass, fields

from asr.errors import ConfigError

MP3_SAMPLE_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)  # Hz


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """How much of each augmentation there is. A share is a fraction of the utterances, 0 to 1.

    Attributes:
        speeds: Factors of speed perturbation, drawn uniformly; (1.0,) changes nothing.
        tempos: Factors of tempo, which leave the pitch, drawn uniformly; (1.0,) changes nothing.
        reverb_share: Played in a room.
        silence_share: With pauses before and after.
        noise_share: With noise in the background.
        babble_share: With several other voices in the background.
        level_share: Too soft, or so loud that it clips.
        telephone_share: Over a telephone line.
        codec_share: Through MP3; what goes over the telephone does not.
        join_share: Followed by another utterance, of any speaker, in the same recording.
        no_speech_share: Replaced by silence or a sound that is no speech, with an empty text.
        n_frequency_masks: Masked bands per utterance.
        max_frequency_bins: Widest band; widths are uniform in 0..max.
        time_masks_per_second: Masked stretches per second of speech, on average.
        max_time_seconds: Longest stretch; lengths are uniform in 0..max.
        max_time_fraction: Longest stretch as a fraction of the utterance, if that is less.
        ramp_epochs: Epochs over which shares, masks and dropout grow from nothing to full strength:
            without them, an untrained model leaves CTC's plateau of blanks sooner.

    Raises:
        ConfigError: A value is impossible; the message names it.
    """

    speeds: tuple[float, ...]
    tempos: tuple[float, ...]
    reverb_share: float
    silence_share: float
    noise_share: float
    babble_share: float
    level_share: float
    telephone_share: float
    codec_share: float
    join_share: float
    no_speech_share: float
    n_frequency_masks: int
    max_frequency_bins: int
    time_masks_per_second: float
    max_time_seconds: float
    max_time_fraction: float
    ramp_epochs: int

    def __post_init__(self) -> None:
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            if isinstance(value, tuple):
                if not value or not all(factor > 0 for factor in value):
                    raise ConfigError(
                        f"augment.{name} must be one or more, each above 0, got {value}"
                    )
            elif not value >= 0:
                raise ConfigError(f"augment.{name} must be at least 0, got {value}")
            elif name.endswith(("_share", "_fraction")) and not value <= 1:
                raise ConfigError(f"augment.{name} must be at most 1, got {value}")
        if self.telephone_share + self.codec_share > 1:
            raise ConfigError(
                "augment.telephone_share and augment.codec_share exclude each other, so their sum "
                f"must be at most 1, got {self.telephone_share} + {self.codec_share}"
            )

    def strength(self, epoch: int) -> float:
        """Return the share of full strength that an epoch (from 0) has: 0 to 1."""
        return min(1.0, epoch / self.ramp_epochs) if self.ramp_epochs else 1.0
