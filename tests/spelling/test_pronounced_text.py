import dataclasses

import numpy as np
import pytest
import torch

from asr.errors import ConfigError, DataError
from asr.spelling.heard_phones import HeardPhones, Said, cut_emission
from asr.spelling.phone_features import phone_features
from asr.spelling.pronounceable import PronounceableText
from asr.spelling.pronounced_text import PronouncedText, PronouncingConfig
from asr.text.tokens import TokenTable

CONFIG = PronouncingConfig(
    n_hearings=1, n_utterances=30, min_words=2, max_words=5, batch_duration=2.0, seed=1
)
WORDS = {"ONE": [1, 2], "TWO": [3], "THREE": [2, 3, 1], "MUTE": []}
SEGMENTS = ["ONE TWO", "TWO WHAT ONE", "THREE ONE TWO TWO ONE", "MUTE TWO", "TWO THREE"]


def make_text() -> PronounceableText:
    return PronounceableText.of(SEGMENTS, WORDS)


def make(config: PronouncingConfig = CONFIG) -> PronouncedText:
    said = Said.of([np.array([1, 2, 3, 1, 3, 2])])
    pieces = cut_emission(said, np.repeat(said.phones, 3), hearing=0, start=0)
    log_probs = torch.randn(18, 4, generator=torch.Generator().manual_seed(0)).log_softmax(1)
    heard = HeardPhones(log_probs.half().numpy(), pieces)
    return PronouncedText(make_text(), heard, TokenTable.from_text(WORDS), config, 0.04)


def test_segments_with_a_word_that_nobody_pronounces_are_left_out() -> None:
    text = make_text()

    said = [" ".join(text.words[w] for w in text.run(s, 2)) for s in range(len(text.starts))]

    assert said == ["ONE TWO", "THREE ONE", "TWO THREE"]


def test_a_run_of_words_goes_on_in_the_next_segments_and_ends_with_the_text() -> None:
    text = make_text()
    assert [text.words[w] for w in text.run(1, 6)] == [
        "THREE", "ONE", "TWO", "TWO", "ONE", "TWO",
    ]  # fmt: skip
    assert len(text.run(2, 6)) == 2


def test_text_without_a_pronounced_segment_is_refused() -> None:
    with pytest.raises(DataError, match="pronounces no segment"):
        PronounceableText.of(["WHAT"], WORDS)


def test_an_utterance_is_what_was_heard_of_its_phones_and_spells_its_words() -> None:
    data = make()
    heard = {tuple(row) for row in phone_features(torch.tensor(data.heard.log_probs)).tolist()}
    n_utterances = 0
    for batch in data.batches(0):
        assert batch.strength == 1.0  # of dropout
        n_utterances += len(batch.ids)
        for row, length in enumerate(batch.lengths.tolist()):
            assert {tuple(frame) for frame in batch.features[row, :length].tolist()} <= heard
            target = batch.targets["text"][row : row + 1]
            spelled = data.tokenizer.decode(target.tokens[0, : target.lengths[0]].tolist())
            words = spelled.split()
            assert 2 <= len(words) <= 5
            n_phones = sum(len(WORDS[word]) for word in words)
            assert length == 3 * n_phones  # every piece has three frames
    assert n_utterances == CONFIG.n_utterances


def test_each_utterance_is_said_as_it_was_heard_one_time_or_another() -> None:
    said = Said.of([np.array([1, 2, 3, 2, 1])])
    pieces = [cut_emission(said, said.phones, hearing=h, start=5 * h) for h in (0, 1)]
    log_probs = np.zeros((10, 4), np.float16)
    log_probs[5:] = -5.0
    heard = HeardPhones(log_probs, np.concatenate(pieces))
    data = PronouncedText(make_text(), heard, TokenTable.from_text(WORDS), CONFIG, 0.04)

    sounds = {
        tuple(batch.features[row, : batch.lengths[row]].unique().tolist())
        for batch in data.batches(0)
        for row in range(len(batch.ids))
    }

    assert sounds == {(1.0,), (1.0 - 5.0 / 4.0,)}


def test_an_epoch_is_the_same_again_from_wherever_it_is_gone_on_with() -> None:
    whole = list(make().batches(3))
    rest = list(make().batches(3, start=2))

    assert len(whole) == make().n_batches(3) > 3
    assert [batch.ids for batch in rest] == [batch.ids for batch in whole[2:]]
    for batch, other in zip(rest, whole[2:], strict=True):
        assert torch.equal(batch.features, other.features)
        assert torch.equal(batch.targets["text"].tokens, other.targets["text"].tokens)
        assert batch.seed == other.seed


def test_every_epoch_and_every_seed_say_something_else() -> None:
    def first(data: PronouncedText, epoch: int) -> list[float]:
        features: list[float] = next(data.batches(epoch)).features.flatten().tolist()
        return features

    another = make(dataclasses.replace(CONFIG, seed=2))
    assert first(make(), 0) != first(make(), 1)
    assert first(make(), 0) != first(another, 0)


def test_a_batch_lasts_no_longer_than_it_may_and_an_epoch_as_long_as_its_batches() -> None:
    data = make()
    batches = list(data.batches(0))
    for batch in batches:
        assert len(batch.ids) * int(batch.lengths.max()) * 0.04 <= CONFIG.batch_duration + 1e-9
    assert data.duration(0) == pytest.approx(sum(batch.duration for batch in batches))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("n_hearings", 0),
        ("n_utterances", 0),
        ("min_words", 0),
        ("max_words", 1),
        ("batch_duration", 0.0),
    ],
)
def test_what_cannot_be_said_is_refused_by_the_key(key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"pronouncing\.{key} must"):
        dataclasses.replace(CONFIG, **{key: value})  # type: ignore[arg-type]
