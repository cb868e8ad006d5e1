"""What the decoders of `benchmarks.search` read: three kinds of emissions.

Those at V = 29 are the shipped model's characters on the dev speakers, and a published one's of one
utterance (`emissions/` of the data), whose best path is taken for what was said, and on which no
weights are chosen. Those at V = 500 are simulated, as there is no model of pieces: BPE learned from
the references, each piece in one frame at even distances, blank between, and so much noise that
greedy search reads most words wrong. They show what a large vocabulary costs, not how well a model
reads. They are fewer, since some decoders take seconds for one.
"""

import json
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.corpus.utterance import Utterance
from asr.errors import AudioError
from asr.recognizer import load_model
from asr.search.greedy import greedy_search
from asr.text.bpe import train_bpe
from asr.text.tokenizer import Tokenizer
from asr.text.tokens import WORD_BOUNDARY, TokenTable
from benchmarks.options import DATA
from benchmarks.speech import read_corpus

EVERY = 10  # one utterance in so many is timed, and the fifth behind it is tuned on, of EVERY_TUNED
EVERY_TUNED = 20
N_SIMULATED = 8  # timed, and as many tuned on
PUBLISHED_SHIFT, SIMULATED_SHIFT = 0.02, 0.04  # seconds


@dataclass(frozen=True)
class Emissions:
    """Emissions of utterances.

    Attributes:
        name: In the table.
        tokenizer: Reads the tokens.
        log_probs: (T, V) by utterance id.
        timed: Utterances that are timed and scored.
        tuned: Others, on which weights are chosen; none: the default is taken.
        frame_shift: Seconds.
    """

    name: str
    tokenizer: Tokenizer
    log_probs: Mapping[str, NDArray[np.float32]]
    timed: Sequence[Utterance]
    tuned: Sequence[Utterance]
    frame_shift: float

    @property
    def seconds(self) -> float:
        """Of the speech that is timed."""
        return self.frame_shift * sum(len(self.log_probs[one.id]) for one in self.timed)


def make_emissions() -> Iterator[Emissions]:
    """Make each kind."""
    utterances = read_corpus(DATA / "LibriSpeech" / "dev-clean")
    timed, tuned = utterances[::EVERY], utterances[EVERY // 2 :: EVERY_TUNED]
    yield _of_model(timed, tuned)
    yield _published()
    yield _simulated(timed, tuned)


def _of_model(timed: Sequence[Utterance], tuned: Sequence[Utterance]) -> Emissions:
    """Compute the shipped model's characters for the dev speakers."""
    model = load_model(search="greedy")
    log_probs = {
        utterance.id: emission
        for utterance, emission in model.emit_all([*timed, *tuned])
        if not isinstance(emission, AudioError)
    }
    name = f"V = 29, {len(timed)} utterances"
    tokenizer = model.model.tokenizers["text"]
    return Emissions(name, tokenizer, log_probs, timed, tuned, model.model.config.frame_shift)


def _published() -> Emissions:
    """Read the published emission; its frames are half as long as ours, its blank is the last."""
    numbers = json.loads((DATA / "emissions" / "librispeech_char_emission.json").read_text())
    log_probs = _log_softmax(np.roll(np.array(numbers, np.float32), 1, axis=1))
    tokenizer = TokenTable(("<blank>", WORD_BOUNDARY, *string.ascii_uppercase, "'"))
    (best,) = greedy_search(log_probs[None], np.array([len(log_probs)]))
    said = Utterance("published", Path("published"), text=tokenizer.decode(best.tokens))
    emissions = {said.id: log_probs}
    return Emissions("V = 29, published", tokenizer, emissions, [said], [], PUBLISHED_SHIFT)


def _simulated(timed: Sequence[Utterance], tuned: Sequence[Utterance]) -> Emissions:
    """Simulate a model of 500 pieces; see the top of the file."""
    pieces = train_bpe([utterance.text or "" for utterance in (*timed, *tuned)], 500)
    timed, tuned = (some[:: len(some) // N_SIMULATED][:N_SIMULATED] for some in (timed, tuned))
    log_probs = {
        u.id: _simulate(
            pieces.encode(u.text or ""),
            round((u.duration or 0.0) / SIMULATED_SHIFT),
            len(pieces),
            seed,
        )
        for seed, u in enumerate([*timed, *tuned])
    }
    name = f"V = 500, {len(timed)} simulated"
    return Emissions(name, pieces, log_probs, timed, tuned, SIMULATED_SHIFT)


def _simulate(
    tokens: Sequence[int], n_frames: int, n_tokens: int, seed: int
) -> NDArray[np.float32]:
    """Emit tokens at even distances, with noise; see the top of the file."""
    random = np.random.default_rng(seed)
    said = np.zeros(n_frames, np.intp)
    said[((np.arange(len(tokens)) + 0.5) * n_frames / max(len(tokens), 1)).astype(int)] = tokens
    logits = random.normal(0.0, 2.2, (n_frames, n_tokens))
    logits[:, 0] += 3.0  # the blank is what most wrong frames say
    logits[np.arange(n_frames), said] += random.normal(9.0, 2.5, n_frames)
    return _log_softmax(logits).astype(np.float32)


def _log_softmax(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
