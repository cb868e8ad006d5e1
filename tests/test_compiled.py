import logging

import numba
import pytest

from asr import compiled as module
from asr.compiled import compiled


def test_without_a_folder_to_keep_code_in_it_is_compiled_all_the_same_and_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def njit(function: object, *, cache: bool, **_: object) -> object:
        if cache:
            raise RuntimeError("cannot cache function 'f': no locator available")
        return function

    monkeypatch.setattr("numba.njit", njit)
    module._say_once.cache_clear()

    with caplog.at_level(logging.WARNING):
        functions = [compiled(lambda number: number + 1) for _ in range(2)]

    assert [function(1) for function in functions] == [2, 2]
    assert [record.message for record in caplog.records] == [
        "no folder to keep compiled code in; set NUMBA_CACHE_DIR to one"
    ]


def test_the_first_call_says_that_it_compiles_and_the_next_does_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    module._say_once.cache_clear()
    function = numba.njit(lambda number: number + 1)

    with caplog.at_level(logging.WARNING):
        assert [function(1), function(2)] == [2, 3]

    (record,) = caplog.records
    assert record.message.startswith("compiling for this machine")
