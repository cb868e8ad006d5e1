"""What an update minimises: the CTC loss of text, alone or mixed with others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from asr.lengths import padding_mask
from asr.model.acoustic import Output

Source = Output | Literal["middle"]  # of log-probabilities: an output, or text from a middle layer


@dataclass(frozen=True, slots=True)
class Objective:
    """The shares of what an update minimises; without any, it is the CTC loss of text.

    Attributes:
        phone_weight: Share of the loss of phones.
        crf_weight: Of `log_denominator`, in the loss of phones: 0 is CTC, 1 is CTC-CRF.
        middle_weight: Share, in what is not of phones, of the loss of text from a middle layer, by
            the same projection (Lee and Watanabe, "Intermediate loss regularization for CTC-based
            speech recognition", ICASSP 2021).
        label_smoothing: Share, in all of these, of `uniform_loss` in place of CTC's.
        n_layers: Recurrent layers that take part, from below; the others stay as they are.
        phone_trigram: (V, V, V), of `dense_trigram`; must be there where `crf_weight` is above 0.
    """

    phone_weight: float
    crf_weight: float
    middle_weight: float
    label_smoothing: float
    n_layers: int
    phone_trigram: Tensor | None = None

    def depths(self, n_layers: int) -> list[int]:
        """Say behind which of so many recurrent layers there is a loss, in rising order.

        There is none behind the middle layer while it is the last one that takes part.
        """
        middle = n_layers // 2
        has_middle = self.middle_weight > 0 and middle < self.n_layers
        return [middle, self.n_layers] if has_middle else [self.n_layers]

    def mix(self, losses: Mapping[Source, Tensor]) -> Tensor:
        """Weigh the losses of a batch, one number a source, into one."""
        total = losses["text"]
        if "middle" in losses:
            total = total.lerp(losses["middle"], self.middle_weight)
        if "phones" in losses:
            total = total.lerp(losses["phones"], self.phone_weight)
        return total


def uniform_loss(log_probs: Tensor, lengths: Tensor, token_lengths: Tensor) -> Tensor:
    """Compute how far the output is from the uniform distribution: label smoothing for CTC.

    CTC alone drives an output to certainty in every frame. This is the cross-entropy of the uniform
    distribution over all tokens and the blank, its mean over the frames, counted once a reference
    token: so it is in the unit of CTC's loss, whatever the subsampling and the speaker's speed.

    Args:
        log_probs: (B, T, V) float, natural log, normalised; padding is never read.
        lengths: (B,) int64, valid frames.
        token_lengths: (B,) int64, reference tokens.

    Returns:
        (B,) float, nats: log(V) a token where every frame is uniform, else more.

    References:
        Kim, Seltzer, Li and Zhao, "Improved training for online end-to-end speech recognition
        systems", Interspeech 2018 (the idea; unit and scale are ours).
    """
    per_frame = -log_probs.mean(dim=2)
    padding = padding_mask(lengths, log_probs.shape[1])
    mean = per_frame.masked_fill(padding, 0.0).sum(dim=1) / lengths.clamp(min=1)
    return mean * token_lengths
