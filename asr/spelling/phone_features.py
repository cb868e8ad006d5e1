"""Phone features: what a model heard of phones, in the form that a speller reads."""

from torch import Tensor

LEAST = -10.0  # nats; what is less probable is as good as impossible
SCALE = 4.0  # so that most values lie within -1.5 and 1


def phone_features(log_probs: Tensor) -> Tensor:
    """Turn log-probabilities of phones, (B, T, V) natural log, into features, (B, T, V) float32."""
    return log_probs.float().clamp(min=LEAST) / SCALE + 1.0
