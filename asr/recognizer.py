"""Recognizer: a model and a search, audio in, transcript out. What an application imports."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from asr.checkpoint import Checkpoint, load_checkpoint, verify_golden
from asr.corpus.loader import prefetch, read_utterance
from asr.corpus.statistics import speaker_statistics, stacked_statistics
from asr.corpus.utterance import Utterance
from asr.errors import AudioError, ModelError
from asr.features.cmvn import CmvnStatistics
from asr.lengths import pad
from asr.search.greedy import greedy_search
from asr.search.hypothesis import Hypothesis
from asr.search.prefix_beam import BeamConfig, prefix_beam_search
from asr.text.transcript import Alternative, Transcript, Word, mean_confidence

MODELS = Path(__file__).with_name("models")  # the models that the package ships
DEFAULT_MODEL = "mini_librispeech"
READ_AHEAD = 8  # recordings


def load_model(name: str | Path = DEFAULT_MODEL, *, beam: BeamConfig | None = None) -> "Recognizer":
    """Load a model that the package ships, by its name, or one of yours, by its folder.

    Args:
        name: A model's name, or the path of a model directory. A shipped model goes before a folder
            of its name in the working directory, which "./NAME" finds.
        beam: Settings of the beam search; None searches greedily.

    Raises:
        ModelError: There is no such model, or its files do not make one.

    Example:
        >>> load_model("no-such-model")
        Traceback (most recent call last):
        asr.errors.ModelError: no-such-model: neither a model directory nor a shipped model ...
    """
    return Recognizer(load_checkpoint(model_folder(name)), beam=beam)


def model_folder(name: str | Path) -> Path:
    """Find the directory of a model.

    Raises:
        ModelError: It is neither a folder nor the name of a shipped model.
    """
    shipped = shipped_models()
    if str(name) in shipped:
        return MODELS / name
    if Path(name).is_dir():
        return Path(name)
    raise ModelError(
        f"{name}: neither a model directory nor a shipped model "
        f"(shipped: {', '.join(shipped) or 'none'})"
    )


def shipped_models() -> list[str]:
    """Name the models that the package ships."""
    return sorted(path.name for path in MODELS.glob("*") if path.is_dir())


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
    """

    def __init__(self, checkpoint: Checkpoint, *, beam: BeamConfig | None = None) -> None:
        self.checkpoint = checkpoint
        self.beam = beam

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
            In the given order, each utterance with its transcript or with the reason why there is
            none.
        """
        speakers: dict[str, CmvnStatistics] = {}
        if self.checkpoint.config.features.cmvn == "speaker":
            utterances = list(utterances)
            speakers = speaker_statistics(self.checkpoint.front_end, utterances)
        read = prefetch(self._try_to_read, utterances, depth=READ_AHEAD)
        for group in _groups(read, batch_duration * self.sample_rate):
            audible = [(u, audio) for u, audio in group if isinstance(audio, Tensor)]
            transcripts = iter(self._transcribe_group(audible, speakers))
            for utterance, audio in group:
                yield utterance, audio if isinstance(audio, AudioError) else next(transcripts)

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
            result: tuple[Tensor, Tensor] = self.checkpoint.model(
                *self.checkpoint.front_end(waveforms, lengths, speaker)
            )
        return result

    def _transcribe_group(
        self, group: Sequence[tuple[Utterance, Tensor]], speakers: Mapping[str, CmvnStatistics]
    ) -> list[Transcript]:
        """Transcribe waveforms as one batch."""
        if not group:
            return []
        front_end = self.checkpoint.front_end
        rows = stacked_statistics(speakers, [u for u, _ in group], front_end.n_features)
        waveforms, lengths = pad([waveform for _, waveform in group])
        n_best = self._search(*self.log_probs(waveforms, lengths, rows))
        return [
            self._transcript(utterance.id, hypotheses, len(waveform) / self.sample_rate)
            for (utterance, waveform), hypotheses in zip(group, n_best, strict=True)
        ]

    def _try_to_read(self, utterance: Utterance) -> tuple[Utterance, Tensor | AudioError]:
        try:
            return utterance, read_utterance(utterance, self.sample_rate)
        except AudioError as error:
            return utterance, error

    def _search(self, log_probs: Tensor, lengths: Tensor) -> list[list[Hypothesis]]:
        if self.beam is None:
            return [[hypothesis] for hypothesis in greedy_search(log_probs, lengths)]
        return prefix_beam_search(log_probs, lengths, self.beam)

    def _transcript(self, name: str, n_best: list[Hypothesis], duration: float) -> Transcript:
        best, read = n_best[0], self.checkpoint.tokenizer.decode
        words = self._words(best, duration)
        return Transcript(
            id=name,
            text=read(best.tokens),
            score=best.score,
            confidence=mean_confidence(words),
            words=words,
            n_best=(
                Alternative(read(best.tokens), best.score),
                *(
                    Alternative(read(other.tokens), other.score, self._words(other, duration))
                    for other in n_best[1:]
                ),
            ),
            duration=duration,
        )

    def _words(self, hypothesis: Hypothesis, duration: float) -> tuple[Word, ...]:
        """Give words their times and confidences.

        Encoder frame t begins at t * frame_shift * subsampling_factor seconds. A word lasts from
        the frame where its first token appears to the end of that of its last, and no longer than
        the recording. Its confidence is the product of its tokens': the probability that all are
        right, were they independent.
        """
        shift, frames = self.checkpoint.frame_shift, hypothesis.frames
        return tuple(
            Word(
                span.text,
                min(frames[span.start] * shift, duration),
                min((frames[span.stop - 1] + 1) * shift, duration),
                math.prod(hypothesis.confidences[span.start : span.stop]),
            )
            for span in self.checkpoint.tokenizer.words(hypothesis.tokens)
        )


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
