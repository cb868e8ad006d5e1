import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from asr.errors import TrainingError
from asr.model.acoustic import AcousticModel
from asr.model.ctc import ctc_loss
from asr.model.denominator import log_denominator
from asr.model.dense_trigram import dense_trigram
from asr.train.objective import Ctc, CtcCrf, LossTerm, Targets
from asr.train.ranks import ALONE
from asr.train.step import StepResult, TrainingBatch, Workers, training_step
from tests.conftest import make_config


def make_model(dropout: float = 0.3, heads: tuple[str, ...] = ("text",)) -> AcousticModel:
    torch.manual_seed(0)
    config = make_config(
        model__subsampling_factor=2,
        model__n_channels=2,
        model__cell="gru",
        model__dropout=dropout,
    )
    return AcousticModel(config.model, n_features=4, heads=dict.fromkeys(heads, 5))


def make_batch(*token_counts: int) -> TrainingBatch:
    count = len(token_counts)
    features = torch.randn(count, 12, 4, generator=torch.Generator().manual_seed(0))
    tokens = torch.tensor([[1, 2, 3, 4] * 3] * count)
    names = tuple(f"utterance-{i}" for i in range(count))
    lengths = torch.tensor([12] * count)
    targets = Targets(tokens, torch.tensor(token_counts))
    return TrainingBatch(names, slice(count), features, lengths, {"text": targets}, 1.0, 0, 1.0)


TEXT_ALONE = (Ctc("text", 1.0),)


def step(
    model: AcousticModel,
    batch: TrainingBatch,
    rate: float = 0.1,
    n_shards: int = 2,
    terms: Sequence[LossTerm] = TEXT_ALONE,
) -> StepResult:
    with ThreadPoolExecutor(n_shards) as pool:
        return training_step(
            model,
            torch.optim.SGD(model.parameters(), lr=rate),
            batch,
            Workers(ALONE, pool, n_shards),
            terms=terms,
            precision="float32",
            max_gradient_norm=1.0,
        )


def weights(model: AcousticModel) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()]).clone()


def test_a_step_lowers_the_loss_of_its_batch() -> None:
    model, batch = make_model(), make_batch(3, 2)

    losses = [step(model, batch).loss for _ in range(5)]

    assert losses == sorted(losses, reverse=True)


def test_lengths_that_differ_little_share_a_shape() -> None:
    model = make_model()
    shapes: set[torch.Size] = set()
    model.subsampling.register_forward_pre_hook(lambda _, inputs: shapes.add(inputs[0].shape))
    features = torch.randn(2, 256, 4)
    for length in range(241, 257):
        lengths = torch.tensor([length, length - 1])
        step(model, dataclasses.replace(make_batch(3, 2), features=features, lengths=lengths))

    assert len(shapes) <= 5


@pytest.mark.parametrize("n_shards", [2, 3, 8])
def test_the_number_of_shards_changes_nothing_but_rounding(n_shards: int) -> None:
    whole, cut = make_model(), make_model()

    expected = step(whole, make_batch(3, 2, 7, 4), n_shards=1)
    got = step(cut, make_batch(3, 2, 7, 4), n_shards=n_shards)

    assert got.loss == pytest.approx(expected.loss)
    assert got.skipped == expected.skipped
    torch.testing.assert_close(weights(cut), weights(whole))


@pytest.mark.parametrize("n_shards", [2, 3, 4])
def test_a_step_makes_the_same_bits_every_time(n_shards: int) -> None:
    one, other = make_model(), make_model()

    step(one, make_batch(3, 2, 4, 4), n_shards=n_shards)
    step(other, make_batch(3, 2, 4, 4), n_shards=n_shards)

    assert torch.equal(weights(one), weights(other))


def test_a_step_is_no_longer_than_the_greatest_norm_allows() -> None:
    model = make_model()
    before = weights(model)

    step(model, make_batch(3, 2), rate=1.0)

    assert (weights(model) - before).norm() == pytest.approx(1.0, abs=1e-4)


def test_utterances_with_too_few_frames_are_left_out_and_named() -> None:
    alone, beside = make_model(dropout=0.0), make_model(dropout=0.0)
    step(alone, make_batch(3))

    result = step(beside, make_batch(3, 7))  # 6 frames cannot spell 7 tokens

    assert result.skipped == ("utterance-1",)
    assert result.n_tokens == 3
    torch.testing.assert_close(weights(alone), weights(beside))


