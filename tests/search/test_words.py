"""Hypotheses become a transcript: words, their times and confidences, the n-best list."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from asr.search.fusion import Fusion, fuse
from asr.search.hypothesis import Hypothesis, LexiconWord, first_tokens
from asr.search.words import DECAY, ONSET, WordReader, begin_of
from asr.text.formats import textgrid
from asr.text.tokens import TokenTable

CHARACTERS = TokenTable(("<blank>", "▁", "A", "B", "C"))
PHONES = TokenTable(("<blank>", "K", "AE", "B"))
SHIFT = 0.04  # seconds

CAB_A = Hypothesis(
    tokens=tuple(CHARACTERS.encode("CAB A")),
    frames=(2, 5, 6, 8, 11),
    ends=(4, 6, 8, 9, 12),
    confidences=(0.5, 0.9, 0.8, 0.1, 0.7),
    score=-3.0,
    acoustic_score=-2.0,
    lm_score=-1.0,
)
EMPTY = Hypothesis((), (), (), (), 0.0, 0.0)

ARPA = """\\data\\
ngram 1=4

\\1-grams:
-1.0 <unk>
-99 <s>
-0.5 </s>
-0.3 CAB

\\end\\
"""


def hypothesis(text: str, score: float) -> Hypothesis:
    """Spell a text in characters, `▁` where a space is, one token a frame."""
    tokens = tuple(CHARACTERS.ids_of(text.replace(" ", "▁")))
    frames, ends = tuple(range(len(tokens))), tuple(range(1, len(tokens) + 1))
    return Hypothesis(tokens, frames, ends, (0.5,) * len(tokens), score, score)


@pytest.fixture
def reader() -> WordReader:
    return WordReader(CHARACTERS, fusion=None, frame_shift=SHIFT)


@pytest.fixture
def lexicon(tmp_path: Path) -> Callable[[str, TokenTable], Fusion]:
    def make(text: str, tokens: TokenTable) -> Fusion:
        (tmp_path / "lexicon.txt").write_text(text)
        return fuse(tokens.tokens, "verbatim-1", lexicon=tmp_path / "lexicon.txt")

    return make


def test_a_word_lasts_from_before_its_first_token_to_after_the_end_of_its_last_tokens_run(
    reader: WordReader,
) -> None:
    words = reader.transcript("x", [CAB_A], duration=1.0).words
    assert [word.text for word in words] == ["CAB", "A"]
    assert [word.start for word in words] == pytest.approx([2 * SHIFT - ONSET, 11 * SHIFT - ONSET])
    assert [word.end for word in words] == pytest.approx([8 * SHIFT + DECAY, 12 * SHIFT + DECAY])


def test_a_word_ends_where_the_next_begins_at_the_latest(reader: WordReader) -> None:
    words = reader.transcript("x", [hypothesis("A B", -1.0)], duration=1.0).words
    assert words[0].end == words[1].start == pytest.approx(2 * SHIFT - ONSET)


def test_words_in_the_first_frames_last_some_time_alone_and_after_one_another() -> None:
    phrase = hypothesis("ABC", -1.0)
    is_word = TokenTable(("<blank>", "▁", "▁A", "▁B", "▁C"))
    reader = WordReader(is_word, fusion=None, frame_shift=SHIFT)

    whole = reader.transcript("x", [phrase], duration=1.0)
    (alone,) = reader.timed([first_tokens(phrase, 1)], begin_of(1, SHIFT))

    starts = [word.start for word in whole.words]
    assert starts == pytest.approx([0.0, SHIFT / 2, 2 * SHIFT - ONSET])
    assert [word.end for word in whole.words[:-1]] == starts[1:]
    assert alone == whole.words[0]
    assert "intervals: size = 4" in textgrid(whole)


def test_parts_of_a_recording_are_timed_as_their_whole(reader: WordReader) -> None:
    whole = hypothesis("A B", -1.0)
    tail = Hypothesis(whole.tokens[1:], whole.frames[1:], whole.ends[1:], (0.5, 0.5), -1.0, -1.0)
    head = Hypothesis(whole.tokens[:1], whole.frames[:1], whole.ends[:1], (0.5,), -1.0, -1.0)
    assert reader.timed([head, tail], 1.0) == reader.timed([whole], 1.0)
    (first,), (second,) = reader.timed([head], 1.0), reader.timed([tail], 1.0, after=SHIFT + DECAY)
    assert (first.end, second.start) == pytest.approx((SHIFT + DECAY, SHIFT + DECAY))


def test_a_words_confidence_is_the_product_of_its_tokens_without_the_boundary(
    reader: WordReader,
) -> None:
    transcript = reader.transcript("x", [CAB_A], duration=1.0)
    assert [word.confidence for word in transcript.words] == pytest.approx([0.36, 0.7])
    assert transcript.confidence == pytest.approx((0.36 + 0.7) / 2)


def test_no_word_begins_or_ends_after_the_recording(reader: WordReader) -> None:
    transcript = reader.transcript("x", [CAB_A], duration=0.46)
    assert (transcript.duration, transcript.words[1].end) == (0.46, 0.46)
    assert transcript.words[1].start == pytest.approx(0.4)
    words = reader.transcript("x", [CAB_A], duration=0.1).words
    assert [(word.start, word.end) for word in words] == [(0.04, 0.1), (0.1, 0.1)]


def test_a_transcript_has_the_best_hypothesis_and_its_score(reader: WordReader) -> None:
    transcript = reader.transcript("x", [CAB_A, hypothesis("B", -9.0)], duration=1.0)
    assert (transcript.id, transcript.text, transcript.score) == ("x", "CAB A", -3.0)


def test_without_tokens_the_text_is_empty_and_has_no_confidence(reader: WordReader) -> None:
    transcript = reader.transcript("x", [EMPTY], duration=0.5)
    assert (transcript.text, transcript.words, transcript.confidence) == ("", (), None)
    assert [alternative.text for alternative in transcript.n_best] == [""]


def test_an_impossible_hypothesis_has_no_score_and_is_no_alternative(reader: WordReader) -> None:
    impossible = Hypothesis((), (), (), (), -math.inf, -math.inf)
    transcript = reader.transcript("x", [impossible], duration=0.5)
    assert (transcript.score, transcript.n_best) == (None, ())


def test_of_hypotheses_with_the_same_text_the_best_is_the_alternative(reader: WordReader) -> None:
    n_best = [hypothesis(text, score) for text, score in (("A", -1), ("B", -2), (" A", -3))]
    alternatives = reader.transcript("x", n_best, duration=1.0).n_best
    assert [(each.text, each.score) for each in alternatives] == [("A", -1), ("B", -2)]


def test_every_alternative_but_the_first_has_words_with_times(reader: WordReader) -> None:
    n_best = [hypothesis("A", -1.0), hypothesis("C B", -2.0)]
    first, second = reader.transcript("x", n_best, duration=0.1).n_best
    assert first.words == ()
    assert [(word.text, word.start, word.end) for word in second.words] == [
        ("C", 0.0, SHIFT),
        ("B", 2 * SHIFT - ONSET, 0.1),
    ]


def test_only_a_search_with_a_language_model_gives_its_score(
    reader: WordReader, tmp_path: Path
) -> None:
    (tmp_path / "words.arpa").write_text(ARPA)
    fusion = fuse(CHARACTERS.tokens, "verbatim-1", lm=tmp_path / "words.arpa")
    with_lm = WordReader(CHARACTERS, fusion, SHIFT)
    for each, expected in ((reader, None), (with_lm, -1.0)):
        (alternative,) = each.transcript("x", [CAB_A], duration=1.0).n_best
        assert (alternative.acoustic_score, alternative.lm_score) == (-2.0, expected)


def test_words_of_a_lexicon_with_pronunciations_are_those_that_the_search_found(
    lexicon: Callable[[str, TokenTable], Fusion],
) -> None:
    fusion = lexicon("CAB K AE B\nKAB K AE B\nA AE\n", PHONES)
    reader = WordReader(PHONES, fusion, SHIFT)
    found = Hypothesis(
        tokens=(1, 2, 3, 2),
        frames=(0, 4, 6, 9),
        ends=(1, 5, 7, 10),
        confidences=(0.5, 1.0, 0.5, 0.8),
        score=-1.0,
        acoustic_score=-1.0,
        words=(LexiconWord(1, 0, 3), LexiconWord(2, 3, 4)),
    )
    transcript = reader.transcript("x", [found], duration=1.0)
    assert transcript.text == reader.text(found) == "KAB A"
    assert [word.start for word in transcript.words] == pytest.approx([0.0, 9 * SHIFT - ONSET])
    assert [word.end for word in transcript.words] == pytest.approx(
        [9 * SHIFT - ONSET, 10 * SHIFT + DECAY]
    )
    assert [word.confidence for word in transcript.words] == pytest.approx([0.25, 0.8])


def test_a_lexicon_without_pronunciations_leaves_the_words_to_the_tokens(
    lexicon: Callable[[str, TokenTable], Fusion],
) -> None:
    reader = WordReader(CHARACTERS, lexicon("CAB\nA\n", CHARACTERS), SHIFT)
    assert reader.text(CAB_A) == "CAB A"
