from collections.abc import Sequence

import pytest
import torch

from asr.config import Config
from asr.corpus.feature_cache import FeatureCache
from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.features.front_end import FrontEnd
from asr.features.padding import padded_length
from asr.train.data import TrainingData
from tests.conftest import EVERY_AUGMENTATION, make_config


def make_data(
    utterances: Sequence[Utterance],
    config: Config,
    max_feature_bytes: int = 10**9,
    silent: Sequence[str] = (),
) -> TrainingData:
    """Make data of which each utterance has two tokens, but for the silent ones, by id."""
    tokens = {u.id: [] if u.id in silent else [1, 2] for u in utterances}
    cache = FeatureCache(FrontEnd(config.features), max_feature_bytes)
    return TrainingData(
        utterances, {"text": tokens}, {"text": [3]}, cache, config.batching, config.augment
    )


def test_an_epoch_resumed_in_the_middle_gives_the_same_batches(
    tiny_corpus: Sequence[Utterance], small_config: Config
) -> None:
    whole = list(make_data(tiny_corpus, small_config).batches(1))

    rest = list(make_data(tiny_corpus, small_config).batches(1, start=1))

    assert len(whole) > 1
    for expected, got in zip(whole[1:], rest, strict=True):
        assert got.ids == expected.ids
        assert torch.equal(got.features, expected.features)


def test_batches_come_in_few_shapes(tiny_corpus: Sequence[Utterance], small_config: Config) -> None:
    for batch in make_data(tiny_corpus, small_config).batches(1):
        assert batch.features.shape[1] == padded_length(int(batch.lengths.max()))


def test_every_utterance_comes_once_an_epoch_in_an_order_of_its_own(
    tiny_corpus: Sequence[Utterance], small_config: Config
) -> None:
    data = make_data(tiny_corpus, small_config)

    epochs = [[name for batch in data.batches(e) for name in batch.ids] for e in (1, 2)]

    assert sorted(epochs[0]) == sorted(epochs[1]) == sorted(u.id for u in tiny_corpus)
    assert epochs[0] != epochs[1]


def test_an_utterance_without_a_duration_is_refused_by_its_id(
    tiny_corpus: Sequence[Utterance], small_config: Config
) -> None:
    unknown = Utterance("no-duration", tiny_corpus[0].audio_filepath)

    with pytest.raises(DataError, match="no-duration"):
        make_data([*tiny_corpus, unknown], small_config)


@pytest.mark.parametrize(
    "key",
    [
        *("reverb_share", "noise_share", "babble_share"),
        *("level_share", "telephone_share", "codec_share"),
    ],
)
def test_what_plays_speech_elsewhere_changes_its_sound_and_not_its_length(
    tiny_corpus: Sequence[Utterance], key: str
) -> None:
    batches = []
    for share in (0.0, 1.0):
        config = make_config(**{"augment__codec_share": 0.0, f"augment__{key}": share})
        batches.append(next(make_data(tiny_corpus, config).batches(2)))

    spared, sent = batches
    assert sent.ids == spared.ids
    assert torch.equal(sent.lengths, spared.lengths)
    assert not torch.allclose(sent.features, spared.features)


@pytest.mark.parametrize(("max_feature_bytes", "start"), [(0, 0), (20_000, 2)])
def test_neither_cache_nor_threads_nor_start_change_a_bit(
    tiny_corpus: Sequence[Utterance],
    max_feature_bytes: int,
    start: int,
) -> None:
    config = make_config(**EVERY_AUGMENTATION)
    roomy, tight = (make_data(tiny_corpus, config, room) for room in (10**9, max_feature_bytes))
    n_threads = torch.get_num_threads()

    for epoch in (2, 3):
        whole = list(roomy.batches(epoch))
        torch.set_num_threads(2 if n_threads == 1 else 1)  # more may round otherwise, on some CPUs
        rest = list(tight.batches(epoch, start))
        torch.set_num_threads(n_threads)
        for one, other in zip(whole[start:], rest, strict=True):
            assert torch.equal(one.features, other.features)
            assert torch.equal(one.targets["text"].tokens, other.targets["text"].tokens)


