from pathlib import Path

import pytest

from asr.errors import DataError
from asr.lm.vocabulary import END_ID, START_ID, UNKNOWN_ID, Vocabulary, read_vocabulary


def test_special_words_come_first_and_have_their_ids() -> None:
    vocabulary = Vocabulary.of(["B", "A"])
    assert vocabulary.ids(["<unk>", "<s>", "</s>", "B", "A"]) == [0, 1, 2, 3, 4]
    assert (UNKNOWN_ID, START_ID, END_ID) == (0, 1, 2)
    assert len(vocabulary) == 5


def test_any_other_word_is_unknown() -> None:
    vocabulary = Vocabulary.of(["A"])
    assert vocabulary.ids(["C"]) == [UNKNOWN_ID]


def test_either_spelling_of_the_unknown_word_is_that_of_a_list(tmp_path: Path) -> None:
    """Kaldi's lists have `<UNK>`, which an ARPA file cannot tell from `<unk>`."""
    (tmp_path / "words").write_text("A\n<UNK>\nB\n")
    assert read_vocabulary(tmp_path / "words").words == ("<unk>", "<s>", "</s>", "A", "B")


@pytest.mark.parametrize("words", [(), ("A", "B", "C"), ("<unk>", "<s>", "</s>", "A", "A")])
def test_words_without_the_special_ones_or_twice_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(DataError):
        Vocabulary(words)


def test_a_file_lists_words_one_a_line_in_the_order_of_their_ids(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("B\n\n</s>\nA\nB\n")
    assert read_vocabulary(path).words[3:] == ("B", "A")


def test_a_table_of_symbols_lists_the_words_among_them(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("<eps> 0\n!SIL 1\nB 2\n'A\t3\n#0 4\n<s> 5\n</s> 6\n")
    assert read_vocabulary(path).words == ("<unk>", "<s>", "</s>", "B", "'A")


@pytest.mark.parametrize(
    ("text", "reason"), [("A\nB C\n", "words.txt:2: expected one word, got 'B C'"), ("\n", "none")]
)
def test_a_file_that_is_no_list_of_words_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=reason):
        read_vocabulary(path)


def test_words_are_respelled_in_portions_as_if_in_one_unless_two_become_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("asr.lm.vocabulary._BLOCK", 2)
    found = Vocabulary.of(["A", "B", "c", "D", "e"]).respelled(str.upper)
    assert found.words == ("<unk>", "<s>", "</s>", "A", "B", "C", "D", "E")
    alike = Vocabulary.of(["A", "B", "c", "a"])
    assert alike.respelled(str.upper) is alike
