import pytest
import torch

from asr.errors import ConfigError
from asr.model.ctc import ctc_loss
from asr.model.denominator import log_denominator
from asr.model.dense_trigram import dense_trigram
from asr.train.config import CtcConfig, CtcCrfConfig, TermConfig
from asr.train.objective import Ctc, CtcCrf, Targets, make_terms

LOG_PROBS = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0)).log_softmax(2)
LENGTHS = torch.tensor([6, 5])
TARGETS = Targets(torch.tensor([[1, 2, 3], [2, 2, 0]]), torch.tensor([3, 2]))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_ctc_crf_adds_a_share_of_the_denominator(share: float) -> None:
    trigram = torch.from_numpy(dense_trigram([[1, 2, 3], [2, 2]], 4))

    losses = CtcCrf("phones", 1.0, share, trigram)(LOG_PROBS, LENGTHS, TARGETS)

    ctc = ctc_loss(LOG_PROBS, LENGTHS, TARGETS.tokens, TARGETS.lengths)
    assert torch.equal(losses, ctc + share * log_denominator(LOG_PROBS, LENGTHS, trigram))


def test_the_loss_that_is_reported_is_that_of_the_text_in_any_order_of_the_configuration() -> None:
    ctc = CtcConfig(loss="ctc", weight=0.5)

    terms = make_terms({"phones": ctc, "text": ctc}, {}, {})

    assert [term.head for term in terms] == ["text", "phones"]


def test_each_head_of_a_configuration_gets_its_term() -> None:
    objective: dict[str, TermConfig] = {
        "text": CtcConfig(loss="ctc", weight=0.6),
        "phones": CtcCrfConfig(loss="ctc-crf", weight=0.4, denominator_weight=0.9),
    }

    text, phones = make_terms(
        objective, {"text": [[1]], "phones": [[1, 2]]}, {"text": 3, "phones": 4}
    )

    assert text == Ctc("text", 0.6)
    assert isinstance(phones, CtcCrf)
    assert (phones.head, phones.weight, phones.denominator_weight) == ("phones", 0.4, 0.9)
    assert torch.equal(phones.trigram, torch.from_numpy(dense_trigram([[1, 2]], 4)))


def test_ctc_crf_of_more_tokens_than_its_trigram_can_hold_is_refused() -> None:
    objective: dict[str, TermConfig] = {
        "text": CtcCrfConfig(loss="ctc-crf", weight=1.0, denominator_weight=0.9)
    }

    with pytest.raises(ConfigError, match=r"objective\.text: .* 512, .* has 5,000"):
        make_terms(objective, {"text": [[1, 2]]}, {"text": 5000})
