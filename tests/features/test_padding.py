import pytest
import torch

from asr.errors import ShapeError
from asr.features.padding import (
    check_lengths,
    pad,
    padded_length,
    padding_mask,
    reverse_valid,
    zero_padding,
)


def test_padding_stands_behind_the_shorter_sequences() -> None:
    padded, lengths = pad([torch.tensor([1.0, 2.0]), torch.tensor([3.0])])

    assert padded.tolist() == [[1.0, 2.0], [3.0, 0.0]]
    assert lengths.tolist() == [2, 1]


def test_the_mask_marks_padding_and_not_speech() -> None:
    mask = padding_mask(torch.tensor([2, 0, 3]), 3)

    assert mask.tolist() == [[False, False, True], [True] * 3, [False] * 3]


def test_zeroing_removes_even_nan() -> None:
    padded = torch.tensor([[[1.0], [float("nan")]]])

    assert zero_padding(padded, torch.tensor([1])).tolist() == [[[1.0], [0.0]]]


def test_reversal_turns_valid_frames_round_and_leaves_padding_behind() -> None:
    padded = torch.tensor([[1, 2, 3, 0], [4, 5, 6, 7]]).unsqueeze(2)

    reversed_ = reverse_valid(padded, torch.tensor([3, 4])).squeeze(2)

    assert reversed_.tolist() == [[3, 2, 1, 0], [7, 6, 5, 4]]


def test_reversing_twice_gives_the_input_and_its_gradient_back() -> None:
    padded = torch.randn(3, 7, 2, dtype=torch.float64, requires_grad=True)
    lengths = torch.tensor([7, 0, 4])

    twice = reverse_valid(reverse_valid(padded, lengths), lengths)

    assert torch.equal(twice, padded)
    assert torch.autograd.gradcheck(lambda x: reverse_valid(x, lengths), padded)


@pytest.mark.parametrize(
    "lengths",
    [torch.tensor([1]), torch.tensor([1.0, 2.0]), torch.tensor([-1, 1]), torch.tensor([1, 4])],
    ids=["too few", "fractions", "negative", "beyond the end"],
)
def test_lengths_that_do_not_fit_are_refused(lengths: torch.Tensor) -> None:
    with pytest.raises(ShapeError, match="of features"):
        check_lengths(torch.zeros(2, 3, 1), lengths, "features")


def test_padded_lengths_are_few_and_little_longer() -> None:
    rounded = [padded_length(length) for length in range(5000)]

    assert rounded[0] == 0
    assert all(length <= room for length, room in enumerate(rounded))
    assert all(room <= length * (1 + 1 / 32) + 1 for length, room in enumerate(rounded))
    assert len(set(rounded[1000:2000])) <= 33
    assert [padded_length(room) for room in rounded] == rounded
