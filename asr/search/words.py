"""Reading: what a search found becomes a transcript, of words with their times and confidences."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asr.search.hypothesis import Hypothesis
from asr.text.tokens import Tokenizer, WordSpan
from asr.text.transcript import Alternative, Transcript, Word, mean_confidence

if TYPE_CHECKING:  # greedy search does without numba
    from asr.search.fusion import Fusion


@dataclass(frozen=True, slots=True)
class Reading:
    """How the hypotheses of a search are read.

    Attributes:
        tokenizer: The tokens, where the search does not tell words apart by itself.
        fusion: What the search knew beside the emission; None: nothing.
        frame_shift: Seconds from one frame of an emission to the next.
    """

    tokenizer: Tokenizer
    fusion: "Fusion | None"
    frame_shift: float

    def transcript(self, name: str, n_best: list[Hypothesis], duration: float) -> Transcript:
        """Read what was found of a recording.

        Args:
            name: Of the recording.
            n_best: At least one hypothesis, the best first.
            duration: Of the recording, in seconds; no word ends later.
        """
        best = n_best[0]
        words = self._words(best, duration)
        return Transcript(
            id=name,
            text=self.text(best),
            score=best.score if math.isfinite(best.score) else None,
            confidence=mean_confidence(words),
            words=words,
            n_best=self._alternatives(n_best, duration),
            duration=duration,
        )

    def text(self, hypothesis: Hypothesis) -> str:
        """Read a hypothesis as text."""
        return " ".join(span.text for span in self._spans(hypothesis))

    def _alternatives(self, n_best: list[Hypothesis], duration: float) -> tuple[Alternative, ...]:
        """Read the n-best list as texts; of several ways to the same text the best one counts.

        The words of the best are those of the transcript, and not told twice.
        """
        has_ngram = self.fusion is not None and self.fusion.has_ngram
        alternatives: dict[str, Alternative] = {}
        for other in n_best:
            text = self.text(other)
            if math.isfinite(other.score) and text not in alternatives:
                words = self._words(other, duration) if alternatives else ()
                lm_score = other.lm_score if has_ngram else None
                alternatives[text] = Alternative(
                    text, other.score, other.acoustic_score, lm_score, words
                )
        return tuple(alternatives.values())

    def _spans(self, hypothesis: Hypothesis) -> list[WordSpan]:
        """Group tokens into words, by the search where it told them apart by pronunciation."""
        if self.fusion is None or not self.fusion.are_pronounced:
            return self.tokenizer.words(hypothesis.tokens)
        return [
            WordSpan(self.fusion.words[said.word], said.start, said.stop)
            for said in hypothesis.words
            if said.word is not None
        ]

    def _words(self, hypothesis: Hypothesis, duration: float) -> tuple[Word, ...]:
        """Give words their times and confidences.

        A word lasts from the frame where its first token appears to the end of that of its last,
        and no longer than the recording. Its confidence is the product of its tokens': the
        probability that all are right, were they independent and the model as sure as it should be.
        """
        shift, frames = self.frame_shift, hypothesis.frames
        return tuple(
            Word(
                span.text,
                min(frames[span.start] * shift, duration),
                min((frames[span.stop - 1] + 1) * shift, duration),
                math.prod(hypothesis.confidences[span.start : span.stop]),
            )
            for span in self._spans(hypothesis)
        )
