"""Aligner: the times of known words, by a model's characters."""

from dataclasses import replace

import numpy as np

from asr.checkpoint.directory import ModelDirectory
from asr.config import TEXT_HEAD
from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.runtime.emissions import Emission
from asr.search.alignment import force_align
from asr.search.words import WordReader
from asr.text.normalise import normaliser
from asr.text.transcript import Transcript


def align(
    model: ModelDirectory,
    words: WordReader,
    utterance: Utterance,
    emission: Emission,
    duration: float,
) -> Transcript:
    """Find when the words of an utterance's text were said.

    Args:
        model: Its tokens spell the text, as its normaliser has it.
        words: Turns tokens into words.
        utterance: With its text.
        emission: (T, V) of the head of characters.
        duration: Seconds that were heard, whatever the utterance says; no word ends later.

    Raises:
        DataError: There is no text, the tokens cannot spell it, or there is too little audio for
            it.
    """
    if utterance.text is None:
        raise DataError("no text to align")
    text = normaliser(model.config.text.normaliser)(utterance.text)
    tokens = model.tokenizers[TEXT_HEAD].encode(text)
    hypotheses = force_align(emission[None], np.array([len(emission)]), [tokens])
    aligned = words.transcript(utterance.id, hypotheses, duration)
    # what the network thinks of each letter says nothing of words that are known
    known = tuple(replace(word, confidence=None) for word in aligned.words)
    return replace(aligned, words=known, confidence=None)
