from typing import get_args

import pytest
import torch

from asr.char_lm.config import CharacterModelConfig
from asr.char_lm.network import CharacterModel
from asr.model.config import Cell

CELLS = get_args(Cell)


def make_model(cell: Cell = "lstm", dropout: float = 0.0) -> CharacterModel:
    torch.manual_seed(0)
    return CharacterModel(
        CharacterModelConfig(cell=cell, size=8, n_layers=2, dropout=dropout), n_characters=5
    )


@pytest.mark.parametrize("cell", CELLS)
def test_the_probabilities_of_what_may_follow_sum_to_one(cell: Cell) -> None:
    model = make_model(cell)

    log_probs, _ = model(torch.randint(0, 5, (3, 7)), model.start(3))

    torch.testing.assert_close(log_probs.exp().sum(2), torch.ones(3, 7))


@pytest.mark.parametrize("cell", CELLS)
def test_chunks_with_the_state_carried_over_equal_one_long_forward(cell: Cell) -> None:
    model, ids = make_model(cell), torch.randint(0, 5, (3, 20))
    whole, _ = model(ids, model.start(3))

    state, chunks = model.start(3), []
    for chunk in ids.split(6, dim=1):
        log_probs, state = model(chunk, state)
        chunks.append(log_probs)

    torch.testing.assert_close(torch.cat(chunks, 1), whole)


def test_it_does_not_look_ahead() -> None:
    model, ids = make_model(), torch.randint(0, 5, (1, 9))
    before, _ = model(ids, model.start(1))
    ids[0, 6] = (ids[0, 6] + 1) % 5

    after, _ = model(ids, model.start(1))

    assert torch.equal(before[0, :6], after[0, :6])
    assert not torch.equal(before[0, 6], after[0, 6])


def test_dropout_is_what_was_drawn_and_nothing_else() -> None:
    model, ids = make_model(dropout=0.5), torch.randint(0, 5, (2, 4))
    dropout = model.draw_dropout(2, torch.Generator().manual_seed(0))

    first, _ = model(ids, model.start(2), dropout)
    again, _ = model(ids, model.start(2), dropout)

    assert dropout.shape == (3, 2, 1, 8)
    assert torch.equal(first, again)
    assert not torch.equal(first, model(ids, model.start(2))[0])
