"""Recognizer: a model and a search, audio in, transcript out. What an application imports."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from asr.checkpoint.names import DEFAULT_MODEL, model_folder
from asr.checkpoint.network import Checkpoint, load_checkpoint, verify_golden
from asr.confidence.calibration import Calibration
from asr.confidence.searches import search_kind
from asr.corpus.loader import prefetch, read_utterance
from asr.corpus.statistics import speaker_statistics, stacked_statistics
from asr.corpus.utterance import Utterance
from asr.errors import AsrError, AudioError, ConfigError, DataError
from asr.features.cmvn import CmvnStatistics
from asr.features.padding import pad
from asr.model.acoustic import Output
from asr.search.alignment import force_align
from asr.search.beam import BeamConfig
from asr.search.greedy import greedy_search
from asr.search.hypothesis import Hypothesis
from asr.search.words import Reading
from asr.speller import Speller
from asr.text.normalise import Normaliser, normaliser
from asr.text.transcript import Transcript

if TYPE_CHECKING:
    from asr.search.beam_search import BeamSearch
    from asr.search.fusion import Fusion

READ_AHEAD = 8  # recordings

_LOG = logging.getLogger(__name__)


def load_model(
    name: str | Path = DEFAULT_MODEL,
    *,
    beam: BeamConfig | None = None,
    lm: str | Path | None = None,
    lexicon: str | Path | None = None,
    hotwords: Mapping[str, float] | None = None,
    is_greedy: bool = False,
    is_calibrated: bool = True,
) -> "Recognizer":
    """Load a model that the package ships, by its name, or one of yours, by its folder.

    Args:
        name: A model's name, or the path of a model directory. A shipped model goes before a folder
            of its name in the working directory, which "./NAME" finds.
        beam: Settings of the beam search; None searches as the model comes with, or else greedily.
        lm: File of an n-gram model (see `asr lm`), weighed by the beam's `lm_weight`.
        lexicon: File of the only words that can be said; a word a line, alone or with its
            pronunciation behind it. A model with an output of phones is then searched by that.
        hotwords: Phrases that score higher, each with its boost in nats.
        is_greedy: Search greedily, whatever the model comes with.
        is_calibrated: Give the probability that a word is right as its confidence, if the model
            has a calibration for this kind of search; else the search's own confidence.

    Raises:
        ModelError: There is no such model, or its files do not make one.
        ConfigError: A language model, a lexicon or hotwords are given, but no beam; or a beam for
            a greedy search.
        DataError: One of these files cannot be used.

    Example:
        >>> load_model("no-such-model")
        Traceback (most recent call last):
        asr.errors.ModelError: no-such-model: neither a model directory nor a shipped model ...
    """
    checkpoint = load_checkpoint(model_folder(name))
    if is_greedy and beam:
        raise ConfigError("a greedy search has no beam: give is_greedy or beam")
    if not is_calibrated:
        checkpoint = replace(checkpoint, calibrations={})
    own = checkpoint.search
    if beam is None and own and not (is_greedy or lm or lexicon):
        beam, lm, lexicon = own.beam, own.lm, own.lexicon
    if beam is None:
        if lm or lexicon or hotwords:
            raise ConfigError("a language model, lexicon or hotwords need a beam search: give beam")
        return Recognizer(checkpoint)
    from asr.search.fusion import fuse  # here, so that greedy search does without numba

    fusion = fuse(
        checkpoint.text_tokenizer.tokens,
        checkpoint.config.text.normaliser,
        phones=checkpoint.phones.tokens if checkpoint.phones else None,
        lm=Path(lm) if lm else None,
        lexicon=Path(lexicon) if lexicon else None,
        hotwords=hotwords,
    )
    return Recognizer(checkpoint, beam=beam, fusion=fusion)


def verify_model(name: str | Path) -> None:
    """Check that a model gives here the golden example that was stored with it.

    Raises:
        ModelError: It does not, or there is no such model.
    """
    folder = model_folder(name)
    verify_golden(folder, load_checkpoint(folder))


class Recognizer:
    """Turns recordings into transcripts.

    The transcript of a recording is the same alone and among any others.

    Args:
        checkpoint: The model.
        beam: Settings of the beam search; None searches greedily.
        fusion: What the beam search knows beside the emission; None knows nothing.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        beam: BeamConfig | None = None,
        fusion: "Fusion | None" = None,
    ) -> None:
        self.checkpoint = checkpoint
        self.beam = beam
        self.fusion = fusion
        is_phonetic = checkpoint.phones and fusion and fusion.are_pronounced
        self.output: Output = "phones" if is_phonetic else "text"
        self.prior = checkpoint.priors.get(self.output)
        self.reading = Reading(checkpoint.text_tokenizer, fusion, checkpoint.shift_of(self.output))
        self._beam_search = self._make_beam_search(beam) if beam else None
        self.calibration = self._calibration()

    @property
    def speller(self) -> Speller | None:
        """The network that writes what is searched; None where the acoustic model does."""
        return self.checkpoint.speller if self.output == "text" else None

    @property
    def search_kind(self) -> str:
        """What kind of search it is, of which each has a calibration of its own."""
        return search_kind(
            is_beam=self.beam is not None,
            is_pronounced=self.fusion is not None and self.fusion.are_pronounced,
            has_lm=self.fusion is not None and self.fusion.has_ngram,
        )

    @property
    def sample_rate(self) -> int:
        """Hz; audio at another rate is resampled."""
        return self.checkpoint.config.features.sample_rate

    def transcribe(self, path: str | Path, *, channel: int | None = None) -> Transcript:
        """Transcribe one audio file.

        Args:
            path: WAV, FLAC, Ogg, MP3 or AIFF, any rate, any number of channels.
            channel: Which channel to listen to, from 0; None mixes all down.

        Returns:
            The transcript; its text is empty where nothing was recognised.

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

        Reading goes on while the model computes. Order by length for the least padding.

        Args:
            utterances: What to transcribe; texts are not looked at, and speakers only where the
                model normalises by speaker: then everything is read twice.
            batch_duration: Seconds of audio, padding included, to compute at once.

        Yields:
            In the given order, each utterance with its transcript, confidences calibrated if the
            model can, or with the reason why there is none.
        """
        for group, log_probs, lengths in self._computed(utterances, batch_duration):
            n_best = iter(self._search(log_probs, lengths))
            for utterance, audio in group:
                if isinstance(audio, AudioError):
                    yield utterance, audio
                else:
                    duration = len(audio) / self.sample_rate
                    transcript = self.reading.transcript(utterance.id, next(n_best), duration)
                    calibration = self.calibration
                    yield utterance, calibration(transcript) if calibration else transcript

    def emit_all(
        self, utterances: Iterable[Utterance], *, batch_duration: float = 120.0
    ) -> Iterator[tuple[Utterance, Tensor | AudioError]]:
        """Compute what the model says of many recordings, without searching.

        Args:
            utterances: As for `transcribe_all`.
            batch_duration: Seconds of audio, padding included, to compute at once.

        Yields:
            In the given order, each utterance with its emission, (T, V) natural-log
            probabilities, or with the reason why there is none.
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
        """Find when the words of utterances were said, given what was said.

        Args:
            utterances: With their texts, which go through the model's normaliser.
            batch_duration: Seconds of audio, padding included, to compute at once.

        Yields:
            In the given order, each utterance with the transcript of its own text (its confidences
            are the model's in the words given, and never calibrated), or with the reason why there
            is none: no audio, no text, a text that the model's tokens do not spell, or too little
            audio for it.
        """
        normalise = normaliser(self.checkpoint.config.text.normaliser)
        # Whatever the search is, it goes by the acoustic model's own text, which keeps its time.
        by_text = Recognizer(replace(self.checkpoint, calibrations={}, speller=None))
        for utterance, emission in by_text.emit_all(utterances, batch_duration=batch_duration):
            if isinstance(emission, AudioError):
                yield utterance, emission
                continue
            try:
                yield utterance, by_text._aligned(utterance, emission, normalise)
            except DataError as error:
                yield utterance, error

    def read(self, heard: Tensor) -> str:
        """Read what the acoustic model says of one recording.

        Args:
            heard: (T, V) natural-log probabilities of its output `checkpoint.heard(output)`.

        Returns:
            The text that is found; nothing in no frames.
        """
        lengths = torch.tensor([len(heard)])
        with torch.inference_mode():
            emission, lengths = self.checkpoint.spell(heard[None], lengths, self.output)
        ((best, *_),) = self._search(emission, lengths)
        return self.reading.text(best)

    def _aligned(self, utterance: Utterance, emission: Tensor, normalise: Normaliser) -> Transcript:
        if utterance.text is None:
            raise DataError("no text to align")
        tokens = self.checkpoint.tokenizer.encode(normalise(utterance.text))
        lengths = torch.tensor([len(emission)])
        hypotheses = force_align(emission[None], lengths, [tokens])
        duration = utterance.duration or len(emission) * self.checkpoint.frame_shift
        return self.reading.transcript(utterance.id, hypotheses, duration)

    def log_probs(
        self, waveforms: Tensor, lengths: Tensor, speaker: CmvnStatistics | None = None
    ) -> tuple[Tensor, Tensor]:
        """Score every token at every encoder frame.

        Args:
            waveforms: (B, N) float32 in [-1, 1] at `sample_rate`.
            lengths: (B,) int64, samples.
            speaker: Statistics, (B, F) each, for a model that normalises by speaker.

        Returns:
            log_probs, (B, T, V) float32, and their lengths, (B,) int64.
        """
        with torch.inference_mode():
            features, lengths = self.checkpoint.front_end(waveforms, lengths, speaker)
            return self.checkpoint.emit(features, lengths, self.output)

    def _computed(
        self, utterances: Iterable[Utterance], batch_duration: float
    ) -> Iterator[tuple[list["Read"], Tensor, Tensor]]:
        """Read ahead, and give what the model says of those in a group that could be read."""
        front_end, speakers = self.checkpoint.front_end, dict[str, CmvnStatistics]()
        if self.checkpoint.config.features.cmvn == "speaker":
            utterances = list(utterances)
            speakers = speaker_statistics(front_end, utterances)
        read = prefetch(self._try_to_read, utterances, depth=READ_AHEAD)
        for group in _groups(read, batch_duration * self.sample_rate):
            audible = [(u, audio) for u, audio in group if isinstance(audio, Tensor)]
            if not audible:
                yield group, torch.zeros(0, 0, 0), torch.zeros(0, dtype=torch.int64)
                continue
            rows = stacked_statistics(speakers, [u for u, _ in audible], front_end.n_features)
            waveforms, lengths = pad([waveform for _, waveform in audible])
            yield group, *self.log_probs(waveforms, lengths, rows)

    def _try_to_read(self, utterance: Utterance) -> tuple[Utterance, Tensor | AudioError]:
        try:
            return utterance, read_utterance(utterance, self.sample_rate)
        except AudioError as error:
            return utterance, error

    def _make_beam_search(self, beam: BeamConfig) -> "BeamSearch":
        from asr.search.beam_search import BeamSearch  # here: greedy search does without numba
        from asr.search.language import plain_language

        n_tokens = len(self.checkpoint.text_tokenizer)
        language = self.fusion.language if self.fusion else plain_language(n_tokens)
        return BeamSearch(beam, language, prior=self.prior)

    def _search(self, log_probs: Tensor, lengths: Tensor) -> list[list[Hypothesis]]:
        if not len(lengths):
            return []
        if self._beam_search is None:
            return [[hypothesis] for hypothesis in greedy_search(log_probs, lengths)]
        return self._beam_search(log_probs, lengths, n_threads=torch.get_num_threads())

    def _calibration(self) -> Calibration | None:
        """Find what was fitted for this kind of search."""
        calibrations = self.checkpoint.calibrations
        if self.search_kind in calibrations:
            return calibrations[self.search_kind].calibration
        if calibrations:
            _LOG.info(
                "the model has no calibration of %s, only of %s: confidences are the search's own",
                self.search_kind,
                ", ".join(calibrations),
            )
        return None


Read = tuple[Utterance, Tensor | AudioError]


def _groups(read: Iterable[Read], n_samples: float) -> Iterator[list[Read]]:
    """Gather recordings up to a padded sum of `n_samples`, which only one alone may exceed."""
    group: list[Read] = []
    longest = 0
    for item in read:
        length = len(item[1]) if isinstance(item[1], Tensor) else 0
        if group and max(longest, length) * (len(group) + 1) > n_samples:
            yield group
            group, longest = [], 0
        group.append(item)
        longest = max(longest, length)
    if group:
        yield group
