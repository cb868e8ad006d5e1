from typing import get_args

import pytest
import torch

from asr.model.config import Cell
from asr.model.recurrent import RecurrentStack, draw_dropout

CELLS = get_args(Cell)


def make_stack(cell: Cell) -> RecurrentStack:
    torch.manual_seed(0)
    return RecurrentStack(8, cell=cell, n_layers=2, bidirectional=False)


@pytest.mark.parametrize("cell", CELLS)
def test_reading_in_pieces_with_the_state_carried_over_equals_reading_at_once(cell: Cell) -> None:
    stack, frames = make_stack(cell), torch.randn(3, 20, 8)
    whole = stack(frames, torch.tensor([20, 20, 20]))

    state, pieces = stack.start(3), []
    for piece in frames.split(7, dim=1):
        output, state = stack.read_on(piece, state)
        pieces.append(output)

    torch.testing.assert_close(torch.cat(pieces, 1), whole)


@pytest.mark.parametrize("cell", CELLS)
def test_a_state_of_some_rows_is_the_state_of_these_rows(cell: Cell) -> None:
    stack, frames = make_stack(cell), torch.randn(3, 5, 8)
    _, state = stack.read_on(frames, stack.start(3))

    _, alone = stack.read_on(frames[1:2], stack.start(1))

    torch.testing.assert_close(state[:, :, 1:2], alone)


def test_dropout_keeps_the_expectation_and_is_the_same_in_all_frames() -> None:
    factors = draw_dropout(2, 50, 100, 0.2, torch.Generator().manual_seed(0))

    assert factors.shape == (2, 50, 1, 100)
    assert factors.unique().tolist() == pytest.approx([0.0, 1.25])
    assert float(factors.mean()) == pytest.approx(1.0, abs=0.02)
