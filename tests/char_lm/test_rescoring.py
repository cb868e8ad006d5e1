import dataclasses
import json
from collections.abc import Sequence

import pytest
import torch

from asr.char_lm.characters import CharacterTable
from asr.char_lm.config import LanguageConfig
from asr.char_lm.language_model import LanguageModel, build_language_model
from asr.char_lm.rescoring import rescore
from asr.errors import DataError
from asr.text.transcript import Alternative, Transcript, Word, from_record, to_json

FIRST = (Word("A", 0.1, 0.2, 0.75), Word("CAD", 0.3, 0.6, 0.75))
SECOND = (Word("A", 0.1, 0.2, 0.75), Word("CAB", 0.3, 0.7, 0.25))
TRANSCRIPT = Transcript(
    id="one",
    text="A CAD",
    score=-3.0,
    confidence=0.75,
    words=FIRST,
    n_best=(
        Alternative("A CAD", -3.0),
        Alternative("A CAB", -3.5, words=SECOND),
        Alternative("ACAB", -9.0),
    ),
    duration=1.0,
)
OTHER = Transcript("two", "B", -1.0, n_best=(Alternative("B", -1.0), Alternative("BE", -2.0)))


@pytest.fixture
def language_model(small_language_config: LanguageConfig) -> LanguageModel:
    torch.manual_seed(0)
    return build_language_model(small_language_config, CharacterTable.of(["A CAB DE"]))


def rescored(
    language_model: LanguageModel,
    transcripts: Sequence[Transcript] = (TRANSCRIPT,),
    lm_weight: float = 0.0,
    word_score: float = 0.0,
) -> list[Transcript]:
    return rescore(transcripts, language_model, lm_weight=lm_weight, word_score=word_score)


def test_weights_of_zero_change_nothing(language_model: LanguageModel) -> None:
    assert rescored(language_model, [TRANSCRIPT, OTHER]) == [TRANSCRIPT, OTHER]


def test_a_score_is_the_sum_of_the_searchs_the_models_and_the_words(
    language_model: LanguageModel,
) -> None:
    (result,) = rescored(language_model, lm_weight=0.5, word_score=0.25)

    log_probs = language_model.log_probs(["A CAD", "A CAB", "ACAB"])
    expected = {
        "A CAD": -3.0 + 0.5 * log_probs[0] + 2 * 0.25,
        "A CAB": -3.5 + 0.5 * log_probs[1] + 2 * 0.25,
        "ACAB": -9.0 + 0.5 * log_probs[2] + 1 * 0.25,
    }
    assert {entry.text: entry.score for entry in result.n_best} == pytest.approx(expected)
    scores = [entry.score for entry in result.n_best]
    assert scores == sorted(scores, reverse=True)
    assert (result.text, result.score) == (result.n_best[0].text, result.n_best[0].score)


def test_the_best_entry_brings_the_times_of_its_words_and_leaves_the_others_theirs(
    language_model: LanguageModel,
) -> None:
    before, after = language_model.log_probs(["A CAD", "A CAB"])
    weight = 100.0 if after > before else -100.0  # in favour of the second entry

    (result,) = rescored(language_model, lm_weight=weight, word_score=1000.0)

    assert (result.text, result.words) == ("A CAB", SECOND)
    assert result.confidence == pytest.approx(0.5)
    assert [entry.words for entry in result.n_best] == [(), FIRST, ()]
    assert from_record(json.loads(to_json(result))).n_best[1].words == FIRST


def test_an_entry_without_times_becomes_a_transcript_without_them(
    language_model: LanguageModel,
) -> None:
    (result,) = rescored(language_model, word_score=-100.0)

    assert (result.text, result.words, result.confidence) == ("ACAB", (), None)


def test_an_utterance_alone_equals_itself_among_others(language_model: LanguageModel) -> None:
    (alone,) = rescored(language_model, lm_weight=0.5)

    _, together = rescored(language_model, [OTHER, TRANSCRIPT], lm_weight=0.5)

    assert together.text == alone.text
    assert together.score == pytest.approx(alone.score, abs=1e-5)


def test_lists_without_an_alternative_are_refused(language_model: LanguageModel) -> None:
    lone = dataclasses.replace(TRANSCRIPT, n_best=TRANSCRIPT.n_best[:1])

    with pytest.raises(DataError, match="no utterance has an alternative"):
        rescored(language_model, [lone, Transcript("two", "B")])
