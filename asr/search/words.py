"""Words: the hypotheses of a search become a transcript, its words with times and confidences."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from asr.search.hypothesis import Hypothesis
from asr.text.tokenizer import Tokenizer
from asr.text.tokens import WordSpan
from asr.text.transcript import Alternative, Transcript, Word, mean_confidence

if TYPE_CHECKING:  # greedy search needs no compiled code
    from asr.search.fusion import Fusion

# Seconds from the beginning of a word to the first frame of its first token, and from the last
# frame of its last token to the end of the word: CTC emits a token when enough of it was heard, and
# none while it fades. Measured on 6,754 words of 240 utterances of LibriSpeech with forced
# alignments (benchmarks/word_times.py); characters and phones, CTC and CTC-CRF, greedy search and
# beam search agree within 10 ms, so they belong to the frames, not to a model.
ONSET, DECAY = 0.04, 0.05


def begin_of(frame: int, frame_shift: float) -> float:
    """Tell when a word begins, in seconds, by the first frame of its first token.

    That is `ONSET` before the frame. In the first frames that would be before the recording, or
    at its start for several words: there it is half of the frame's time.

    Args:
        frame: From the recording's start.
        frame_shift: Seconds from one frame to the next.
    """
    return max(frame * frame_shift - ONSET, frame * frame_shift / 2)


@dataclass(frozen=True, slots=True)
class WordReader:
    """Reads words out of hypotheses.

    Attributes:
        tokenizer: Groups tokens into words, unless the search itself did so by pronunciation.
        fusion: The language that the search used; None for none.
        frame_shift: Seconds from one frame of the emission to the next.
    """

    tokenizer: Tokenizer
    fusion: "Fusion | None"
    frame_shift: float

    def transcript(self, name: str, n_best: list[Hypothesis], duration: float) -> Transcript:
        """Turn the hypotheses of one recording into its transcript.

        Args:
            name: The recording's id.
            n_best: At least one hypothesis, best first.
            duration: Seconds of the recording; no word ends later.
        """
        transcript = self.joined(name, n_best[:1], duration)
        return replace(transcript, n_best=self._alternatives(n_best, duration))

    def joined(self, name: str, parts: list[Hypothesis], duration: float) -> Transcript:
        """Turn what a running search settled, part by part, into the recording's transcript."""
        words = self.timed(parts, duration)
        score = parts[-1].score
        return Transcript(
            id=name,
            text=" ".join(word.text for word in words),
            score=score if math.isfinite(score) else None,
            confidence=mean_confidence(words),
            words=words,
            duration=duration,
        )

    def text(self, hypothesis: Hypothesis) -> str:
        """Join the words of a hypothesis with single spaces."""
        return " ".join(span.text for span in self._spans(hypothesis))

    def timed(
        self, parts: Sequence[Hypothesis], duration: float, *, after: float = 0.0
    ) -> tuple[Word, ...]:
        """Give each word its times and its confidence.

        A word lasts from where it begins by its first token (`begin_of`) to `DECAY` after the
        last frame of its last token, but not beyond the recording or into the next word. Its
        confidence is the product of its tokens' confidences: the probability that all are right if
        their errors are independent.

        Args:
            parts: Hypotheses of one recording that follow one another.
            duration: Seconds of the recording; no word ends later.
            after: Seconds; no word begins earlier.
        """
        shift = self.frame_shift
        spans = [(part, span) for part in parts for span in self._spans(part)]
        begins = [begin_of(part.frames[span.start], shift) for part, span in spans]
        begins = [min(max(begin, after), duration) for begin in begins]
        return tuple(
            Word(
                text=span.text,
                start=begin,
                end=max(begin, min(part.ends[span.stop - 1] * shift + DECAY, limit)),
                confidence=math.prod(part.confidences[span.start : span.stop]),
            )
            for (part, span), begin, limit in zip(
                spans, begins, [*begins[1:], duration], strict=False
            )
        )

    def _alternatives(self, n_best: list[Hypothesis], duration: float) -> tuple[Alternative, ...]:
        """List the distinct texts, each with its best score.

        The first has no words: they are the transcript's.
        """
        has_ngram = self.fusion is not None and self.fusion.language.has_ngram
        alternatives: dict[str, Alternative] = {}
        for hypothesis in n_best:
            text = self.text(hypothesis)
            if math.isfinite(hypothesis.score) and text not in alternatives:
                alternatives[text] = Alternative(
                    text,
                    hypothesis.score,
                    hypothesis.acoustic_score,
                    hypothesis.lm_score if has_ngram else None,
                    self.timed([hypothesis], duration) if alternatives else (),
                )
        return tuple(alternatives.values())

    def _spans(self, hypothesis: Hypothesis) -> list[WordSpan]:
        """Group tokens into words: by the lexicon if it has pronunciations, else by `▁`."""
        if self.fusion is None or not self.fusion.are_pronounced:
            return self.tokenizer.words(hypothesis.tokens)
        return [
            WordSpan(self.fusion.words[span.word], span.start, span.stop)
            for span in hypothesis.words
            if span.word is not None
        ]
