from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from asr.errors import DataError
from asr.model.acoustic import AcousticModel, ModelConfig
from asr.spelling.heard_phones import Said
from asr.spelling.listening import Overheard, listen
from asr.spelling.phone_features import phone_features
from asr.train.ranks import ALONE
from asr.train.step import TrainingBatch, Workers

N_FRAMES = {"long": 40, "short": 31, "hasty": 5}  # of features, halved by the model
SAID = {
    "long": Said.of([np.array([1, 2]), np.array([3])]),
    "short": Said.of([np.array([2])]),
    "hasty": Said.of([np.array([1, 2, 3, 1])]),  # in three frames
}


class Speech:
    """The same utterances, other masks in every epoch."""

    def batches(self, epoch: int, start: int = 0) -> Iterator[TrainingBatch]:
        for number, names in enumerate([("long", "hasty"), ("short",)][start:]):
            lengths = torch.tensor([N_FRAMES[name] for name in names])
            features = torch.full((len(names), int(lengths.max()), 20), torch.nan)
            for row, name in enumerate(names):
                generator = torch.Generator().manual_seed(100 * epoch + N_FRAMES[name])
                features[row, : lengths[row]] = torch.randn(
                    int(lengths[row]), 20, generator=generator
                )
            seed = 10 * epoch + number
            yield TrainingBatch(names, slice(0, len(names)), features, lengths, {}, 1.0, seed, 1.0)


@pytest.fixture
def model() -> AcousticModel:
    torch.manual_seed(0)
    config = ModelConfig(2, 4, 1, "gru", 8, 2, bidirectional=True, dropout=0.3)
    return AcousticModel(config, n_features=20, n_tokens=5, n_phones=4).eval()


@pytest.fixture
def workers() -> Iterator[Workers]:
    with ThreadPoolExecutor(2) as pool:
        yield Workers(ALONE, pool, 2)


def test_each_phone_of_an_utterance_that_is_long_enough_is_heard_each_time(
    model: AcousticModel, workers: Workers
) -> None:
    told: list[tuple[int, int | None]] = []
    heard = listen(model, Speech(), SAID, 2, workers, lambda *counts: told.append(counts))

    assert heard.pieces["phone"].tolist() == [1, 2, 3, 2] * 2  # the hasty one is left out
    assert heard.pieces["hearing"].tolist() == [0] * 4 + [1] * 4
    assert heard.log_probs.shape == (2 * (20 + 16), 4)
    assert heard.pieces["length"].sum() == len(heard.log_probs)
    assert told == [(n, 6) for n in range(1, 7)]


def test_each_time_a_model_hears_what_that_epoch_brings_with_all_its_units(
    model: AcousticModel, workers: Workers
) -> None:
    heard = listen(model, Speech(), SAID, 2, workers, lambda *_: None)

    expected = []
    for epoch in (0, 1):
        for batch in Speech().batches(epoch):
            log_probs, lengths = model(batch.features, batch.lengths, "phones")
            expected.append(log_probs[0, : lengths[0]])  # the hasty one is the second
    torch.testing.assert_close(
        torch.from_numpy(heard.log_probs).float(), torch.cat(expected), rtol=0, atol=0.01
    )


def test_where_nothing_is_long_enough_there_is_nothing_to_say_words_with(
    model: AcousticModel, workers: Workers
) -> None:
    endless = {name: Said.of([np.array([1, 2] * 30)]) for name in SAID}
    with pytest.raises(DataError, match="no training utterance is long enough"):
        listen(model, Speech(), endless, 1, workers, lambda *_: None)


def test_a_model_that_hears_nan_is_refused(model: AcousticModel, workers: Workers) -> None:
    assert model.phone_projection is not None
    model.phone_projection.bias.data[1] = torch.nan
    with pytest.raises(DataError, match="got nan in frame 0"):
        listen(model, Speech(), SAID, 1, workers, lambda *_: None)


def test_overheard_speech_is_what_the_model_says_of_it_without_dropout(
    model: AcousticModel, workers: Workers
) -> None:
    overheard = Overheard(model, Speech(), workers)

    for batch, recorded in zip(overheard.batches(7), Speech().batches(0), strict=True):
        log_probs, lengths = model(recorded.features, recorded.lengths, "phones")
        assert torch.equal(batch.lengths, lengths)
        for row, length in enumerate(lengths.tolist()):
            expected = phone_features(log_probs[row, :length])
            torch.testing.assert_close(batch.features[row, :length], expected)
    assert len(list(overheard.batches(0, start=1))) == 1
