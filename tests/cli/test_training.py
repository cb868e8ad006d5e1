"""What the commands that train share."""

from collections.abc import Iterator

import pytest
import torch

from asr.cli.training import share_threads
from asr.train.data import LOADERS


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("threads", "n_shards", "device_type", "each"),
    [
        (None, 2, "cpu", 4),
        (6, 2, "cpu", 3),
        (1, 2, "cpu", 1),
        (None, 1, "cuda", 1),
        (3 * LOADERS["cuda"], 1, "cuda", 3),
    ],
)
def test_threads_are_shared_by_shards_and_beside_a_gpu_by_loaders(
    threads: int | None, n_shards: int, device_type: str, each: int
) -> None:
    torch.set_num_threads(8)

    share_threads(threads, n_shards, device_type)

    assert torch.get_num_threads() == each
