"""Compiled code: what it takes and returns, and where it is kept."""

import logging
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from asr import compiled as module
from asr.compiled import compiled
from asr.errors import warn_once
from asr.files import kept_folder

ROOT = Path(__file__).parent.parent


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache folder of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    kept_folder.cache_clear()
    warn_once.cache_clear()
    yield tmp_path / "cache"
    kept_folder.cache_clear()


def kept_files(base: Path) -> list[Path]:
    return [path for path in base.rglob("*") if path.is_file()]


class Point(NamedTuple):
    place: NDArray[np.float64]
    weight: float


@compiled
def _sum(values: NDArray[np.float64]) -> float:
    total = 0.0
    for i in range(len(values)):
        total += values[i]
    return total


@compiled
def _weigh(point: Point, n: int, is_negative: bool) -> tuple[float, int, bool]:
    total = _sum(point.place) * point.weight
    return (-total if is_negative else total), n + 1, not is_negative


@compiled
def _fill(values: NDArray[np.float64], number: float) -> None:
    for i in range(len(values)):
        values[i] = number


@compiled
def _corner(matrix: NDArray[np.float64]) -> float:
    corner: float = matrix[matrix.shape[0] - 1, 0]
    return corner


def test_numbers_arrays_and_tuples_go_in_and_numbers_come_out() -> None:
    point = Point(np.array([1.0, 2.0]), 0.5)
    assert _weigh(point, 3, True) == (-1.5, 4, False)
    numbers: Any = np.int32(3), np.bool_(False), np.float32(2)
    assert _weigh(point, *numbers[:2]) == (1.5, 4, True)
    assert _sum(np.zeros(0)) == 0.0
    values = np.zeros(3)
    result: Any = _fill(values, numbers[2])
    assert result is None
    assert values.tolist() == [2.0, 2.0, 2.0]


def test_an_array_is_read_as_it_lies_in_memory() -> None:
    matrix = np.arange(12.0).reshape(3, 4)
    assert [_corner(m) for m in (matrix, matrix.T, matrix[:, ::2], matrix[::-1])] == [8, 3, 8, 0]
    frozen = matrix.copy()
    frozen.flags.writeable = False
    assert _corner(frozen) == 8


def test_threads_run_it_at_the_same_time() -> None:
    """It holds Python's lock no longer than the call takes to begin: others go on meanwhile."""
    values = np.full(50_000_000, 1.0)
    _sum(values[:1])  # compiled
    shares = []
    with ThreadPoolExecutor(1) as threads:
        for _ in range(10):  # another process may take this thread's core
            times, running = [time.perf_counter()], threads.submit(_sum, values)
            while not running.done():
                times.append(time.perf_counter())
            assert running.result() == len(values)
            shares.append(np.diff(times).max() / (times[-1] - times[0]))
    assert min(shares) < 0.3  # of the call, this thread's longest pause


def test_kept_code_runs_in_the_next_process_without_numba(base: Path) -> None:
    code = "import sys, numpy as np; {}; from asr.lm.backoff import start_state; "
    code += "from asr.lm.ngram import make_nodes; z = np.zeros(3, np.int32); "
    code += "f = np.zeros(3, np.float32); "
    code += "print(start_state(make_nodes(z, f, f, np.zeros(4, np.uint32), z)))"
    first = run_python(code.format("pass"))
    assert (first.returncode, first.stdout) == (0, "0\n")
    assert "compiling for this machine" in first.stderr
    (kept,) = kept_files(base)
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    second = run_python(code.format("sys.modules['numba'] = None"))
    assert (second.returncode, second.stdout, second.stderr) == (0, "0\n", "")


def run_python(code: str, *folders: Path) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *folders)))}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, timeout=100
    )


def test_code_is_compiled_again_when_a_file_changes_that_it_only_calls(
    base: Path, tmp_path: Path
) -> None:
    (tmp_path / "constants.py").write_text("STEP = 10\n")
    (tmp_path / "inner.py").write_text(
        "import numpy as np\nfrom asr.compiled import compiled\nTABLE = np.array([2.0, 4.0])\n"
        "@compiled\ndef inner(n):\n    return n + 1 + TABLE[0]\n"
    )
    (tmp_path / "outer.py").write_text(
        "from asr.compiled import compiled\nfrom constants import STEP\nfrom inner import inner\n"
        "@compiled\ndef outer(n):\n    return inner(n) if n < STEP else 0.0\n"
    )
    results = []
    for name, old, new in (
        ("inner.py", "", ""),
        ("inner.py", "n + 1", "n + 2"),
        ("inner.py", "[2.0", "[3.0"),
        ("constants.py", "10", "20"),
    ):
        path = tmp_path / name
        path.write_text(path.read_text().replace(old, new))
        found = run_python("from outer import outer; print(outer(3), outer(13))", tmp_path)
        results.append(found.stdout.strip() or found.stderr)
    assert results == ["6.0 0.0", "7.0 0.0", "8.0 0.0", "8.0 18.0"]
    assert len(kept_files(base)) == 4


