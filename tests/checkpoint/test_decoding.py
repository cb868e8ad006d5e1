from dataclasses import replace
from pathlib import Path

import pytest

from asr.checkpoint.decoding import Kind, SearchOptions, SearchPlan, plan_search
from asr.errors import ConfigError
from asr.search.beam import BeamConfig

OWN_BEAM = BeamConfig(
    beam_size=1000, beam_threshold=18.0, n_best=1, lm_weight=1.4, prior_weight=0.4
)
DEFAULT = SearchPlan(
    beam=OWN_BEAM,
    lm=Path("own.lm"),
    lexicon=Path("own.txt"),
)
GREEDY = SearchPlan()


def test_without_options_a_model_is_searched_as_it_comes() -> None:
    plan = plan_search(SearchOptions(), DEFAULT)

    assert (plan.beam, plan.lm, plan.lexicon) == (DEFAULT.beam, DEFAULT.lm, DEFAULT.lexicon)
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
