"""Labels: recognised words, each labelled correct or not by alignment with its reference."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from asr.confidence.calibration import Bools, Floats, measures
from asr.errors import DataError
from asr.text.normalise import Normaliser, normaliser
from asr.text.transcript import Transcript, Word
from asr.wer.alignment import EditKind, align_words
from asr.wer.score import Reference


@dataclass(frozen=True, slots=True, eq=False)
class LabelledWords:
    """Recognised words and their labels.

    Attributes:
        confidences: (N,), 0 to 1.
        letters: (N,), characters in the word.
        seconds: (N,), duration of the word.
        is_correct: (N,) bool.
        groups: For cross-validation: the speaker of each word, or its utterance if not all speakers
            are known, or there is only one.
    """

    confidences: Floats
    letters: Floats
    seconds: Floats
    is_correct: Bools
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, mask: Bools) -> "LabelledWords":
        """Select the words for which the mask, (N,), is true."""
        return LabelledWords(
            self.confidences[mask],
            self.letters[mask],
            self.seconds[mask],
            self.is_correct[mask],
            tuple(group for group, is_in in zip(self.groups, mask, strict=True) if is_in),
        )


def label_words(
    references: Sequence[Reference], transcripts: Mapping[str, Transcript], normaliser_name: str
) -> LabelledWords:
    """Align hypotheses with their references; a word is correct if it is a hit.

    Both sides are normalised. A word that the normaliser splits is correct if all parts are; one
    that it empties is left out. Utterances without a hypothesis have no words.

    Args:
        references: Each with a text.
        transcripts: By utterance id, with words; those without a reference are ignored.
        normaliser_name: See `asr.text.normalise`.

    Raises:
        DataError: A reference has no text, a word no confidence, a hypothesis a text but no words,
            or there is no word at all.
    """
    normalise = normaliser(normaliser_name)
    speakers = {reference.speaker for reference in references}
    has_speakers = None not in speakers and len(speakers) > 1
    labelled = [
        (word, is_correct, reference.speaker or "" if has_speakers else reference.id)
        for reference in references
        if reference.id in transcripts
        for word, is_correct in _label(reference, transcripts[reference.id], normalise)
    ]
    if not labelled:
        raise DataError("there is no recognised word to learn from")
    words, labels, groups = zip(*labelled, strict=True)
    return LabelledWords(*measures(words), np.array(labels, np.bool_), groups)


def _label(
    reference: Reference, transcript: Transcript, normalise: Normaliser
) -> Iterator[tuple[Word, bool]]:
    if reference.text is None:
        raise DataError(f"utterance {reference.id} has no text to label its words by")
    if transcript.text.split() and not transcript.words:
        raise DataError(f"hypothesis {transcript.id} has a text, but no words with confidences")
    parts_of_words = [normalise(word.text).split() for word in transcript.words]
    hypothesis = " ".join(part for parts in parts_of_words for part in parts)
    edits = align_words(normalise(reference.text), hypothesis)
    hits = iter([edit.kind == EditKind.HIT for edit in edits if edit.hypothesis])
    for word, parts in zip(transcript.words, parts_of_words, strict=True):
        if word.confidence is None or not 0.0 <= word.confidence <= 1.0:
            raise DataError(
                f"hypothesis {transcript.id}: expected a confidence from 0 to 1 of "
                f"{word.text!r}, got {word.confidence}"
            )
        are_hits = [next(hits) for _ in parts]
        if are_hits:
            yield word, all(are_hits)
