"""Compiled code: kept where it can be, and never a reason to stop."""

import logging
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
import pytest

from asr import compiled as module
from asr.compiled import compiled


def test_without_a_folder_to_keep_code_in_it_is_compiled_all_the_same_and_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module._KeptCode, "__init__", _raise_no_locator)
    module._say_once.cache_clear()

    with caplog.at_level(logging.WARNING):
        functions = [compiled(lambda number: number + 1) for _ in range(2)]
        messages = [record.message for record in caplog.records]

    assert [function(1) for function in functions] == [2, 2]
    assert messages == ["no folder to keep compiled code in; set NUMBA_CACHE_DIR to one"]


def _raise_no_locator(*_: object) -> None:
    raise RuntimeError("cannot cache function 'f': no locator available")


def test_a_full_disk_keeps_no_code_and_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    module._say_once.cache_clear()
    function = compiled(lambda number: number + 2)

    with caplog.at_level(logging.WARNING), _no_room_for_files():
        result = function(1)

    assert result == 3
    assert f"compiled code cannot be kept in {tmp_path}" in caplog.text
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


@contextmanager
def _no_room_for_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_damaged_code_is_made_anew_and_kept(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    module._say_once.cache_clear()

    def in_a_new_process() -> Any:  # noqa: ANN401 -- numba's own type
        return compiled(lambda number: number + 3)

    in_a_new_process()(1)
    (damaged,) = tmp_path.rglob(f"*{suffix}")
    damaged.write_bytes(damaged.read_bytes()[:-100])
    again, third = in_a_new_process(), in_a_new_process()

    with caplog.at_level(logging.WARNING):
        results = [again(1), third(1)]

    assert results == [4, 4]
    assert f"compiled code in {tmp_path}" in caplog.text
    assert not again.stats.cache_hits
    assert third.stats.cache_hits


def test_the_first_call_says_that_it_compiles_and_the_next_does_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    module._say_once.cache_clear()
    function = numba.njit(lambda number: number + 1)

    with caplog.at_level(logging.WARNING):
        assert [function(1), function(2)] == [2, 3]

    (record,) = caplog.records
    assert record.message.startswith("compiling for this machine")
