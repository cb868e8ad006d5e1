from collections.abc import Iterator

import pytest
import torch

from asr.model.acoustic import AcousticModel
from asr.train.priors import LEAST, estimate_priors
from asr.train.step import TrainingBatch
from tests.conftest import make_config


@pytest.fixture
def model() -> AcousticModel:
    torch.manual_seed(0)
    config = make_config(
        model__subsampling_factor=2, model__cell="gru", model__n_layers=2, model__dropout=0.5
    )
    return AcousticModel(config.model, n_features=20, heads={"text": 5, "phones": 3}).eval()


def batches(*lengths: tuple[int, ...]) -> Iterator[TrainingBatch]:
    """Batches of noise, in whose padding is no number."""
    for seed, own in enumerate(lengths):
        features = torch.full((len(own), max(own), 20), torch.nan)
        for row, length in enumerate(own):
            generator = torch.Generator().manual_seed(10 * seed + row)
            features[row, :length] = torch.randn(length, 20, generator=generator)
        names = tuple(f"{seed}-{row}" for row in range(len(own)))
        yield TrainingBatch(names, slice(None), features, torch.tensor(own), {}, 1.0, 0, 1.0)


def test_a_prior_is_the_mean_probability_of_a_token_over_valid_frames(model: AcousticModel) -> None:
    priors = estimate_priors(model, batches((40, 31), (12,)))

    for head, prior in priors.items():
        spoken = [
            log_probs[row, :length].exp()
            for batch in batches((40, 31), (12,))
            for log_probs, lengths in [model(batch.features, batch.lengths, head)]
            for row, length in enumerate(lengths.tolist())
        ]
        torch.testing.assert_close(prior, torch.cat(spoken).mean(dim=0), atol=1e-6, rtol=0.0)
    assert {head: len(prior) for head, prior in priors.items()} == {"text": 5, "phones": 3}


def test_a_token_that_is_never_output_keeps_a_share(model: AcousticModel) -> None:
    with torch.no_grad():
        model.heads["text"].get_parameter("bias")[3] = -1000.0

    assert float(estimate_priors(model, batches((40,)))["text"][3]) == pytest.approx(LEAST)
