import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from asr.char_lm.characters import CharacterTable
from asr.char_lm.config import CharacterModelConfig, LanguageConfig
from asr.char_lm.language_model import LanguageModel
from asr.char_lm.network import CharacterModel
from asr.char_lm.scores import score_segments
from asr.errors import DataError

TABLE = CharacterTable("\n AB")
SEGMENTS = ["AB BA", "", "A", "B A B A B", "BB"]


@pytest.fixture
def model() -> CharacterModel:
    torch.manual_seed(0)
    return CharacterModel(
        CharacterModelConfig(cell="lstm", size=8, n_layers=1, dropout=0.0), n_characters=4
    )


@pytest.fixture
def language_model(small_language_config: LanguageConfig, model: CharacterModel) -> LanguageModel:
    return LanguageModel(small_language_config, TABLE, model)


def by_hand(model: CharacterModel, ids: list[int]) -> float:
    """Sum the log-probability of ids after an end, one by one."""
    score, state, last = 0.0, model.start(1), 0
    for i in ids:
        log_probs, state = model(torch.tensor([[last]]), state)
        score, last = score + float(log_probs[0, 0, i].detach()), i
    return score


def test_a_segment_alone_equals_itself_in_a_batch(model: CharacterModel) -> None:
    together = score_segments(model, TABLE, SEGMENTS)

    alone = [score_segments(model, TABLE, [segment])[0] for segment in SEGMENTS]

    assert together == pytest.approx(alone, abs=1e-5)


def test_a_score_is_the_sum_over_the_characters_and_the_end(model: CharacterModel) -> None:
    scores = score_segments(model, TABLE, ["AB A", ""])

    assert scores == pytest.approx([by_hand(model, [2, 3, 1, 2, 0]), by_hand(model, [0])], abs=1e-5)


def test_many_batches_give_what_one_gives(
    model: CharacterModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = score_segments(model, TABLE, SEGMENTS)
    monkeypatch.setattr("asr.char_lm.scores.MAX_CHARACTERS", 7)

    with ThreadPoolExecutor(2) as pool:
        scores = score_segments(model, TABLE, SEGMENTS, pool.map)

    assert scores == pytest.approx(expected, abs=1e-5)


def test_perplexity_is_that_of_all_characters_and_ends_and_of_all_words_and_ends(
    model: CharacterModel, language_model: LanguageModel
) -> None:
    log_prob = by_hand(model, [2, 3, 1, 2, 0]) + by_hand(model, [3, 0])

    result = language_model.perplexity(["AB A", "B"])

    assert (result.n_segments, result.n_words, result.n_characters) == (2, 3, 5)
    assert result.per_character == pytest.approx(math.exp(-log_prob / 7))
    assert result.per_word == pytest.approx(math.exp(-log_prob / 5))
    assert result.bits_per_character == pytest.approx(-log_prob / 7 / math.log(2))


def test_a_model_that_knows_nothing_chooses_among_all_characters(
    model: CharacterModel, language_model: LanguageModel
) -> None:
    with torch.no_grad():
        model.projection.weight.zero_()
        model.projection.bias.zero_()

    assert language_model.perplexity(["AB A"]).per_character == pytest.approx(4.0)


@pytest.mark.parametrize("texts", [[], ["", "..."]])
def test_a_text_without_words_has_no_perplexity(
    language_model: LanguageModel, texts: list[str]
) -> None:
    with pytest.raises(DataError, match="expected a text to score"):
        language_model.perplexity(texts)
