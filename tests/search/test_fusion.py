import gc
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from asr.errors import ConfigError, DataError
from asr.lm.ngram import NGram, Nodes, make_nodes
from asr.lm.vocabulary import Vocabulary
from asr.search.beam import BeamConfig
from asr.search.beam_search import BeamSearch
from asr.search.fusion import Fusion, fuse, read_hotwords
from asr.search.hypothesis import Hypothesis

CHARACTERS = ("<blank>", "▁", "A", "C", "H", "T")
PIECES = ("<blank>", "▁C", "▁THE", "AT", "A", "T", "▁A")
PHONES = ("<blank>", "K", "AE", "T", "D", "OW")
VOCABULARY = Vocabulary.of(["THE", "CAT", "CHAT"])


def unigrams(probabilities: Sequence[float]) -> Nodes:
    n = len(probabilities)
    return make_nodes(
        np.arange(-1, n, dtype=np.int32),
        np.append(0, np.log(probabilities)).astype(np.float32),
        np.zeros(1, np.float32),
        np.array([1, n + 1], np.uint32),
        np.zeros(n + 1, np.int32),
    )


@pytest.fixture
def lm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A language model, without the work of reading it."""
    model = NGram(VOCABULARY, unigrams([0.05, 0.0001, 0.1, 0.4, 0.4, 0.0499]))
    monkeypatch.setattr("asr.search.fusion.read_ngram", lambda _: model)
    return tmp_path / "some.lm"


def search(
    tokens: Sequence[str],
    frames: Sequence[Mapping[str, float]],
    fusion: Fusion,
    *,
    n_best: int = 1,
    beam_threshold: float = 20.0,
    lm_weight: float = 0.0,
) -> list[Hypothesis]:
    """Search frames that are given by the probability of a few tokens."""
    beam = BeamConfig(
        beam_size=20, beam_threshold=beam_threshold, n_best=n_best, lm_weight=lm_weight
    )
    probs = np.full((len(frames), len(tokens)), 1e-6)
    for row, frame in zip(probs, frames, strict=True):
        for token, probability in frame.items():
            row[tokens.index(token)] = probability
    log_probs = np.log(probs / probs.sum(axis=1, keepdims=True))
    (found,) = BeamSearch(beam, fusion.language)(log_probs[None], np.array([len(frames)]))
    return found


def text(tokens: Sequence[str], hypothesis: Hypothesis) -> str:
    return "".join(tokens[i] for i in hypothesis.tokens).replace("▁", " ").strip()


CAT_OR_CHT = [{"C": 1.0}, {"A": 0.4, "H": 0.6}, {"T": 1.0}]


def test_a_language_model_reads_the_word_that_it_knows(lm: Path) -> None:
    fusion = fuse(CHARACTERS, "librispeech-1", lm=lm)
    best, second = search(CHARACTERS, CAT_OR_CHT, fusion, n_best=2, lm_weight=1.0)
    assert [text(CHARACTERS, h) for h in (best, second)] == ["CAT", "CHT"]
    assert best.acoustic_score == pytest.approx(math.log(0.4), abs=1e-3)
    assert best.lm_score == pytest.approx(math.log(0.4) + math.log(0.1), abs=1e-5)
    assert best.score == pytest.approx(best.acoustic_score + best.lm_score)


def test_pieces_spell_words_however_they_are_cut(lm: Path) -> None:
    fusion = fuse(PIECES, "librispeech-1", lm=lm)
    for cut in ([{"▁C": 1.0}, {"AT": 1.0}], [{"▁C": 1.0}, {"A": 1.0}, {"T": 1.0}]):
        best = search(PIECES, cut, fusion, lm_weight=1.0)[0]
        assert [fusion.words[w.word] for w in best.words if w.word is not None] == ["CAT"]


def test_only_words_of_the_lexicon_are_recognised(tmp_path: Path) -> None:
    lexicon = tmp_path / "words.txt"
    lexicon.write_text("cat  # the animal\nTACT\n\n")
    fusion = fuse(CHARACTERS, "librispeech-1", lexicon=lexicon)
    best = search(CHARACTERS, CAT_OR_CHT, fusion, n_best=5)
    assert "CAT" in [text(CHARACTERS, h) for h in best]
    assert {text(CHARACTERS, h) for h in best} <= {"", "CAT", "TACT", "CAT CAT"}


def test_an_unfinished_word_is_dropped_if_no_hypothesis_ends_in_a_complete_one(
    tmp_path: Path,
) -> None:
    lexicon = tmp_path / "words.txt"
    lexicon.write_text("CAT\n")
    fusion = fuse(CHARACTERS, "librispeech-1", lexicon=lexicon)
    frames = [{"C": 1.0}, {"A": 1.0}, {"T": 1.0}, {"▁": 1.0}, {"C": 1.0}]
    (best,) = search(CHARACTERS, frames, fusion, beam_threshold=5.0)
    assert text(CHARACTERS, best) == "CAT"


def test_pronunciations_tell_words_apart_without_boundaries(tmp_path: Path) -> None:
    lexicon = tmp_path / "dict"
    lexicon.write_text("cat K AE T\ndough D OW\ndoe(2) D OW\n")
    fusion = fuse(PHONES, "librispeech-1", lexicon=lexicon)
    frames = [{phone: 1.0} for phone in ("K", "AE", "T", "D", "OW")]
    found = search(PHONES, frames, fusion, n_best=2)
    words = [[fusion.words[w.word] for w in h.words if w.word is not None] for h in found]
    assert sorted(words) == [["CAT", "DOE"], ["CAT", "DOUGH"]]
    assert [(w.start, w.stop) for w in found[0].words] == [(0, 3), (3, 5)]


def test_a_hotword_is_preferred_and_its_boost_is_in_the_score() -> None:
    fusion = fuse(CHARACTERS, "librispeech-1", hotwords={"cat": 2.0})
    best, second = search(CHARACTERS, CAT_OR_CHT, fusion, n_best=2)
    assert [text(CHARACTERS, h) for h in (best, second)] == ["CAT", "CHT"]
    assert best.score == pytest.approx(best.acoustic_score + 2.0)
    assert second.score == pytest.approx(second.acoustic_score)


def test_a_hotword_is_a_whole_word() -> None:
    fusion = fuse(CHARACTERS, "librispeech-1", hotwords={"CA": 9.0})
    best = search(CHARACTERS, CAT_OR_CHT, fusion)[0]
    assert text(CHARACTERS, best) == "CHT"


def test_a_hotword_of_a_lexicon_is_preferred_however_it_is_pronounced(tmp_path: Path) -> None:
    lexicon = tmp_path / "dict"
    lexicon.write_text("cat K AE T\ncad K AE D\ncad K OW D\ntoe T OW\n")
    frames = [{"K": 1.0}, {"AE": 0.5, "OW": 0.5}, {"T": 0.6, "D": 0.4}]
    fusion = fuse(PHONES, "librispeech-1", lexicon=lexicon, hotwords={"Cad": 2.0, "cat toe": 9.0})
    plain = fuse(PHONES, "librispeech-1", lexicon=lexicon)
    before = search(PHONES, frames, plain)[0]
    best = search(PHONES, frames, fusion, n_best=4)[0]

    words = [w.word for h in (before, best) for w in h.words if w.word is not None]
    assert [fusion.words[word] for word in words] == ["CAT", "CAD"]
    assert best.score == pytest.approx(best.acoustic_score + 2.0)


def test_stress_places_and_case_of_a_lexicon_are_folded_where_the_model_has_none(
    tmp_path: Path,
) -> None:
    lexicon = tmp_path / "dict"
    lexicon.write_text("CAT  K AE1 T\ndoe d ow0\ntoe T_B OW1_E\n")
    fusion = fuse(PHONES, "librispeech-1", lexicon=lexicon, hotwords={"toe": 1.0})
    frames = [{phone: 1.0} for phone in ("K", "AE", "T", "D", "OW", "T", "OW")]
    (best,) = search(PHONES, frames, fusion)
    assert [fusion.words[w.word] for w in best.words if w.word is not None] == ["CAT", "DOE", "TOE"]


def test_a_lexicon_of_other_phones_is_refused_with_how_much_of_it_is_lost(tmp_path: Path) -> None:
    (tmp_path / "ipa").write_text("cat k \u00e6 t\ntoe t o\u028a\nduck d \u028c k\n")
    with pytest.raises(DataError, match=r"ipa: 3 of 3 words have no spelling .*: CAT, TOE, DUCK"):
        fuse(PHONES, "librispeech-1", lexicon=tmp_path / "ipa")


def test_a_word_keeps_the_pronunciations_in_the_phones_that_the_model_has(tmp_path: Path) -> None:
    (tmp_path / "dict").write_text("cat K AE T\ncat K AE ZH\ntoe T OW\n")

    fusion = fuse(PHONES, "librispeech-1", lexicon=tmp_path / "dict", hotwords={"cat": 2.0})

    (best,) = search(PHONES, [{phone: 1.0} for phone in ("K", "AE", "T")], fusion)
    assert [fusion.words[w.word] for w in best.words if w.word is not None] == ["CAT"]
    assert best.score == pytest.approx(best.acoustic_score + 2.0)


def test_a_hotword_that_the_lexicon_lacks_is_named(tmp_path: Path) -> None:
    (tmp_path / "dict").write_text("cat K AE T\n")
    with pytest.raises(DataError, match="'cat dog' cannot be recognised: the lexicon lacks DOG"):
        fuse(PHONES, "librispeech-1", lexicon=tmp_path / "dict", hotwords={"cat dog": 1.0})


def test_hotwords_are_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("new york\t3.5\nboston\n\n")
    assert read_hotwords(path, 8.0) == {"new york": 3.5, "boston": 8.0}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected a word a line"),
        ("CAT K AE T\nDOG\n", "'DOG' has none"),
        ("ÆØ ß\n", "1 of 1 words have no spelling in the model's tokens .*: ÆØ"),
        ("CAT\nDOG\n", r"1 of 2 words have no spelling .*\(A C H T\): DOG; at most 5% may"),
    ],
)
def test_a_lexicon_without_usable_words_is_refused(
    content: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "lexicon"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        fuse(CHARACTERS, "verbatim-1", lexicon=path)


def test_a_language_model_in_lower_case_is_that_in_upper_case(
    lm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "words").write_text("chat\nCat\n")
    expected = fuse(CHARACTERS, "librispeech-1", lm=lm)
    listed = fuse(CHARACTERS, "librispeech-1", lm=lm, lexicon=tmp_path / "words")
    lower = NGram(Vocabulary.of(["the", "cat", "chat"]), expected.language.ngram)
    monkeypatch.setattr("asr.search.fusion.read_ngram", lambda _: lower)
    assert fuse(CHARACTERS, "librispeech-1", lm=lm).words == expected.words
    found = fuse(CHARACTERS, "librispeech-1", lm=lm, lexicon=tmp_path / "words")
    assert found.language.lm_ids.tolist() == listed.language.lm_ids.tolist() == [5, 4]


def test_a_language_model_in_another_spelling_is_refused_with_examples(
    lm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["the", "cat", "chat"]
    nodes = unigrams([0.05, 0.0001, 0.1, 0.4, 0.3, 0.0499])
    other = NGram(Vocabulary.of(words), nodes)
    monkeypatch.setattr("asr.search.fusion.read_ngram", lambda _: other)
    with pytest.raises(
        DataError,
        match=rf"some\.lm: expected words that can be spelled in the model's tokens, "
        rf"got 0 of 3 \(0\.0 %\), without {', '.join(words)}: spell it as",
    ):
        fuse(CHARACTERS, "verbatim-1", lm=lm)


@pytest.mark.parametrize("has_lexicon", [False, True])
def test_a_language_model_in_both_cases_is_refused_even_if_some_words_fit(
    lm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_lexicon: bool
) -> None:
    other = NGram(Vocabulary.of(["A", "The", "the"]), unigrams([0.05, 0.0001, 0.1, 0.4, 0.3, 0.2]))
    monkeypatch.setattr("asr.search.fusion.read_ngram", lambda _: other)
    (tmp_path / "words").write_text("A\nTHE\n")
    lexicon = tmp_path / "words" if has_lexicon else None
    with pytest.raises(
        DataError, match=r"some\.lm: .* got 2 of 3 .* such as The; .* since The and the .* be THE:"
    ):
        fuse((*CHARACTERS, "E"), "librispeech-1", lm=lm, lexicon=lexicon)


def test_a_word_that_would_lose_a_digit_does_not_keep_others_from_being_respelled(
    lm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["cat", "3cat", "chat"]
    other = NGram(Vocabulary.of(words), unigrams([0.05, 0.0001, 0.1, 0.4, 0.3, 0.0499]))
    monkeypatch.setattr("asr.search.fusion.read_ngram", lambda _: other)
    assert fuse(CHARACTERS, "librispeech-1", lm=lm).words == ("CAT", "3cat", "CHAT")


def test_a_lexicon_and_a_language_model_without_words_in_common_are_refused(
    lm: Path, tmp_path: Path
) -> None:
    (tmp_path / "words").write_text("TEACH\nHATCH\n")
    with pytest.raises(DataError, match=r"got 0 of 3 .* without THE, CAT, CHAT: spell"):
        fuse((*CHARACTERS, "E"), "librispeech-1", lm=lm, lexicon=tmp_path / "words")


@pytest.mark.parametrize("n_words", [1, 40])
def test_a_lexicon_may_be_much_larger_than_its_language_model_or_much_smaller(
    n_words: int, lm: Path, tmp_path: Path
) -> None:
    words = ["CAT", *("CA" + "T" * i for i in range(2, 1 + n_words))]
    (tmp_path / "words").write_text("\n".join(words))
    found = fuse(CHARACTERS, "librispeech-1", lm=lm, lexicon=tmp_path / "words")
    assert np.count_nonzero(found.language.lm_ids) == 1


@pytest.mark.parametrize("n_words", [2, 40])
def test_what_a_lexicon_lacks_of_a_smaller_language_model_is_named(
    n_words: int, lm: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A smaller lexicon was made to have fewer words."""
    words = ["CAT", *("CA" + "T" * i for i in range(2, 1 + n_words))]
    (tmp_path / "words").write_text("\n".join(words))
    with caplog.at_level("INFO"):
        fuse(CHARACTERS, "librispeech-1", lm=lm, lexicon=tmp_path / "words")
    told = f"some.lm: 2 of its 3 most common words are not in {tmp_path / 'words'}"
    assert (told in caplog.text) == (n_words == 40)
    assert ("recognised: THE, CHAT" in caplog.text) == (n_words == 40)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="gone"):
        fuse(CHARACTERS, "librispeech-1", lexicon=tmp_path / "gone")
    with pytest.raises(DataError, match="gone"):
        read_hotwords(tmp_path / "gone", 1.0)


