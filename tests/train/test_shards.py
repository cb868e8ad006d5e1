import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CODE = """
import os, torch
from asr.corpus.loader import prefetch
from asr.train.shards import shard_threads
torch.set_num_threads(1)
factor = torch.rand(500, 500)
def n_started(_):
    before = set(os.listdir("/proc/self/task"))  # one of them may end meanwhile
    torch.mm(factor, factor)
    return len(set(os.listdir("/proc/self/task")) - before)
with shard_threads(1) as pool:
    print(*pool.map(n_started, [0]))
print(*prefetch(n_started, [0], depth=1, begin=torch.get_num_threads))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
def test_the_first_operation_of_a_shard_or_loader_starts_no_threads_beyond_its_share() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", CODE], check=True, cwd=ROOT, capture_output=True, text=True
    )
    assert ran.stdout.split() == ["0", "0"]
