import pytest

from asr.lexicon.g2p.graphones import divide, parts

LETTERS = {letter: i for i, letter in enumerate("AEHKPSTX")}
UNITS = {unit: i for i, unit in enumerate(("a", "e", "h", "k", "p", "s", "t", "S"))}


def divided(*entries: str) -> list[str]:
    """Divide entries as in `HAT hat`, written as in `H:h A:a T:t`."""
    spelled = [[LETTERS[letter] for letter in entry.split()[0]] for entry in entries]
    pronounced = [[UNITS[unit] for unit in entry.split()[1]] for entry in entries]
    written = []
    for graphones in divide(spelled, pronounced, len(UNITS)):
        found = [parts(graphone, len(UNITS)) for graphone in graphones]
        names = [
            (list(LETTERS)[letter], [list(UNITS)[i] for i in units]) for letter, units in found
        ]
        written.append(" ".join(f"{letter}:{'+'.join(units)}" for letter, units in names))
    return written


def test_what_many_words_share_tells_how_a_word_is_divided() -> None:
    words = [
        "HAT hat",
        "SAT sat",
        "TAPS taps",
        "TAX taks",
        "SHE Se",
        "SHA Sa",
        "HE he",
        "PETS pets",
    ]
    assert divided(*words)[3:6] == ["T:t A:a X:k+s", "S:S H: E:e", "S:S H: A:a"]


def test_the_graphones_of_a_word_are_its_letters_and_its_units() -> None:
    words = ["HAT hat", "XX ksks", "TEKA tek", "APE e", "A at"]
    for entry, graphones in zip(words, divided(*words), strict=True):
        pairs = [graphone.split(":") for graphone in graphones.split()]
        assert "".join(letter for letter, _ in pairs) == entry.split()[0]
        assert "".join(units for _, units in pairs).replace("+", "") == entry.split()[1]


def test_a_word_with_more_than_two_units_a_letter_is_not_divided() -> None:
    assert divided("A pet", "TAT tat", "AT at") == ["", "T:t A:a T:t", "A:a T:t"]


@pytest.mark.parametrize("n_units", [1, 3])
def test_graphones_are_numbered_without_gaps_by_their_letters(n_units: int) -> None:
    n_choices = 1 + n_units + n_units**2
    found = [parts(graphone, n_units) for graphone in range(3 * n_choices)]
    assert len(set(found)) == len(found)
    assert [letter for letter, _ in found] == sorted(list(range(3)) * n_choices)
    assert max(unit for _, units in found for unit in units) == n_units - 1