@pytest.mark.parametrize("boost", [0.0, -1.0, math.inf, math.nan])
def test_a_boost_out_of_range_is_refused(boost: float) -> None:
    with pytest.raises(ConfigError, match="boost of 'CAT'"):
        fuse(CHARACTERS, "librispeech-1", hotwords={"CAT": boost})


def test_hotwords_that_no_token_spells_are_refused() -> None:
    with pytest.raises(DataError, match="'DOG' cannot be spelled"):
        fuse(CHARACTERS, "librispeech-1", hotwords={"DOG": 1.0})
    with pytest.raises(ConfigError, match="where a word begins"):
        fuse(PHONES, "librispeech-1", hotwords={"K": 1.0})


@pytest.mark.parametrize("phrase", ["C3", "CAT 7", "\u043a\u043e\u0442", "..."])
def test_a_hotword_of_which_anything_would_vanish_is_refused(phrase: str) -> None:
    with pytest.raises(DataError, match=f"'{phrase}' cannot be recognised: the model spells no"):
        fuse(CHARACTERS, "librispeech-1", hotwords={phrase: 1.0})


def test_a_hotword_is_spelled_by_the_models_normaliser() -> None:
    fusion = fuse(CHARACTERS, "librispeech-1", hotwords={"c\u00e1-t.": 2.0})
    frames = [{"C": 1.0}, {"A": 0.4, "H": 0.6}, {"\u2581": 1.0}, {"T": 1.0}]
    (best,) = search(CHARACTERS, frames, fusion)
    assert text(CHARACTERS, best) == "CA T"


@pytest.mark.parametrize("was_enabled", [True, False])
def test_the_collector_of_cycles_is_as_it_was_also_after_an_error(
    was_enabled: bool, tmp_path: Path
) -> None:
    (tmp_path / "lexicon").write_text("CAT K AE T\n")
    (gc.enable if was_enabled else gc.disable)()
    try:
        fuse(CHARACTERS, "verbatim-1", phones=PHONES, lexicon=tmp_path / "lexicon")
        assert gc.isenabled() == was_enabled
        with pytest.raises(DataError):
            fuse(CHARACTERS, "verbatim-1", lexicon=tmp_path / "gone")
        assert gc.isenabled() == was_enabled
    finally:
        gc.enable()
