"""What the tests share: one thread, so that they are steady, and the recorded speech."""

import os
from pathlib import Path

import pytest
import torch

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Keep torch to one thread: tests run beside one another, and sums keep their order."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of recorded speech and text; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("ASR_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs recorded speech, which is not at {folder} (set ASR_DATA)")
    return folder
