from pathlib import Path
from typing import Literal

import pytest

from asr.checkpoint.decoding import (
    LEXICON_FILE,
    LM_FILE,
    SearchOptions,
    SearchPlan,
    plan_search,
    write_default_search,
)
from asr.errors import ConfigError
from asr.lm.counts import count_ngrams, kept_ngrams
from asr.lm.files import read_ngram, write_ngram
from asr.lm.kneser_ney import estimate
from asr.lm.text import index_text
from asr.search.beam import BeamConfig
from asr.text.normalise import normaliser

DEFAULT = SearchPlan(
    beam=BeamConfig(beam_size=1000, beam_threshold=18.0, n_best=1, lm_weight=1.4, prior_weight=0.4),
    lm=Path("own.lm"),
    lexicon=Path("own.txt"),
)
GREEDY = SearchPlan()


def test_without_options_a_model_is_searched_as_it_comes() -> None:
    plan = plan_search(SearchOptions(), DEFAULT)

    assert (plan.beam, plan.lm, plan.lexicon) == (DEFAULT.beam, DEFAULT.lm, DEFAULT.lexicon)
    assert plan_search(SearchOptions(), GREEDY) == GREEDY


@pytest.mark.parametrize("kind", [None, "beam"])
def test_a_language_model_of_ones_own_keeps_the_rest_of_the_default_search(
    kind: Literal["beam"] | None,
) -> None:
    plan = plan_search(SearchOptions(kind, lm=Path("mine.lm")), DEFAULT)

    assert (plan.beam, plan.lm, plan.lexicon) == (DEFAULT.beam, Path("mine.lm"), DEFAULT.lexicon)


@pytest.mark.parametrize("kind", [None, "beam"])
def test_words_of_ones_own_are_weighed_as_the_models(kind: Literal["beam"] | None) -> None:
    options = SearchOptions(kind, {"lm_weight": 0.9}, Path("mine.lm"), Path("mine.txt"))

    plan = plan_search(options, DEFAULT)

    assert plan.beam is not None
    assert (plan.beam.lm_weight, plan.beam.prior_weight, plan.beam.beam_size) == (0.9, 0.4, 1000)
    assert (plan.lm, plan.lexicon) == (Path("mine.lm"), Path("mine.txt"))


def test_a_beam_alone_uses_no_words() -> None:
    plan = plan_search(SearchOptions("beam", {"beam_size": 16}), DEFAULT)

    assert plan.beam is not None
    assert (plan.beam.beam_size, plan.beam.lm_weight, plan.beam.prior_weight) == (16, 0.0, 0.0)
    assert (plan.lm, plan.lexicon) == (None, None)


def test_greedy_is_greedy_whatever_the_model_comes_with() -> None:
    assert plan_search(SearchOptions("greedy"), DEFAULT).beam is None


@pytest.mark.parametrize(
    ("options", "default", "complaint"),
    [
        (SearchOptions("greedy", {"beam_size": 3}), DEFAULT, "greedy search takes no"),
        (SearchOptions("greedy", lm=Path("mine.lm")), DEFAULT, "greedy search takes no"),
        (SearchOptions(None, {"beam_size": 3}), GREEDY, "no default search to refine"),
        (SearchOptions("beam", {"lm_weight": 0.5}), GREEDY, "lm_weight needs a language model"),
        (SearchOptions("beam", {"beam_size": 0}), GREEDY, "beam_size must be at least 1"),
    ],
)
def test_what_does_not_go_together_is_refused(
    options: SearchOptions, default: SearchPlan, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        plan_search(options, default)


def test_a_language_model_is_packed_in_the_spelling_of_the_model(tmp_path: Path) -> None:
    text = index_text(["one two", "two"])
    levels = list(count_ngrams(text.tokens, text.n_types, 1))
    kept = kept_ngrams(levels, len(text.vocabulary))
    write_ngram(tmp_path / "own.arpa", estimate(levels, kept, text.vocabulary))
    (tmp_path / "words").write_text("One W AH N\nsix S IH K S\n")
    search = SearchPlan(DEFAULT.beam, tmp_path / "own.arpa", tmp_path / "words")

    write_default_search(tmp_path, search, normaliser("librispeech-1"))

    assert read_ngram(tmp_path / LM_FILE).vocabulary.words[3:] == ("TWO", "ONE")
    assert (tmp_path / LEXICON_FILE).read_text() == "ONE W AH N\n"
