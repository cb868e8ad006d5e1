"""Recognizer: audio in, transcript out. What an application imports."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.checkpoint.decoding import Kind, SearchOptions, SearchPlan, plan_search
from asr.checkpoint.directory import ModelDirectory, read_directory
from asr.checkpoint.engine import load_engine
from asr.checkpoint.names import DEFAULT_MODEL, model_folder
from asr.checkpoint.searcher import Searcher
from asr.config import TEXT_HEAD
from asr.corpus.loader import prefetch, read_utterance
from asr.corpus.utterance import Utterance
from asr.errors import AsrError, AudioError, DataError
from asr.provenance import n_cores
from asr.runtime.emissions import Emission
from asr.runtime.engine import Engine
from asr.search.alignment import force_align
from asr.search.hypothesis import Hypothesis
from asr.text.normalise import normaliser
from asr.text.transcript import Transcript

READ_AHEAD = 8  # recordings

Waveform = NDArray[np.float32]  # (N,)
Loaded = tuple[Utterance, Waveform | AudioError]


def load_model(
    name: str | Path = DEFAULT_MODEL,
    *,
    search: Kind | None = None,
    settings: Mapping[str, float] | None = None,
    lm: str | Path | None = None,
    lexicon: str | Path | None = None,
    hotwords: Mapping[str, float] | None = None,
    n_threads: int | None = None,
) -> "Recognizer":
    """Load a model: one that the package ships, by its name, or one of yours, by its folder.

    Options refine the model's own search: each replaces its part, and all else stays. What does not
    go together is refused.

    Args:
        name: A model's name, or the path of a model directory. A shipped model takes precedence
            over a folder of its name in the working directory, which "./NAME" finds.
        search: What they refine instead: "greedy" (nothing can), "plain" (a beam search without the
            model's words and weights), or "beam" (the model's own search, or the plain one if that
            is greedy).
        settings: Of the beam search, by name; see `asr.search.beam.BeamConfig`.
        lm: File of an n-gram model; see `asr lm`.
        lexicon: File of the only words that can be recognised: one a line, alone or followed by its
            pronunciation in the phones of the model.
        hotwords: Phrases that score higher, each with its boost in nats.
        n_threads: Utterances to compute and search at the same time; None: one per core.

    Raises:
        ModelError: There is no such model, or its files do not make one.
        ConfigError: Options do not go together, or a setting is out of its range.
        DataError: One of these files cannot be used.

    Example:
        >>> load_model("no-such-model")
        Traceback (most recent call last):
        asr.errors.ModelError: no-such-model: neither a model directory nor a shipped model ...
    """
    options = SearchOptions(
        kind=search,
        settings=settings or {},
        lm=Path(lm) if lm else None,
        lexicon=Path(lexicon) if lexicon else None,
        hotwords=hotwords or {},
    )
    return load_recognizer(name, options, n_threads=n_threads)


def load_recognizer(
    name: str | Path,
    options: SearchOptions,
    *,
    is_calibrated: bool = True,
    n_threads: int | None = None,
) -> "Recognizer":
    """Load a model as `load_model` does, with any options of the search.

    Args:
        name: See `load_model`, as for `n_threads` and errors.
        options: See `plan_search`.
        is_calibrated: As a word's confidence give the probability that it is right, if the model
            has a calibration for this kind of search; else the search's own confidence.
        n_threads: See `load_model`.
    """
    folder = model_folder(name)
    model = read_directory(folder)
    plan = plan_search(options, model.search)
    n_threads = n_threads or n_cores()
    engine = load_engine(folder, n_threads=n_threads)
    return Recognizer(model, engine, plan, is_calibrated=is_calibrated, n_threads=n_threads)


class Recognizer:
    """Turns recordings into transcripts; each is the same alone and among any others.

    Args:
        model: Its configuration, tokens, priors and calibrations.
        engine: Computes its network.
        plan: How to search.
        is_calibrated: See `load_recognizer`.
        n_threads: Utterances to search at the same time.

    Raises:
        DataError: A file of the search cannot be used.
    """

    def __init__(
        self,
        model: ModelDirectory,
        engine: Engine,
        plan: SearchPlan,
        *,
        is_calibrated: bool = True,
        n_threads: int = 1,
    ) -> None:
        self.model, self.engine = model, engine
        self.searcher = Searcher(model, plan, n_threads=n_threads)
        self.calibration = self.searcher.calibration_of(model) if is_calibrated else None

    @property
    def sample_rate(self) -> int:
        """Hz; audio at another rate is resampled."""
        return self.engine.sample_rate

    def transcribe(self, path: str | Path, *, channel: int | None = None) -> Transcript:
        """Transcribe one audio file.

        Args:
            path: WAV, FLAC, Ogg, MP3 or AIFF, any rate, any number of channels.
            channel: Which channel to take, from 0; None mixes all down.

        Returns:
            The transcript; its text is empty if nothing was recognised.

        Raises:
            AudioError: The file cannot be used; the message says why.
        """
        utterance = Utterance(id=str(path), audio_filepath=Path(path), channel=channel)
        _, result = next(self.transcribe_all([utterance]))
        if isinstance(result, AudioError):
            raise result
        return result

    def transcribe_all(
        self, utterances: Iterable[Utterance], *, batch_duration: float = 120.0
    ) -> Iterator[tuple[Utterance, Transcript | AudioError]]:
        """Transcribe many recordings, or stretches of them, in bounded memory.

        The next recordings are read while the model computes.

        Args:
            utterances: What to transcribe; their texts are ignored.
            batch_duration: Seconds of audio, padding included, to compute at once.

        Yields:
            In the given order, each utterance with its transcript, or with the reason why there is
            none.
        """
        for group, log_probs, lengths in self._computed(utterances, batch_duration):
            n_bests = iter(self.searcher(log_probs, lengths))
            for utterance, audio in group:
                if isinstance(audio, AudioError):
                    yield utterance, audio
                else:
                    yield utterance, self._transcript(utterance, audio, next(n_bests))

    def emit_all(
        self, utterances: Iterable[Utterance], *, batch_duration: float = 120.0
    ) -> Iterator[tuple[Utterance, Emission | AudioError]]:
        """Compute the network's output for many recordings, without searching.

        Args:
            utterances: As for `transcribe_all`.
            batch_duration: Seconds of audio, padding included, to compute at once.

        Yields:
            In the given order, each utterance with its emission, (T, V) natural-log probabilities
            of the head that is searched, or with the reason why there is none.
        """
        for group, log_probs, lengths in self._computed(utterances, batch_duration):
            emissions = iter(zip(log_probs, lengths.tolist(), strict=True))
            for utterance, audio in group:
                if isinstance(audio, AudioError):
                    yield utterance, audio
                else:
                    emission, length = next(emissions)
                    yield utterance, emission[:length]

    def align_all(
        self, utterances: Iterable[Utterance], *, batch_duration: float = 120.0
    ) -> Iterator[tuple[Utterance, Transcript | AsrError]]:
        """Find the times of the words of utterances whose texts are known.

        Args:
            utterances: With their texts, which go through the model's normaliser.
            batch_duration: Seconds of audio, padding included, to compute at once.

        Yields:
            In the given order, each utterance with its text as a transcript, or with the reason why
            there is none: no usable audio, no text, a text that the model's tokens cannot spell, or
            too little audio for it. Confidences are the network's in each given word, uncalibrated.
        """
        greedy = Recognizer(self.model, self.engine, SearchPlan(), is_calibrated=False)
        for utterance, emission in greedy.emit_all(utterances, batch_duration=batch_duration):
            if isinstance(emission, AudioError):
                yield utterance, emission
                continue
            try:
                yield utterance, greedy._aligned(utterance, emission)
            except DataError as error:
                yield utterance, error

    def text_of(self, emission: Emission) -> str:
        """Search one emission, (T, V) of the searched head; the text is empty if T is 0."""
        ((best, *_),) = self.searcher(emission[None], np.array([len(emission)]))
        return self.searcher.words.text(best)

    def _transcript(
        self, utterance: Utterance, waveform: Waveform, n_best: list[Hypothesis]
    ) -> Transcript:
        duration = len(waveform) / self.sample_rate
        transcript = self.searcher.words.transcript(utterance.id, n_best, duration)
        return self.calibration(transcript) if self.calibration else transcript

    def _aligned(self, utterance: Utterance, emission: Emission) -> Transcript:
        if utterance.text is None:
            raise DataError("no text to align")
        config = self.model.config
        text = normaliser(config.text.normaliser)(utterance.text)
        tokens = self.model.tokenizers[TEXT_HEAD].encode(text)
        hypotheses = force_align(emission[None], np.array([len(emission)]), [tokens])
        duration = utterance.duration or len(emission) * config.frame_shift
        return self.searcher.words.transcript(utterance.id, hypotheses, duration)

    def _computed(
        self, utterances: Iterable[Utterance], batch_duration: float
    ) -> Iterator[tuple[list[Loaded], NDArray[np.float32], NDArray[np.int64]]]:
        """Yield groups of recordings, with log-probabilities and lengths of the readable ones."""
        loaded = prefetch(self._load, utterances, depth=READ_AHEAD)
        for group in _groups(loaded, batch_duration * self.sample_rate):
            readable = [audio for _, audio in group if not isinstance(audio, AudioError)]
            yield group, *self.engine.log_probs(*_padded(readable), self.searcher.head)

    def _load(self, utterance: Utterance) -> Loaded:
        try:
            return utterance, read_utterance(utterance, self.sample_rate)
        except AudioError as error:
            return utterance, error


def _padded(waveforms: list[Waveform]) -> tuple[Waveform, NDArray[np.int64]]:
    """Stack waveforms, zeros after the shorter ones: (B, N), and their lengths, (B,)."""
    lengths = np.array([len(waveform) for waveform in waveforms], np.int64)
    padded = np.zeros((len(waveforms), lengths.max(initial=0)), np.float32)
    for row, waveform in zip(padded, waveforms, strict=True):
        row[: len(waveform)] = waveform
    return padded, lengths


def _groups(loaded: Iterable[Loaded], n_samples: float) -> Iterator[list[Loaded]]:
    """Gather recordings up to `n_samples` with padding, which only a single one may exceed."""
    group: list[Loaded] = []
    longest = 0
    for item in loaded:
        length = 0 if isinstance(item[1], AudioError) else len(item[1])
        if group and max(longest, length) * (len(group) + 1) > n_samples:
            yield group
            group, longest = [], 0
        group.append(item)
        longest = max(longest, length)
    if group:
        yield group
