"""Feature cache: a rendition that returns is computed once, and kept while there is room."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from asr.augment.no_speech import no_speech
from asr.augment.rendition import AS_RECORDED, Rendition, render
from asr.augment.surroundings import NO_SURROUNDINGS, Surroundings
from asr.corpus.damage import Damage
from asr.corpus.loader import read_utterance
from asr.corpus.utterance import Segment, Utterance
from asr.errors import AudioError
from asr.features.front_end import FrontEnd

# Never the id, which is unique within its manifest only.
_Key = tuple[Path | str, Segment, Rendition]


class FeatureCache:
    """Features before CMVN, from memory or from the recording: the same bits.

    Decoding and augmenting audio costs a fifth of a training step, and hours of speech fit into
    memory as features: with 80 bins, 115 MB per hour and rendition. What no later epoch will draw
    again is not kept, and nothing is evicted: once the room is used up, the rest is computed each
    time. Nothing is written to disk, so nothing can be stale. Threads may ask for different
    utterances at the same time, and may then exceed the room by one utterance each.

    Args:
        front_end: Computes the features.
        max_bytes: Room for features.
        damage: Notes recordings that cannot be read; None: the first one is an error.
    """

    def __init__(self, front_end: FrontEnd, max_bytes: int, damage: Damage | None = None) -> None:
        self.front_end = front_end
        self._damage = damage or Damage()
        self._room = max_bytes
        self._kept: dict[_Key, Tensor] = {}

    def features(
        self,
        utterance: Utterance,
        rendition: Rendition = AS_RECORDED,
        surroundings: Surroundings = NO_SURROUNDINGS,
        following: Utterance | None = None,
    ) -> Tensor:
        """Return the features of one utterance, (T, F) float32. Do not change them in place.

        A recording that cannot be read has no frames, unless there are too many.

        Args:
            utterance: What to read.
            rendition: How to play it.
            surroundings: What the rendition's noises and rooms are drawn from; what is kept has
                none.
            following: The utterance that the rendition joins to it; None: there is none.

        Raises:
            AudioError: Too many recordings cannot be read; the message names this one.
        """
        key = utterance.audio_filepath, utterance.segment, rendition
        if key in self._kept:
            return self._kept[key]
        if rendition.no_speech is not None:
            sources = [no_speech(self.front_end.config.sample_rate, rendition.no_speech)]
        else:
            heard = (utterance, following) if following is not None else (utterance,)
            sources = [self.waveform(one) for one in heard]
        if not all(map(len, sources)):
            return torch.zeros(0, self.front_end.n_features)
        features = self._compute(sources, rendition, surroundings)
        if rendition.returns and features.nbytes <= self._room:
            self._room -= features.nbytes
            self._kept[key] = features
        return features

    def waveform(self, utterance: Utterance) -> NDArray[np.float32]:
        """Return the waveform of one utterance, (N,) float32; empty if it cannot be read.

        Raises:
            AudioError: As for `features`.
        """
        try:
            return read_utterance(utterance, self.front_end.config.sample_rate)
        except AudioError as error:
            self._damage.note(utterance, error)
            return np.zeros(0, np.float32)

    def _compute(
        self, sources: list[NDArray[np.float32]], rendition: Rendition, surroundings: Surroundings
    ) -> Tensor:
        """Return the features of an utterance, (T, F), and of the one that is joined to it."""
        sample_rate = self.front_end.config.sample_rate
        waveform = torch.from_numpy(render(sources, sample_rate, rendition, surroundings))  # (N,)
        length = torch.tensor([len(waveform)])
        with torch.no_grad():
            batch, _ = self.front_end.raw(waveform.unsqueeze(0), length, rendition.tempo)
        features: Tensor = batch[0]
        return features
