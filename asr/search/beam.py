"""Beam: how widely to search, and the weights of all but the emission."""

from dataclasses import dataclass

from asr.errors import ConfigError


@dataclass(frozen=True, slots=True)
class BeamConfig:
    """Settings of the prefix beam search.

    A hypothesis is scored, in nats, by

        acoustic + lm_weight * lm + word_score * words + unknown_score * unknown words + boosts

    where `acoustic` is the log probability of its tokens, `lm` that of its words. A weight of zero,
    the default, changes nothing and costs nothing.

    The network's probabilities contain each token's frequency in the training speech, and a
    language model counts that again. `prior_weight` removes it: before the search, probabilities
    are divided by the token's share of the training speech to this power, and each frame is
    normalised again (Bourlard and Morgan, "Connectionist Speech Recognition", 1994, chapter 7; for
    CTC, Miao et al., "EESEN", arXiv:1507.08240, 2015).

    Args:
        beam_size: Prefixes kept after each frame.
        beam_threshold: Prefixes this many nats or more below the best are dropped; infinity drops
            none, within the range of a float64 (700 nats).
        n_best: Greatest number of hypotheses to return, at most `beam_size`.
        lm_weight: Factor of the language model's log probability, 0 to 20.
        word_score: Added for each word, -100 to 100; above 0 it makes up for too few words.
        unknown_score: Added for each word that the language model lacks, -100 to 100; usually
            below 0.
        prior_weight: Power of the tokens' share, 0 to 2; 1 removes it altogether.

    Raises:
        ConfigError: A value is out of its range.
    """

    beam_size: int
    beam_threshold: float
    n_best: int
    lm_weight: float = 0.0
    word_score: float = 0.0
    unknown_score: float = 0.0
    prior_weight: float = 0.0

    def __post_init__(self) -> None:
        if self.beam_size < 1:
            raise ConfigError(f"beam_size must be at least 1, got {self.beam_size}")
        if not self.beam_threshold > 0:
            raise ConfigError(f"beam_threshold must be above 0 nats, got {self.beam_threshold}")
        if not 1 <= self.n_best <= self.beam_size:
            raise ConfigError(
                f"n_best must be in 1..beam_size ({self.beam_size}), got {self.n_best}"
            )
        for name, least, most in (
            ("lm_weight", 0.0, 20.0),
            ("word_score", -100.0, 100.0),
            ("unknown_score", -100.0, 100.0),
            ("prior_weight", 0.0, 2.0),
        ):  # as factors, all within a float64
            value = getattr(self, name)
            if not least <= value <= most:
                raise ConfigError(f"{name} must be in {least:g}..{most:g}, got {value}")
