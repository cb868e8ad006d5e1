"""Text files of people and of other programs."""

from pathlib import Path

from asr.text.lines import read_text


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "hotwords.txt"
    path.write_bytes(b"\xef\xbb\xbfNOUGHT\r\nNINE\n")

    assert read_text(path).splitlines() == ["NOUGHT", "NINE"]
