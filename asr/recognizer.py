"""Recognizer: audio in, transcript out. What an application imports."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.audio.decoder import Waveform
from asr.audio.pcm import PcmFormat
from asr.audio.read import opened, usable
from asr.audio.source import Source
from asr.checkpoint.aligner import align
from asr.checkpoint.decoding import Kind, SearchOptions, SearchPlan, plan_search
from asr.checkpoint.directory import ModelDirectory, read_directory
from asr.checkpoint.engine import load_engine
from asr.checkpoint.names import DEFAULT_MODEL, model_folder
from asr.checkpoint.searcher import Searcher
from asr.corpus.groups import Loaded, read_groups, result_or_error
from asr.corpus.loader import utterance_blocks
from asr.corpus.utterance import Utterance, as_utterance
from asr.errors import AsrError, AudioError, DataError
from asr.provenance import n_cores
from asr.runtime.emissions import Emission
from asr.runtime.engine import Engine
from asr.runtime.voice import VoicedEngine
from asr.runtime.windows import CONTEXT, LONGEST_WHOLE, STRIDE, Windows, emit, measured, padded
from asr.search.emission import checked
from asr.search.hypothesis import Hypothesis
from asr.search.words import begin_of
from asr.text.transcript import Transcript, Word

Progress = Callable[[float], object]  # gets seconds of audio


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

    Options modify the model's default search: each replaces one part and leaves the rest.
    Conflicting options are refused.

    Args:
        name: A model's name, or the path of a model directory. A shipped model takes precedence
            over a folder of its name in the working directory, which "./NAME" finds.
        search: What to start from instead: "greedy", "plain" (a beam search without the model's
            words and weights), or "beam" (the default search, or the plain one if that is greedy).
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


def _unseen(seconds: float) -> None: ...


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
        self.sample_rate = engine.sample_rate  # Hz; audio at another rate is resampled
        self._windows = Windows(n_threads=n_threads)
        self.searcher = Searcher(model, plan, n_threads=n_threads)
        self.calibration = self.searcher.calibration_of(model) if is_calibrated else None

    @property
    def _voiced(self) -> VoicedEngine:
        return VoicedEngine(self.engine, self.model.config.frame_shift)

    def transcribe(
        self,
        source: Source | Waveform,
        *,
        sample_rate: int | None = None,
        channel: int | None = None,
    ) -> Transcript:
        """Transcribe one recording of any length, in bounded memory.

        Args:
            source: A file of any format that `asr.audio` reads, by its path or URL or opened in
                binary; or a waveform, (N,) float32 in [-1, 1].
            sample_rate: Hz, of a waveform; None: the model's.
            channel: Which channel of a file to take, from 0; None mixes all down.

        Returns:
            The transcript; its text is empty if nothing was recognised.

        Raises:
            AudioError: The recording cannot be used; the message says why.
            ConfigError: The sample rate is given of a file, or the channel of a waveform.
        """
        given = opened(source, self.sample_rate, sample_rate=sample_rate, channel=channel)
        with given as (name, blocks):
            return self.transcribe_blocks(name, blocks)

    def transcribe_blocks(
        self, name: str, blocks: Iterable[Waveform], progress: Progress = _unseen
    ) -> Transcript:
        """Transcribe a recording that comes block by block, at the model's rate; see `stream`."""
        lengths: list[int] = []
        emissions = self._emitted(measured(blocks, lengths), self._windows, self._voiced)
        first, second = next(emissions), next(emissions, None)
        if second is None:
            (n_best,) = self.searcher(first[None], np.array([len(first)]))
            progress(sum(lengths) / self.sample_rate)
            return self._transcript(name, n_best, sum(lengths))
        searched = self._searched(chain([first, second], emissions), progress)
        parts = [part for parts, _ in searched for part in parts]
        transcript = self.searcher.words.joined(name, parts, sum(lengths) / self.sample_rate)
        return self.calibration(transcript) if self.calibration else transcript

    def transcribe_all(
        self,
        recordings: Iterable[Utterance | Path | str],
        *,
        batch_duration: float = 120.0,
        pcm: PcmFormat | None = None,
        progress: Progress = _unseen,
    ) -> Iterator[tuple[Utterance, Transcript | AudioError]]:
        """Transcribe many recordings, or stretches of them, in bounded memory.

        The next recordings are read while the model computes.

        Args:
            recordings: Their paths or URLs, or utterances in them; texts are ignored.
            batch_duration: Seconds of audio, padding included, to compute at once.
            pcm: The recordings are raw samples of this format, without a header.
            progress: Gets the seconds of audio that were just recognised, also in the midst of a
                long recording.

        Yields:
            In the given order, each as an utterance, with its transcript or the reason why there is
            none.
        """
        computed = self._computed(map(as_utterance, recordings), batch_duration, self._voiced, pcm)
        for group, log_probs, lengths in computed:
            n_bests = iter(self.searcher(log_probs, lengths))
            for utterance, audio in group:
                if isinstance(audio, AudioError):
                    yield utterance, audio
                elif audio is None:
                    name, blocks = utterance.id, utterance_blocks(utterance, self.sample_rate, pcm)
                    yield utterance, result_or_error(self.transcribe_blocks, name, blocks, progress)
                else:
                    yield utterance, self._transcript(utterance.id, next(n_bests), len(audio))
                    progress(len(audio) / self.sample_rate)

    def stream(
        self,
        blocks: Iterable[Waveform],
        *,
        stride: float = STRIDE,
        context: float = CONTEXT,
        patience: float | None = None,
    ) -> Iterator[tuple[Word, ...]]:
        """Transcribe a recording while it arrives, in bounded memory.

        Args:
            blocks: The recording at the model's rate, (N,) float32 each, of any lengths.
            stride: Seconds to recognise at a time.
            context: Seconds before and after these that the network hears as well; with less,
                more words are wrong.
            patience: Seconds that a word may be in doubt; then the best hypothesis decides, and a
                stretch is recognised as soon as its context has arrived. A word comes later than it
                was said by up to the sum of all three. None: the words are those of `transcribe`,
                and come when the search is sure of them.

        Yields:
            The next words, in order, as soon as nothing that follows can change them.
        """
        windows = Windows(stride, context, n_threads=1, n_ahead=0, is_prompt=patience is not None)
        lengths, end = list[int](), 0.0
        emissions = self._emitted(measured(blocks, lengths), windows, self._voiced)
        for parts, settled in self._searched(emissions, patience=patience):
            limit = min(settled, sum(lengths) / self.sample_rate)
            if words := self.searcher.words.timed(parts, limit, after=end):
                end = words[-1].end
                yield self.calibration.words(words) if self.calibration else words

    def emit_all(
        self, utterances: Iterable[Utterance], *, batch_duration: float = 120.0
    ) -> Iterator[tuple[Utterance, Emission | AudioError]]:
        """Compute the emissions that `transcribe_all`, which explains the arguments, searches.

        Yields:
            In the given order, each utterance with its emission, (T, V) natural-log probabilities
            of the head that is searched, or with the reason why there is none. The blank is certain
            where there is no speech; see `asr.runtime.voice`.
        """
        return (found[:2] for found in self._emissions(utterances, batch_duration, self._voiced))

    def align_all(
        self, utterances: Iterable[Utterance], *, batch_duration: float = 120.0
    ) -> Iterator[tuple[Utterance, Transcript | AsrError]]:
        """Find when the words of each utterance's text, normalised for the model, were said.

        Yields:
            In the given order, each utterance with its text as a transcript, or with the reason why
            there is none: no usable audio, no text, a text that the model's tokens cannot spell, or
            too little audio for it. Its words have no confidence: they are not in doubt.
        """
        greedy = Recognizer(self.model, self.engine, SearchPlan(), is_calibrated=False)
        found = greedy._emissions(utterances, batch_duration, self.engine)
        for utterance, emission, duration in found:
            if isinstance(emission, AudioError):
                yield utterance, emission
                continue
            try:
                words = greedy.searcher.words
                yield utterance, align(self.model, words, utterance, emission, duration)
            except DataError as error:
                yield utterance, error

    def text_of(self, emission: Emission) -> str:
        """Search one emission, (T, V) of the searched head; the text is empty if T is 0."""
        ((best, *_),) = self.searcher(emission[None], np.array([len(emission)]))
        return self.searcher.words.text(best)

    def _transcript(self, name: str, n_best: list[Hypothesis], n_samples: int) -> Transcript:
        duration = n_samples / self.sample_rate
        transcript = self.searcher.words.transcript(name, n_best, duration)
        return self.calibration(transcript) if self.calibration else transcript

    def _searched(
        self,
        emissions: Iterable[Emission],
        progress: Progress = _unseen,
        patience: float | None = None,
    ) -> Iterator[tuple[list[Hypothesis], float]]:
        """Search a recording piece by piece; yield what is settled, and its end in seconds."""
        search, shift = self.searcher.running(patience), self.model.config.frame_shift
        for emission in emissions:
            settled = search.read(checked(emission, "the recording"))
            yield settled, begin_of(search.first_frame, shift)
            progress(len(emission) * shift)
        yield search.finish()[:1], math.inf

    def _emitted(
        self, blocks: Iterable[Waveform], windows: Windows, engine: Engine
    ) -> Iterator[Emission]:
        """Compute a recording window by window."""
        blocks, shift = usable(blocks, self.sample_rate), self.model.config.frame_shift
        return emit(blocks, engine, self.searcher.head, frame_shift=shift, windows=windows)

    def _emissions(
        self, utterances: Iterable[Utterance], batch_duration: float, engine: Engine
    ) -> Iterator[tuple[Utterance, Emission | AudioError, float]]:
        """Compute the emission of each utterance; with the seconds that there are of it."""

        def whole(utterance: Utterance) -> tuple[Emission, int]:
            lengths: list[int] = []
            blocks = measured(utterance_blocks(utterance, self.sample_rate), lengths)
            return np.concatenate([*self._emitted(blocks, self._windows, engine)]), sum(lengths)

        for group, log_probs, lengths in self._computed(utterances, batch_duration, engine):
            emissions = iter(zip(log_probs, lengths.tolist(), strict=True))
            for utterance, audio in group:
                heard: tuple[Emission, int] | AudioError
                if isinstance(audio, np.ndarray):
                    emission, length = next(emissions)
                    heard = emission[:length], len(audio)
                else:
                    heard = result_or_error(whole, utterance) if audio is None else audio
                if isinstance(heard, AudioError):
                    yield utterance, heard, 0.0
                else:
                    yield utterance, heard[0], heard[1] / self.sample_rate

    def _computed(
        self,
        utterances: Iterable[Utterance],
        batch_duration: float,
        engine: Engine,
        pcm: PcmFormat | None = None,
    ) -> Iterator[tuple[list[Loaded], NDArray[np.float32], NDArray[np.int64]]]:
        """Yield groups of recordings, with what was computed of those that were read."""
        rate, most = self.sample_rate, batch_duration
        for group in read_groups(utterances, rate, longest=LONGEST_WHOLE, most=most, pcm=pcm):
            read = [audio for _, audio in group if isinstance(audio, np.ndarray)]
            yield group, *engine.log_probs(*padded(read), self.searcher.head)
