from pathlib import Path

import pytest

from asr.char_lm.characters import CharacterTable
from asr.errors import DataError

SEGMENTS = ["DON'T STOP", "A", ""]


def test_segments_are_read_back_as_they_were_spelled() -> None:
    table = CharacterTable.of(SEGMENTS)

    assert table.decode(table.encode(SEGMENTS).tolist()) == "DON'T STOP\nA\n\n"


def test_the_end_of_a_segment_is_id_0() -> None:
    assert CharacterTable.of(SEGMENTS).encode(["A", ""]).tolist()[1:] == [0, 0]


def test_a_table_reads_back_as_it_was_written(tmp_path: Path) -> None:
    table = CharacterTable.of(["ÉTÉ 𝄞", "Z"])

    table.write(tmp_path)

    assert CharacterTable.read(tmp_path) == table
    assert (tmp_path / "tokens.txt").read_text(encoding="utf-8") == "</s>\n▁\nT\nZ\nÉ\n𝄞\n"


@pytest.mark.parametrize("segment", ["B", "é", "A\nA𝄞"])
def test_an_unknown_character_is_named_with_its_segment(segment: str) -> None:
    with pytest.raises(DataError, match=r"does not know the character '[Bé𝄞]' .* normalise"):
        CharacterTable.of(["A"]).encode(["A", segment])


@pytest.mark.parametrize("characters", ["", "\n", "A\n", "\nAA", "\nA▁"])
def test_what_is_no_table_is_refused(characters: str) -> None:
    with pytest.raises(DataError):
        CharacterTable(characters)


@pytest.mark.parametrize("content", [None, b"", b"A\nB\n", b"</s>\nAB\n", b"</s>\n\xff\n"])
def test_a_file_that_is_no_table_is_refused_by_its_name(
    content: bytes | None, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "tokens.txt").write_bytes(content)

    with pytest.raises(DataError, match=r"tokens\.txt: expected"):
        CharacterTable.read(tmp_path)
