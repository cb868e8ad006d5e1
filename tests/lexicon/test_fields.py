import random
from itertools import product

import numpy as np
import pytest

from asr.lexicon.fields import number_characters, number_fields, split_columns

ALPHABETS = {
    "ASCII": "AB#1 \t\n\r\x0b\x0c\x1c\x1f\x00",
    "Unicode": "A\u00c4\u65e5#  \u00a0\u3000\n\u2028\x85",
}


def random_text(seed: int, alphabet: str) -> str:
    rng = random.Random(seed)
    return "".join(rng.choices(alphabet, k=rng.randrange(60)))


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_columns_are_those_of_python(alphabet: str) -> None:
    for seed in range(300):
        text = random_text(seed, ALPHABETS[alphabet])
        lines = [line.partition("#")[0].split() for line in text.splitlines()]

        words, rests = split_columns(text)

        assert words == [line[0] for line in lines if line], repr(text)
        assert [rest.split() for rest in rests] == [line[1:] for line in lines if line], repr(text)
        assert rests == [rest.strip() for rest in rests], repr(text)


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_fields_are_numbered_by_their_first_occurrence(alphabet: str) -> None:
    for seed in range(300):
        lines = random_text(seed, ALPHABETS[alphabet]).split("\n")
        split = [line.split() for line in lines]
        fields = [field for line in split for field in line]

        numbers, counts, names = number_fields(lines)

        assert names == [*dict.fromkeys(fields)], repr(lines)
        assert [names[number] for number in numbers] == fields, repr(lines)
        assert counts.tolist() == [*map(len, split)], repr(lines)


def test_fields_are_told_apart_where_their_hashes_are_alike() -> None:
    """There are more of them, too, than there is room for at first."""
    fields = [a + b + c + d for a, b, c, d in product("ABCDEFGH", repeat=4)]

    numbers, _, names = number_fields([" ".join(fields), " ".join(reversed(fields))])

    assert names == fields
    assert np.array_equal(numbers, [*range(4096), *reversed(range(4096))])


def test_characters_are_numbered_in_their_order() -> None:
    numbers, counts, names = number_characters(["NO", "\U0001f600N", ""])

    assert names == ["N", "O", "\U0001f600"]
    assert numbers.tolist() == [0, 1, 2, 0]
    assert counts.tolist() == [2, 2, 0]
