"""Judged: words of hypotheses, each known to be right or wrong by the reference."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.confidence.calibration import Numbers, measures
from asr.errors import DataError
from asr.text.normalise import Normaliser, normaliser
from asr.text.transcript import Transcript, Word
from asr.wer.alignment import EditKind, align_words
from asr.wer.score import Reference


@dataclass(frozen=True, slots=True, eq=False)
class JudgedWords:
    """Recognised words, with what is known of each.

    Attributes:
        confidences: (N,), 0 to 1.
        letters: (N,), characters in the word.
        seconds: (N,), from its start to its end.
        is_right: (N,) bool.
        sources: Who said each; or which utterance it is in, where not all speakers are known.
    """

    confidences: Numbers
    letters: Numbers
    seconds: Numbers
    is_right: NDArray[np.bool_]
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, chosen: NDArray[np.bool_]) -> "JudgedWords":
        """Take those for which the mask, (N,), is true."""
        return JudgedWords(
            self.confidences[chosen],
            self.letters[chosen],
            self.seconds[chosen],
            self.is_right[chosen],
            tuple(source for source, is_in in zip(self.sources, chosen, strict=True) if is_in),
        )


def judge(
    references: Sequence[Reference], transcripts: Mapping[str, Transcript], normaliser_name: str
) -> JudgedWords:
    """Align hypotheses with their references; a word is right if the alignment has it as a hit.

    Both sides go through the normaliser. A word of which it makes several is right if all are; one
    of which it leaves nothing is passed over. An utterance without hypothesis has no words.

    Args:
        references: Each with a text.
        transcripts: By utterance id, with words; those without a reference are not looked at.
        normaliser_name: See `asr.text.normalise`.

    Raises:
        DataError: A reference has no text, a word no confidence, a hypothesis a text but no words,
            or there is no word at all.
    """
    normalise = normaliser(normaliser_name)
    has_speakers = all(reference.speaker is not None for reference in references)
    words: list[Word] = []
    verdicts: list[bool] = []
    sources: list[str] = []
    for reference in references:
        if reference.id not in transcripts:
            continue
        for word, is_right in _judge_one(reference, transcripts[reference.id], normalise):
            words.append(word)
            verdicts.append(is_right)
            sources.append((reference.speaker or "") if has_speakers else reference.id)
    if not words:
        raise DataError("there is no recognised word to learn from")
    return JudgedWords(*measures(words), np.array(verdicts, np.bool_), tuple(sources))


def _judge_one(
    reference: Reference, transcript: Transcript, normalise: Normaliser
) -> Iterator[tuple[Word, bool]]:
    if reference.text is None:
        raise DataError(f"utterance {reference.id} has no text to judge its words by")
    if transcript.text.split() and not transcript.words:
        raise DataError(f"hypothesis {transcript.id} has a text, but no words with confidences")
    spelled = [normalise(word.text).split() for word in transcript.words]
    hypothesis = " ".join(part for parts in spelled for part in parts)
    edits = align_words(normalise(reference.text), hypothesis)
    hits = iter([edit.kind == EditKind.HIT for edit in edits if edit.hypothesis])
    for word, parts in zip(transcript.words, spelled, strict=True):
        if word.confidence is None or not 0.0 <= word.confidence <= 1.0:
            raise DataError(
                f"hypothesis {transcript.id}: expected a confidence from 0 to 1 of "
                f"{word.text!r}, got {word.confidence}"
            )
        verdict = [next(hits) for _ in parts]
        if verdict:
            yield word, all(verdict)
