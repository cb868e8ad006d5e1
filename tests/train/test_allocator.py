import os
import subprocess
import sys

import pytest

SETTINGS = ("MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD")  # of glibc, or in its place
ALLOCATE_AND_FREE = """
import resource
import torch
from asr.train.allocator import keep_freed_memory

torch.set_num_threads(1)
{setting}
faults = []
for _ in range(20):
    torch.ones(10_000_000)
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
print(faults[-1] - faults[9])
"""


def page_faults(setting: str) -> int:
    """Count the pages that ten tensors of 40 MB take from the system, after ten others."""
    code = ALLOCATE_AND_FREE.format(setting=setting)
    command = [sys.executable, "-c", code]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)}
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return int(told.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc, which is found on Linux")
def test_memory_that_was_freed_is_used_again() -> None:
    asked, unasked = page_faults("assert keep_freed_memory()"), page_faults("")

    assert asked < unasked / 20