def test_what_is_replaced_by_no_speech_has_no_tokens(tiny_corpus: Sequence[Utterance]) -> None:
    some = make_config(augment__no_speech_share=0.5, augment__ramp_epochs=0)

    lengths = {
        name: (int(frames), int(targets))
        for batch in make_data(tiny_corpus, some).batches(1)
        for name, frames, targets in zip(
            batch.ids, batch.lengths, batch.targets["text"].lengths, strict=True
        )
    }

    replaced = [frames for frames, n_tokens in lengths.values() if n_tokens == 0]
    assert 0 < len(replaced) < len(lengths)
    assert {n_tokens for _, n_tokens in lengths.values()} == {0, 2}
    assert min(replaced) > 150  # the corpus has shorter ones only, the sounds 2 s at least


def test_tempo_makes_fewer_frames_and_batches_know(tiny_corpus: Sequence[Utterance]) -> None:
    speeds, spans = {}, {}
    for tempo in (1.0, 2.0):
        config = make_config(
            augment__speeds=(1.0,), augment__tempos=(tempo,), augment__codec_share=0.0
        )
        data = make_data(tiny_corpus, config)
        batches = list(data.batches(1))
        spans[tempo] = len(batches)
        speeds[tempo] = {
            name: int(n)
            for batch in batches
            for name, n in zip(batch.ids, batch.lengths, strict=True)
        }

    assert all(2 * speeds[2.0][n] == pytest.approx(speeds[1.0][n], abs=2) for n in speeds[1.0])
    assert spans[2.0] < spans[1.0]


def test_the_first_epoch_of_a_ramp_has_no_masks(tiny_corpus: Sequence[Utterance]) -> None:
    """An untrained model is spared: `ramp_epochs` reaches the masks, and the dropout's share."""
    ramp = make_config(augment__speeds=(1.0,), augment__codec_share=0.0)
    unmasked, masked = make_data(tiny_corpus, ramp), make_data(tiny_corpus, ramp)
    unmasked.augment = None

    for epoch, is_spared in ((0, True), (2, False)):
        pairs = list(zip(unmasked.batches(epoch), masked.batches(epoch), strict=True))
        equal = [torch.equal(plain.features, other.features) for plain, other in pairs]
        assert all(equal) if is_spared else not any(equal)
        assert {other.strength for _, other in pairs} == {0.0 if is_spared else 1.0}


def test_joined_utterances_have_the_tokens_and_the_frames_of_both(
    tiny_corpus: Sequence[Utterance],
) -> None:
    alone, joined = (
        {
            name: (int(frames), tokens[:n].tolist())
            for batch in make_data(
                tiny_corpus, make_config(augment__join_share=share, augment__ramp_epochs=0)
            ).batches(1)
            for name, frames, tokens, n in zip(
                batch.ids,
                batch.lengths,
                batch.targets["text"].tokens,
                batch.targets["text"].lengths,
                strict=True,
            )
        }
        for share in (0.0, 1.0)
    )

    shortest = min(frames for frames, _ in alone.values())
    for name, (frames, tokens) in joined.items():
        assert frames >= alone[name][0] + shortest - 3  # speeds are the same; frames of the ends
        assert tokens == [1, 2, 3, 1, 2]


def test_an_utterance_without_words_is_joined_without_a_word_boundary(
    tiny_corpus: Sequence[Utterance],
) -> None:
    some = make_config(augment__join_share=1.0, augment__ramp_epochs=0)
    data = make_data(tiny_corpus, some, silent=[tiny_corpus[0].id])

    targets = {
        tuple(own[:n].tolist())
        for epoch in range(1, 9)
        for batch in data.batches(epoch)
        for own, n in zip(batch.targets["text"].tokens, batch.targets["text"].lengths, strict=True)
    }

    assert targets - {()} == {(1, 2), (1, 2, 3, 1, 2)}
