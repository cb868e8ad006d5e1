import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import DataError
from asr.text.tokens import BLANK, WORD_BOUNDARY, TokenTable, WordSpan

ENGLISH = TokenTable.from_text(["THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG'S TAIL"])
PIECES = TokenTable((BLANK, "▁HE", "LLO", "▁WOR", "LD", "▁", "S"))

english_ids = st.lists(st.integers(1, len(ENGLISH) - 1))


def ids_of(table: TokenTable, *tokens: str) -> list[int]:
    return [table.tokens.index(token) for token in tokens]


def test_blank_is_0_then_the_boundary_then_the_characters_in_order() -> None:
    alphabet = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
    assert ENGLISH.tokens == (BLANK, WORD_BOUNDARY, "'", *alphabet)
    assert len(ENGLISH) == 29


def test_the_characters_do_not_depend_on_the_order_of_the_texts() -> None:
    assert TokenTable.from_text(["AB", "C D"]) == TokenTable.from_text(["D C", "BA"])


def test_words_are_encoded_with_one_boundary_between_them_and_none_around() -> None:
    expected = ids_of(ENGLISH, "A", "▁", "F", "O", "X")
    assert ENGLISH.encode("A FOX") == expected
    assert ENGLISH.encode(" \tA  FOX\n") == expected


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_text_has_no_tokens(text: str) -> None:
    assert ENGLISH.encode(text) == []
    assert ENGLISH.decode([]) == ""
    assert ENGLISH.words([]) == []


@given(st.lists(st.text("ABCXYZ'", min_size=1), max_size=6))
def test_decoding_gives_back_what_was_encoded(words: list[str]) -> None:
    text = " ".join(words)
    assert ENGLISH.decode(ENGLISH.encode(text)) == text


@given(english_ids)
def test_any_tokens_decode_to_words_with_single_spaces(ids: list[int]) -> None:
    text = ENGLISH.decode(ids)
    assert text == " ".join(text.split())


@given(english_ids)
def test_word_spans_cover_every_token_but_the_boundaries_once_and_in_order(ids: list[int]) -> None:
    positions = [p for word in ENGLISH.words(ids) for p in range(word.start, word.stop)]
    boundary = ENGLISH.tokens.index(WORD_BOUNDARY)
    assert positions == [p for p, i in enumerate(ids) if i != boundary]


@given(english_ids)
def test_the_words_of_a_span_are_those_of_its_tokens(ids: list[int]) -> None:
    for word in ENGLISH.words(ids):
        assert ENGLISH.decode(ids[word.start : word.stop]) == word.text


def test_boundaries_at_the_ends_and_in_a_row_make_no_words() -> None:
    ids = ids_of(ENGLISH, "▁", "▁", "A", "▁", "▁", "B", "▁")
    assert ENGLISH.words(ids) == [WordSpan("A", 2, 3), WordSpan("B", 5, 6)]
    assert ENGLISH.decode(ids) == "A B"


def test_a_piece_that_begins_with_the_boundary_begins_a_word() -> None:
    ids = ids_of(PIECES, "▁HE", "LLO", "▁WOR", "LD", "S")
    assert PIECES.words(ids) == [WordSpan("HELLO", 0, 2), WordSpan("WORLDS", 2, 5)]
    assert PIECES.decode(ids) == "HELLO WORLDS"


def test_a_boundary_piece_alone_begins_the_next_word() -> None:
    ids = ids_of(PIECES, "LLO", "▁", "S", "LD", "▁", "▁HE")
    spans = [WordSpan("LLO", 0, 1), WordSpan("SLD", 2, 4), WordSpan("HE", 5, 6)]
    assert PIECES.words(ids) == spans


def test_a_character_without_a_token_is_named_with_its_text() -> None:
    with pytest.raises(DataError, match=r"'é' \(U\+00E9\) in 'A CAFé'"):
        ENGLISH.encode("A CAFé")


def test_text_with_the_boundary_mark_is_refused() -> None:
    with pytest.raises(DataError, match=WORD_BOUNDARY):
        ENGLISH.encode("A▁B")
    with pytest.raises(DataError, match=WORD_BOUNDARY):
        TokenTable.from_text(["A▁B"])


def test_texts_without_a_character_make_no_tokens() -> None:
    with pytest.raises(DataError, match="none with a character"):
        TokenTable.from_text(["", "  "])


@pytest.mark.parametrize("unknown", [0, -1, 29])
def test_the_blank_and_ids_outside_the_table_are_not_decoded(unknown: int) -> None:
    with pytest.raises(DataError, match=f"got {unknown} in"):
        ENGLISH.decode([3, unknown])


@pytest.mark.parametrize(
    "tokens",
    [
        pytest.param((), id="none"),
        pytest.param(("A", BLANK), id="blank not first"),
        pytest.param((BLANK, "A", "A"), id="a token twice"),
        pytest.param((BLANK, BLANK), id="blank twice"),
        pytest.param((BLANK, ""), id="an empty token"),
        pytest.param((BLANK, " "), id="a space"),
        pytest.param((BLANK, "A\r"), id="a carriage return"),
        pytest.param((BLANK, "A▁"), id="a boundary at the end"),
    ],
)
def test_an_impossible_token_table_is_refused(tokens: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="token"):
        TokenTable(tokens)


@pytest.mark.parametrize("table", [ENGLISH, PIECES, TokenTable((BLANK,))])
def test_a_table_is_read_as_it_was_written(tmp_path: Path, table: TokenTable) -> None:
    table.write(tmp_path, "text")
    assert TokenTable.read(tmp_path, "text") == table


def test_the_line_number_of_a_token_is_its_id(tmp_path: Path) -> None:
    ENGLISH.write(tmp_path, "text")
    lines = (tmp_path / "tokens-text.txt").read_text(encoding="utf-8").split("\n")
    assert lines == [*ENGLISH.tokens, ""]


@pytest.mark.parametrize("content", [b"", b"A\nB\n", b"<blank>\nA\nA\n", b"<blank>\n\xff\n"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tokens-text.txt").write_bytes(content)
    with pytest.raises(DataError, match=r"tokens-text\.txt: "):
        TokenTable.read(tmp_path, "text")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"tokens-text\.txt: No such file"):
        TokenTable.read(tmp_path, "text")


def test_text_needs_neither_torch_nor_sentencepiece_for_characters() -> None:
    code = (
        "import sys, asr.text.normalise, asr.text.tokenizer; "
        "sys.exit(bool({'torch', 'sentencepiece'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