def test_code_is_compiled_again_by_another_version_of_numba(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for release in ("0.1", "0.2", "0.2"):
        module._toolchain.cache_clear()
        monkeypatch.setattr(module, "version", lambda _, release=release: release)
        assert compiled(lambda number: number + 5)(1) == 6
    module._toolchain.cache_clear()
    assert len(kept_files(base)) == 2


@pytest.mark.usefixtures("base")
def test_a_numba_that_passes_arguments_in_another_way_is_refused_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_llvm_types", lambda _: ["ptr", "i64"])
    with pytest.raises(RuntimeError, match="install a version of numba that this package allows"):
        compiled(lambda number: number + 6)(1)


def test_numbas_own_cache_is_not_used(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "numba"))
    assert compiled(lambda number: number + 1)(1) == 2
    assert len(kept_files(base)) == 1
    assert not (tmp_path / "numba").exists()


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_can_write_is_not_used_and_a_warning_says_so_once(
    mode: int, base: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = base / "asr-ctc" / "compiled"
    folder.mkdir(parents=True)
    folder.chmod(mode)
    assert_nothing_is_kept(base, caplog, "somebody else owns compiled or can write it")


def given_away(path: Path) -> bool:
    """Let somebody else own a file, which root may do, if its machine knows others."""
    with suppress(OSError):
        os.chown(path, 12345, -1)
    return path.stat().st_uid == 12345


def test_a_folder_of_somebody_else_is_not_used(
    base: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (base / "asr-ctc" / "compiled").mkdir(parents=True)
    if os.getuid() != 0:
        monkeypatch.setattr(os, "getuid", lambda: 12345)
    elif not given_away(base / "asr-ctc" / "compiled"):
        monkeypatch.setattr("asr.files.is_trusted", lambda _: False)
    assert_nothing_is_kept(base, caplog, "somebody else owns compiled or can write it")


def test_a_file_of_somebody_else_is_not_run(
    base: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert compiled(lambda number: number + 4)(1) == 5
    (file,) = kept_files(base)
    if not given_away(file):
        monkeypatch.setattr(module, "is_trusted", lambda _: False)
    with caplog.at_level(logging.WARNING):
        assert compiled(lambda number: number + 4)(1) == 5
    assert "cannot be read (somebody else owns it)" in caplog.text
    assert file.stat().st_uid == os.getuid()


def test_without_a_folder_each_process_compiles(
    base: Path, caplog: pytest.LogCaptureFixture
) -> None:
    base.write_text("a file where the folder should be")
    assert_nothing_is_kept(base.parent / "nowhere", caplog, "Not a directory")


def assert_nothing_is_kept(base: Path, caplog: pytest.LogCaptureFixture, reason: str) -> None:
    with caplog.at_level(logging.WARNING):
        functions = [compiled(lambda number: number + 1) for _ in range(2)]
        assert [function(1) for function in functions] == [2, 2]
    (message,) = [r.message for r in caplog.records if "nothing is kept" in r.message]
    assert reason in message
    assert "XDG_CACHE_HOME" in message
    assert kept_files(base) == []


def test_a_full_disk_keeps_no_code_and_stops_nobody(
    base: Path, caplog: pytest.LogCaptureFixture
) -> None:
    function = compiled(lambda number: number + 2)
    with caplog.at_level(logging.WARNING), no_room_for_files():
        assert function(1) == 3
    assert f"compiled code cannot be kept in {base}" in caplog.text
    assert kept_files(base) == []


@contextmanager
def no_room_for_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[:-100], id="cut short"),
        pytest.param(lambda content: content[:40] + b"x" + content[41:], id="changed"),
        pytest.param(lambda _: b"", id="empty"),
    ],
)
def test_damaged_code_is_replaced(
    damage: Callable[[bytes], bytes],
    base: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def in_a_new_process() -> Callable[[int], int]:
        return compiled(lambda number: number + 3)

    assert in_a_new_process()(1) == 4
    (kept,) = kept_files(base)
    whole = kept.read_bytes()
    kept.write_bytes(damage(whole))
    with caplog.at_level(logging.WARNING):
        assert in_a_new_process()(1) == 4
    assert f"compiled code in {base}" in caplog.text
    assert len(kept.read_bytes()) == len(whole)
    monkeypatch.setattr(module._Compiled, "_compile", None)  # what is kept is enough
    assert in_a_new_process()(1) == 4


@pytest.mark.usefixtures("base")
def test_the_first_call_says_that_it_compiles_and_the_next_does_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    function = compiled(lambda number: number + 1)
    with caplog.at_level(logging.WARNING):
        assert [function(1), function(2)] == [2, 3]
    (record,) = caplog.records
    assert record.message.startswith("compiling for this machine")
