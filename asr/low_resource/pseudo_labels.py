"""Pseudo-labels: transcripts that a model made become the texts of utterances to learn from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from asr.corpus.utterance import Utterance
from asr.errors import DataError, counted
from asr.text.transcript import Transcript, Word

LONGEST = 30.0  # seconds; longer recordings are cut
MARGIN = 0.5  # seconds that a part keeps on either side of its words, or half of the pause there


def pseudo_labelled(
    recordings: Sequence[Utterance], transcripts: Mapping[str, Transcript]
) -> list[Utterance]:
    """Take the transcripts of recordings as their texts.

    Recordings of more than `LONGEST` seconds are cut at their longest pauses.

    Args:
        recordings: In order.
        transcripts: By id, with times of words for long recordings.

    Returns:
        Utterances with texts, without those in which nothing was recognised.

    Raises:
        DataError: Nothing was recognised in any recording.
    """
    labelled = [
        utterance
        for recording in recordings
        if recording.id in transcripts and transcripts[recording.id].text
        for utterance in _cut_if_long(recording, transcripts[recording.id])
    ]
    if not labelled:
        raise DataError(
            f"nothing was recognised in {counted(len(recordings), 'recording')}: nothing to learn"
        )
    return labelled


def _cut_if_long(recording: Utterance, transcript: Transcript) -> Iterator[Utterance]:
    if (transcript.duration or 0.0) <= LONGEST:
        yield replace(recording, text=transcript.text, duration=transcript.duration)
        return
    parts = list(_cut(transcript.words))
    middles = [(one[-1].end + other[0].start) / 2 for one, other in pairwise(parts)]
    edges = pairwise([0.0, *middles, transcript.duration or 0.0])
    for number, (words, (earliest, latest)) in enumerate(zip(parts, edges, strict=True)):
        start = max(earliest, words[0].start - MARGIN)
        end = min(words[-1].end + MARGIN, latest)
        yield replace(
            recording,
            id=f"{recording.id}#{number}",
            offset=recording.offset + start,
            duration=end - start,
            text=" ".join(word.text for word in words),
        )


def _cut(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """Cut at the longest pause, again and again until every part is short enough."""
    parts = [words]
    while parts:
        part = parts.pop()
        if len(part) < 2 or part[-1].end - part[0].start <= LONGEST:
            yield part
            continue
        pauses = [after.start - before.end for before, after in pairwise(part)]
        middle = 1 + pauses.index(max(pauses))
        parts += [part[middle:], part[:middle]]