@pytest.mark.parametrize("width", [0, 12])
def test_a_batch_in_which_every_text_is_empty_makes_blanks_more_probable(width: int) -> None:
    """A sound that is no speech has an empty text, and may be alone in its batch."""
    trigram = torch.from_numpy(dense_trigram([[1, 2, 3, 4]], 5))
    terms: list[LossTerm] = [Ctc("text", 0.5), CtcCrf("text", 0.5, 1.0, trigram)]
    model, batch = make_model(), make_batch(0, 0, 0)
    targets = Targets(batch.targets["text"].tokens[:, :width], batch.targets["text"].lengths)
    batch = dataclasses.replace(batch, targets={"text": targets})

    results = [step(model, batch, terms=terms) for _ in range(5)]

    losses = [result.loss for result in results]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0]
    assert all(result.n_tokens == 0 and not result.skipped for result in results)


def test_a_batch_without_any_alignment_changes_nothing() -> None:
    model = make_model()
    before = weights(model)

    result = step(model, make_batch(7, 8))

    assert result.skipped == ("utterance-0", "utterance-1")
    assert torch.equal(weights(model), before)


def test_a_loss_that_is_not_finite_stops_before_the_update_and_names_the_utterance() -> None:
    model, batch = make_model(), make_batch(3, 2, 3)
    batch.features[1, 5] = float("nan")
    before = weights(model)

    with pytest.raises(TrainingError, match=r"utterance-1;"):
        step(model, batch)

    assert torch.equal(weights(model), before)


def test_a_gradient_that_is_not_finite_stops_before_the_update() -> None:
    model, batch = make_model(), make_batch(3, 2)
    before = weights(model)
    model.heads["text"].get_parameter("weight").register_hook(
        lambda gradient: gradient * float("inf")
    )

    with pytest.raises(TrainingError, match="utterance-0, utterance-1"):
        step(model, batch)

    assert torch.equal(weights(model), before)


def test_an_update_without_strength_drops_nothing() -> None:
    spared, undropped = make_model(dropout=0.5), make_model(dropout=0.0)

    step(spared, dataclasses.replace(make_batch(3, 2), strength=0.0))
    step(undropped, make_batch(3, 2))

    assert torch.equal(weights(spared), weights(undropped))


def test_an_update_by_ctc_alone_follows_its_gradient_to_the_bit() -> None:
    plain, model, batch = make_model(dropout=0.0), make_model(dropout=0.0), make_batch(3, 2, 4)
    targets = batch.targets["text"]
    log_probs, lengths = plain(batch.features, batch.lengths, "text")
    losses = ctc_loss(log_probs, lengths, targets.tokens, targets.lengths)
    gradients = torch.autograd.grad(losses.sum(), list(plain.parameters()))
    for parameter, gradient in zip(plain.parameters(), gradients, strict=True):
        parameter.grad = gradient / 9
    torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
    torch.optim.SGD(plain.parameters(), lr=0.1).step()

    result = step(model, batch, n_shards=1)

    assert torch.equal(weights(model), weights(plain))
    assert result.loss == float(losses.detach().sum())


def test_an_update_follows_the_weighted_sum_of_its_terms() -> None:
    plain, model = (make_model(dropout=0.0, heads=("text", "phones")) for _ in range(2))
    batch = make_batch(3, 2)
    batch = dataclasses.replace(batch, targets={**batch.targets, "phones": batch.targets["text"]})
    trigram = torch.from_numpy(dense_trigram([[1, 2, 3], [4]], 5))
    terms: list[LossTerm] = [Ctc("text", 0.6), CtcCrf("phones", 0.4, 0.9, trigram)]
    target = batch.targets["text"]
    losses = []
    for head in ("text", "phones"):
        log_probs, lengths = plain(batch.features, batch.lengths, head)
        losses.append(ctc_loss(log_probs, lengths, target.tokens, target.lengths).sum())
    others = log_denominator(log_probs, lengths, trigram).sum()
    ((0.6 * losses[0] + 0.4 * (losses[1] + 0.9 * others)) / 5).backward()

    result = step(model, batch, rate=1e-9, terms=terms)

    norm = torch.cat([p.grad.flatten() for p in plain.parameters() if p.grad is not None]).norm()
    assert result.gradient_norm == pytest.approx(float(norm), rel=1e-5)
    assert result.loss == pytest.approx(float(losses[0].detach()), rel=1e-5)
