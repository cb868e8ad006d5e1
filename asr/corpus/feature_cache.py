"""Feature cache: each rendition of an utterance is computed once, and kept while there is room."""

import torch
from torch import Tensor

from asr.augment.rendition import AS_RECORDED, Rendition, render
from asr.corpus.loader import read_utterance
from asr.corpus.utterance import Utterance
from asr.features.front_end import FrontEnd


class FeatureCache:
    """Features before CMVN, from memory or from the recording: the same bits.

    Decoding audio, changing its speed and sending it through a codec cost a fifth of a training
    step, and a corpus of hours fits into memory as features: 115 MB an hour and rendition with 80
    bins. Nothing is forgotten, since every epoch asks for everything again: what is met when the
    room is used up is computed each time. Nothing is written to disk, and so nothing can be stale.
    Threads may ask at once for different utterances, and may then fill the room by one too many.

    Args:
        front_end: Computes the features.
        max_bytes: Room for features that are kept.
    """

    def __init__(self, front_end: FrontEnd, max_bytes: int) -> None:
        self.front_end = front_end
        self._room = max_bytes
        self._kept: dict[tuple[str, Rendition], Tensor] = {}

    def features(self, utterance: Utterance, rendition: Rendition = AS_RECORDED) -> Tensor:
        """Return features of one utterance, (T, F) float32, not to be changed in place.

        Raises:
            AudioError: The recording cannot be read; the message names it.
        """
        key = (utterance.id, rendition)
        if key in self._kept:
            return self._kept[key]
        sample_rate = self.front_end.config.sample_rate
        recorded = torch.from_numpy(read_utterance(utterance, sample_rate))
        waveform = render(recorded, sample_rate, rendition)
        with torch.no_grad():
            batch, _ = self.front_end.raw(waveform.unsqueeze(0), torch.tensor([len(waveform)]))
        features = batch[0]
        if features.nbytes <= self._room:
            self._room -= features.nbytes
            self._kept[key] = features
        return features
