"""Whatever a file holds, the result is samples or an AudioError; see fuzz.py, and run it longer."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_thousands_of_broken_recordings_are_read_or_refused() -> None:
    """In a process of its own: a decoder that crashes must fail a test, not end all of them."""
    command = [sys.executable, "tests/audio/fuzz.py", "--cases", "4000"]

    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    )

    (summary,) = done.stdout.splitlines()[-1:] or [""]
    assert done.returncode == 0, "\n".join([summary, *done.stderr.splitlines()[-20:]])
    n_cases, n_read, peak = map(int, re.findall(r"\d+", summary))
    assert n_cases == 4000
    assert n_cases / 4 < n_read < n_cases * 3 / 4
    assert peak < 500, f"{peak} MB"
