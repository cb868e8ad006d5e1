import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asr.checkpoint.decoding import (
    LEXICON_FILE,
    LM_FILE,
    Kind,
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

OWN_BEAM = BeamConfig(
    beam_size=1000, beam_threshold=18.0, n_best=1, lm_weight=1.4, prior_weight=0.4
)
DEFAULT = SearchPlan(OWN_BEAM, Path("own.lm"), Path("own.txt"))
GREEDY = SearchPlan()


def test_without_options_a_model_has_its_default_search() -> None:
    assert plan_search(SearchOptions(), DEFAULT) == DEFAULT
    assert plan_search(SearchOptions(), GREEDY) == GREEDY


@pytest.mark.parametrize("kind", [None, "beam"])
@pytest.mark.parametrize("lm", [None, Path("mine.lm")])
@pytest.mark.parametrize("lexicon", [None, Path("mine.txt")])
@pytest.mark.parametrize("hotwords", [{}, {"CAT": 2.0}])
@pytest.mark.parametrize("settings", [{}, {"beam_size": 16}, {"lm_weight": 0.9, "n_best": 7}])
def test_each_option_replaces_its_part_and_all_else_stays(
    kind: Kind | None,
    lm: Path | None,
    lexicon: Path | None,
    hotwords: dict[str, float],
    settings: dict[str, float],
) -> None:
    plan = plan_search(SearchOptions(kind, settings, lm, lexicon, hotwords), DEFAULT)

    assert plan == SearchPlan(
        beam=replace(OWN_BEAM, **settings),  # type: ignore[arg-type]
        lm=lm or DEFAULT.lm,
        lexicon=lexicon or DEFAULT.lexicon,
        hotwords=hotwords,
    )


@pytest.mark.parametrize("default", [DEFAULT, GREEDY])
def test_a_plain_search_has_nothing_of_the_model_and_all_that_it_is_given(
    default: SearchPlan,
) -> None:
    alone = plan_search(SearchOptions("plain", {"beam_size": 16}), default)
    with_words = plan_search(SearchOptions("plain", {}, Path("mine.lm")), default)

    assert alone == SearchPlan(BeamConfig(beam_size=16, beam_threshold=14.0, n_best=1))
    assert with_words.beam == BeamConfig(
        beam_size=100, beam_threshold=14.0, n_best=1, lm_weight=0.8, unknown_score=-15.0
    )
    assert (with_words.lm, with_words.lexicon) == (Path("mine.lm"), None)


def test_a_beam_search_of_a_greedy_model_is_the_plain_one() -> None:
    for options in (SearchOptions(), SearchOptions(lexicon=Path("mine.txt"))):
        beam = plan_search(replace(options, kind="beam"), GREEDY)
        assert beam == plan_search(replace(options, kind="plain"), GREEDY)


def test_settings_may_be_any_kind_of_number_and_are_compiled_for_one() -> None:
    settings: dict[str, Any] = {"beam_size": 16.0, "n_best": np.int64(3), "lm_weight": 1}
    settings["word_score"] = np.int8(2)

    beam = plan_search(SearchOptions(settings=settings), DEFAULT).beam

    assert beam == replace(OWN_BEAM, beam_size=16, n_best=3, lm_weight=1.0, word_score=2.0)
    kinds = {name: type(getattr(beam, name)) for name in settings}
    assert kinds == {"beam_size": int, "n_best": int, "lm_weight": float, "word_score": float}


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("beam_size", 100.5, "a whole number"),
        ("beam_size", math.inf, "a whole number"),
        ("n_best", "3", "a whole number"),
        ("lm_weight", "0.8", "a number"),
        ("lm_weight", None, "a number"),
    ],
)
def test_a_setting_that_is_no_number_is_refused(name: str, value: object, told: str) -> None:
    options = SearchOptions(settings={name: value})  # type: ignore[dict-item]

    with pytest.raises(ConfigError, match=f"{name} must be {told}"):
        plan_search(options, DEFAULT)


def test_greedy_is_greedy_whatever_the_model_comes_with() -> None:
    assert plan_search(SearchOptions("greedy"), DEFAULT) == SearchPlan()


@pytest.mark.parametrize(
    ("options", "default", "complaint"),
    [
        (SearchOptions("greedy", {"beam_size": 3}), DEFAULT, "greedy search takes no"),
        (SearchOptions("greedy", lm=Path("mine.lm")), DEFAULT, "greedy search takes no"),
        (SearchOptions("greedy", lexicon=Path("mine")), GREEDY, "greedy search takes no"),
        (SearchOptions("greedy", hotwords={"CAT": 1.0}), DEFAULT, "greedy search takes no"),
        (SearchOptions(None, {"beam_size": 3}), GREEDY, "default search is greedy .*--search beam"),
        (SearchOptions(None, hotwords={"CAT": 1.0}), GREEDY, "default search is greedy"),
        (SearchOptions("beam", {"lm_weight": 0.5}), GREEDY, "lm_weight needs a language model"),
        (SearchOptions("plain", {"lm_weight": 0.5}), DEFAULT, "lm_weight needs a language model"),
        (SearchOptions("plain", {"unknown_score": -1.0}), DEFAULT, "unknown_score needs a"),
        (SearchOptions("beam", {"beam_size": 0}), GREEDY, "beam_size must be at least 1"),
        (SearchOptions(None, {"n_best": 1001}), DEFAULT, r"n_best must be in 1..beam_size \(1000"),
        (SearchOptions(None, {"beam": 3}), DEFAULT, "no setting 'beam', only beam_size, "),
        (SearchOptions("greddy"), DEFAULT, "must be one of .*'greedy'.* got 'greddy'"),  # type: ignore[arg-type]
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
