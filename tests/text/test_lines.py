"""Text files of people and of other programs."""

from pathlib import Path

import pytest

from asr.errors import DataError
from asr.text.lines import read_json_lines, read_text


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "hotwords.txt"
    path.write_bytes(b"\xef\xbb\xbfNOUGHT\r\nNINE\n")

    assert read_text(path).splitlines() == ["NOUGHT", "NINE"]


@pytest.mark.parametrize("value", ["1" * 10_000, "[" * 100_000], ids=["number", "nesting"])
def test_json_beyond_the_limits_of_python_is_refused_by_its_place(
    tmp_path: Path, value: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"id": {value}\n')

    with pytest.raises(DataError, match=r"a\.jsonl:1: has a number too long or is nested"):
        list(read_json_lines(path))
