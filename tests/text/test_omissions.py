"""What a normaliser takes out of a text is counted and named; punctuation is not missed."""

import re

import pytest

from asr.text.normalise import normaliser
from asr.text.omissions import Omissions, find_omissions


def omissions(*texts: str, name: str = "librispeech-1") -> Omissions:
    return find_omissions(
        [(str(number), text) for number, text in enumerate(texts)], normaliser(name)
    )


def test_digits_letters_and_signs_are_named_with_their_words() -> None:
    assert omissions("SUN 3 MOON", "well, 33 % of Malmø & Kyiv") == Omissions(
        n_words=10,
        n_damaged=5,
        characters={"3": 3, "%": 1, "ø": 1, "&": 1},
        examples=(("0", "3"), ("1", "33"), ("1", "%"), ("1", "Malmø"), ("1", "&")),
        emptied=(),
    )


@pytest.mark.parametrize(
    "text", ["Don’t — “stop”, well-known café… (naïve)!", "e\u0301tude Straße ﬁne", "", "  "]
)
def test_what_is_spelled_otherwise_is_not_missed(text: str) -> None:
    lost = omissions(text)
    assert (lost.n_damaged, lost.characters, lost.emptied) == (0, {}, ())


def test_a_text_of_which_nothing_is_left_is_named_and_an_empty_one_is_not() -> None:
    assert omissions("привет", "", "...", "A", " ").emptied == ("0", "2")


def test_what_has_no_width_is_missed_only_where_it_splits_a_word() -> None:
    split = "soft\u00adened\u200b"
    assert omissions(split).characters == {"\u00ad": 1, "\u200b": 1}
    assert omissions(split, name="librispeech-2").n_damaged == 0


def test_verbatim_loses_nothing() -> None:
    assert omissions("3 % of привет soft\u00adened", name="verbatim-1").share == 0.0


def test_many_damaged_words_give_a_few_examples() -> None:
    lost = omissions(*["1 2 3"] * 10)
    assert (lost.n_damaged, lost.share, len(lost.examples)) == (30, 1.0, 5)


def test_a_sign_that_is_read_beside_a_number_is_not_lost() -> None:
    # as Whisper's English normaliser reads `$5`, and drops `$` elsewhere
    def spell(text: str) -> str:
        return re.sub(r"\$(?!\d)", " ", text)

    assert find_omissions([("a", "$5 for two")], spell).n_damaged == 0
