"""A training set: the utterances that are fit to learn from, and those held out from it.

A corpus with texts is not yet one to train on: texts with digits teach a model to skip numbers,
cut-offs have no whole word, and speech that is sped up in training becomes too short for its text.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from asr.corpus.utterance import Problem, Utterance
from asr.lengths import n_frames_needed
from asr.text.normalise import Normaliser
from asr.text.omissions import find_omissions
from asr.text.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Requirements:
    """What an utterance must be like.

    Attributes:
        min_seconds: Of its duration.
        max_seconds: Of its duration.
        frame_shift: Seconds between the frames that CTC aligns.
        max_speed: The fastest that training plays it.
    """

    min_seconds: float
    max_seconds: float
    frame_shift: float
    max_speed: float


def unfit_for_training(
    utterances: Iterable[Utterance], wanted: Requirements, normalise: Normaliser
) -> list[Problem]:
    """List the utterances that teach nothing or something wrong, each with the first reason."""
    found = ((utterance.id, _reason(utterance, wanted, normalise)) for utterance in utterances)
    return [Problem(name, reason) for name, reason in found if reason]


def with_transcripts(
    utterances: Iterable[Utterance], transcripts: Mapping[str, Transcript], min_confidence: float
) -> tuple[list[Utterance], list[Problem]]:
    """Give utterances without texts those that a model is sure to have heard.

    Returns:
        All utterances but those whose transcript is missing or less sure; and these, with reasons.
    """
    given: list[Utterance] = []
    problems: list[Problem] = []
    for utterance in utterances:
        transcript = transcripts.get(utterance.id)
        confidence = transcript.confidence if transcript else None
        if utterance.text is not None:
            given.append(utterance)
        elif transcript and confidence is not None and confidence >= min_confidence:
            given.append(replace(utterance, text=transcript.text))
        else:
            problems.append(Problem(utterance.id, _why_unsure(transcript)))
    return given, problems


def _why_unsure(transcript: Transcript | None) -> str:
    if transcript is None:
        return "has no transcript"
    if not transcript.text:
        return "nothing was recognised in it"
    if transcript.confidence is None:
        return "its transcript has no confidence"
    return f"has confidence {transcript.confidence:.2f}"


def _reason(utterance: Utterance, wanted: Requirements, normalise: Normaliser) -> str:
    """Give the reason, or nothing."""
    text, seconds = utterance.text or "", utterance.duration
    spelled = normalise(text)
    if not spelled:
        return "has no words"
    if find_omissions([(utterance.id, text)], normalise).n_damaged:
        return f"the normaliser drops part of its text: {text}"
    if seconds is None:
        return "has no duration: `asr prepare` fills it in"
    if not wanted.min_seconds <= seconds <= wanted.max_seconds:
        return f"lasts {seconds:g} s"
    n_frames = seconds / wanted.max_speed / wanted.frame_shift - 2  # which the edges may cost
    n_needed = n_frames_needed([ord(letter) for letter in spelled])
    if n_needed > n_frames:
        return f"{seconds:g} s are too short for its text at {wanted.max_speed:g} times the speed"
    return ""


def held_out(
    corpora: Mapping[str, Sequence[Utterance]], every: int
) -> tuple[dict[str, list[Utterance]], list[Utterance]]:
    """Keep one speaker in `every` of each corpus apart; of a single speaker, one utterance.

    Hashes decide, so that an utterance stays where it is whatever else the corpus holds.

    Args:
        corpora: Utterances by the name of their corpus.
        every: About one in so many, of speakers that are known, or else of utterances.

    Returns:
        Those apart, by corpus; and all others, in order.
    """
    apart: dict[str, list[Utterance]] = defaultdict(list)
    kept: list[Utterance] = []
    for name, utterances in corpora.items():
        has_speakers = len({utterance.speaker for utterance in utterances}) > 1
        for utterance in utterances:
            key = utterance.speaker if has_speakers else None
            digest = hashlib.sha256(f"{name} {key or utterance.id}".encode()).hexdigest()
            (apart[name] if int(digest, 16) % every == 0 else kept).append(utterance)
    return dict(apart), kept


def named_by_corpus(name: str, utterances: Iterable[Utterance]) -> list[Utterance]:
    """Put the corpus' name before each id, so that corpora may share ids."""
    return [replace(utterance, id=f"{name}-{utterance.id}") for utterance in utterances]
