"""Material: what is known about the utterances of a score besides their texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.text.normalise import Normaliser, normaliser
from asr.text.transcript import Transcript, Word
from asr.wer.alignment import Edit
from asr.wer.confusions import alignments
from asr.wer.score import Score


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """The utterances of a score.

    Attributes:
        score: The score.
        aligned: Its alignments, in the order of its utterances.
        words: For each word of a hypothesis, the recognised one with its time, by utterance id; of
            some only, or of none.
        durations: Seconds, by utterance id; of some only, or of none.
        recordings: The manifest's utterances, by id; of some only, or of none.
    """

    score: Score
    aligned: Sequence[Sequence[Edit]]
    words: Mapping[str, Sequence[Word]]
    durations: Mapping[str, float]
    recordings: Mapping[str, Utterance]

    def steps(self, index: int) -> list[tuple[Edit, Word | None]]:
        """Pair each step of an utterance's alignment with its recognised word, if that is known."""
        words = iter(self.words.get(self.score.utterances[index].id, ()))
        edits = self.aligned[index]
        return [(edit, next(words, None) if edit.hypothesis else None) for edit in edits]


def gather(
    score: Score, transcripts: Mapping[str, Transcript], manifest: Sequence[Utterance]
) -> Material:
    """Put together a score, the hypotheses that it scores, and their manifest.

    Args:
        score: A score.
        transcripts: By utterance id; empty: unknown.
        manifest: Empty: unknown.

    Raises:
        DataError: No hypothesis is as it was scored.
    """
    normalise, aligned = normaliser(score.normaliser), alignments(score)
    words = {}
    for utterance, edits in zip(score.utterances, aligned, strict=True):
        if utterance.id in transcripts and utterance.hypothesis is not None:
            timed = _timed_words(transcripts[utterance.id], normalise, edits)
            if timed is not None:
                words[utterance.id] = timed
    heard = [transcript for transcript in transcripts.values() if transcript.text]
    if heard and not any(transcript.words for transcript in heard):
        raise DataError(
            f"none of the {len(heard)} hypotheses with a text has words with times: give JSON "
            "lines as asr decode writes them"
        )
    if transcripts and not words:
        raise DataError(
            f"none of the {len(transcripts)} hypotheses is as it was scored; give the files that "
            "asr score read, in the order of the scores"
        )
    recordings = {utterance.id: utterance for utterance in manifest}
    durations = {i: r.duration for i, r in recordings.items() if r.duration is not None}
    durations |= {i: t.duration for i, t in transcripts.items() if t.duration is not None}
    return Material(score, aligned, words, durations, recordings)


def _timed_words(
    transcript: Transcript, normalise: Normaliser, edits: Sequence[Edit]
) -> list[Word] | None:
    """Find each word of a scored hypothesis in its transcript; None if it has other words."""
    heard = [edit.hypothesis for edit in edits if edit.hypothesis]
    parts = [(part, word) for word in transcript.words for part in normalise(word.text).split()]
    return [word for _, word in parts] if [p for p, _ in parts] == heard else None
