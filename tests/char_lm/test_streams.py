import pytest
import torch

from asr.char_lm.config import StreamConfig
from asr.char_lm.streams import Streams
from asr.errors import DataError


def test_each_row_is_a_stretch_of_the_text_and_its_targets_are_one_further() -> None:
    streams = Streams(torch.arange(12), StreamConfig(n_streams=2, chunk_length=3))

    chunks = [streams.chunk(number) for number in range(len(streams))]

    assert torch.cat([inputs for inputs, _ in chunks], 1).tolist() == [
        [0, 1, 2, 3, 4],
        [5, 6, 7, 8, 9],
    ]
    assert all(torch.equal(targets, inputs + 1) for inputs, targets in chunks)
    assert [inputs.shape[1] for inputs, _ in chunks] == [3, 2]


def test_a_text_shorter_than_its_streams_is_refused() -> None:
    with pytest.raises(DataError, match=r"longer than streams\.n_streams \(4\), got 4 characters"):
        Streams(torch.arange(4), StreamConfig(n_streams=4, chunk_length=3))
