from pathlib import Path

import pytest

from asr.errors import DataError
from asr.lexicon.read import read_columns, read_dictionary, read_lexicon
from asr.text.normalise import normaliser

SPELL = normaliser("librispeech-1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "lexicon.txt"
    path.write_text("# a comment\nREAD\tR  IY D \n\n  READ(2) R EH D # the past\nA'S EY Z\n")
    return path


def test_a_line_is_a_word_and_its_units(path: Path) -> None:
    assert read_lexicon(path, SPELL) == [
        ("READ", ("R", "IY", "D")),
        ("READ", ("R", "EH", "D")),
        ("A'S", ("EY", "Z")),
    ]


def test_columns_are_the_same_with_units_unsplit(path: Path) -> None:
    words, pronunciations = read_columns(path, SPELL)
    split = [tuple(units.split()) for units in pronunciations]
    assert list(zip(words, split, strict=True)) == read_lexicon(path, SPELL)


def test_words_without_units_are_a_list_of_words(path: Path) -> None:
    path.write_text("read  # a verb\nREAD\nbook\n")
    assert read_lexicon(path, SPELL) == [("READ", ()), ("READ", ()), ("BOOK", ())]


def test_words_are_normalised_and_units_are_not(path: Path) -> None:
    path.write_text("caf\u00e9 k ae1 f ey\n")
    assert read_lexicon(path, SPELL) == [("CAFE", ("k", "ae1", "f", "ey"))]


FORMATS = {
    "CMUdict": """\
;;; # CMUdict  --  Major Version: 0.07
!EXCLAMATION-POINT  EH2 K S K L AH0 M EY1 SH AH0 N P OY2 N T
"QUOTE  K W OW1 T
READ  R IY1 D
READ(1)  R EH1 D
X  EH1 K S
RAY  R EY1
X-RAY  EH1 K S R EY2
A  EY1
A.  EY1
M  EH1 M
A.M.  EY1 EH1 M
""",
    "cmudict.dict": """\
read R IY1 D
read(2) R EH1 D # past
x EH1 K S
ray R EY1 # a name, too
x-ray EH1 K S R EY2
a EY1
a. EY1
m EH1 M
a.m. EY1 EH1 M
""",
    "librispeech-lexicon.txt": """\
READ\tR IY1 D
READ\tR EH1 D
X\tEH1 K S
RAY\tR EY1
A\tEY1
A\tEY1
M\tEH1 M
""",
    "lexiconp.txt": """\
!SIL 1.0 SIL
<UNK> 1.0 SPN
READ 1.0 R IY1 D
READ 0.25 R EH1 D
X 1 EH1 K S
RAY\t1.0\tR EY1
A 1.0 EY1
A 1e-05 EY1
M 1.0 EH1 M
""",
    "lexiconp.txt of ones": """\
!SIL 1 SIL
READ 1 R IY1 D
READ 1 R EH1 D
X\t1\tEH1 K S
RAY 1 R EY1
A 1 EY1
A 1 EY1
M 1 EH1 M
""",
    "MFA": """\
<cutoff>\tspn
[bracketed]\tspn
read\t0.99\t0.17\t1.0\t1.03\tR IY1 D
read\t0.01\t0.2\t2.13\t0.87\tR EH1 D
x\t1.0\t0.17\t1.0\t1.0\tEH1 K S
ray\t1.0\t0.17\t1.0\t1.0\tR EY1
x-ray\t1.0\t0.17\t1.0\t1.0\tEH1 K S R EY2
a\t1.0\t0.17\t1.0\t1.0\tEY1
a\t1.0\t0.17\t1.0\t1.0\tEY1
m\t1.0\t0.17\t1.0\t1.0\tEH1 M
""",
    "variants": """\
READ(alt) R IY1 D
READ(2) R EH1 D
X(x) EH1 K S
RAY R EY1
A EY1
A(weak) EY1
M EH1 M
""",
}


@pytest.mark.parametrize("name", FORMATS)
def test_the_dictionaries_that_others_publish_are_read_alike(name: str, path: Path) -> None:
    path.write_text(FORMATS[name])

    assert read_lexicon(path, SPELL) == [
        ("READ", ("R", "IY1", "D")),
        ("READ", ("R", "EH1", "D")),
        ("X", ("EH1", "K", "S")),
        ("RAY", ("R", "EY1")),
        ("A", ("EY1",)),
        ("A", ("EY1",)),
        ("M", ("EH1", "M")),
    ]


def test_units_that_are_numbers_stay(path: Path) -> None:
    path.write_text("deux d 2\nun 1\nonze 1 z\n")
    found = read_lexicon(path, SPELL)
    assert found == [("DEUX", ("d", "2")), ("UN", ("1",)), ("ONZE", ("1", "z"))]


def test_a_dictionary_in_latin_1_is_read(path: Path) -> None:
    path.write_bytes("D\xc9J\xc0  D EY1 ZH AA2\n".encode("latin-1"))
    assert read_lexicon(path, SPELL) == [("DEJA", ("D", "EY1", "ZH", "AA2"))]


def test_compounds_of_a_list_of_words_become_words(path: Path) -> None:
    path.write_text("X-ray\na.m.\n<unk>\n")
    assert [word for word, _ in read_lexicon(path, SPELL)] == ["X", "RAY", "A", "M"]


@pytest.mark.parametrize(
    "lost", ["3-d TH R IY D IY", "coca-cola K OW K", "\u0434\u043e\u043c D OW M"]
)
def test_few_words_may_be_lost_and_are_named(
    lost: str, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    word, words = lost.partition(" ")[0], [f"{a}{b} A B" for a in "ABCDE" for b in "ABCD"]
    with caplog.at_level("INFO"):
        path.write_text("\n".join([*words, lost]))
        assert len(read_lexicon(path, SPELL)) == 20
    assert "lexicon.txt: 1 of 21 words are no single word" in caplog.text
    assert caplog.text.rstrip().endswith(word)

    path.write_text("\n".join([*words[:18], lost]))
    with pytest.raises(DataError, match=f"1 of 19 words .*: {word}; at most 5% may"):
        read_lexicon(path, SPELL)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected a word a line, got none"),
        ("# only a comment\n", "expected a word a line, got none"),
        ("ngrams\x06\0\x0e\x06\0 1\n", "is no text; expected a word a line"),
        ("A EY\nBOOK\n", "some words have pronunciations, 'BOOK' has none"),
    ],
)
def test_what_is_no_lexicon_is_refused(content: str, message: str, path: Path) -> None:
    path.write_text(content)
    with pytest.raises(DataError, match=f"lexicon.txt: {message}"):
        read_lexicon(path, SPELL)


def test_a_dictionary_has_each_pronunciation_once_in_the_files_order(path: Path) -> None:
    path.write_text("read R IY D\nread(2) R EH D # the past\na. EY\nA EY\na AH\n")
    assert read_dictionary(path, SPELL) == {
        "READ": (("R", "IY", "D"), ("R", "EH", "D")),
        "A": (("EY",), ("AH",)),
    }


def test_a_list_of_words_is_no_dictionary(path: Path) -> None:
    path.write_text("read\n")
    with pytest.raises(DataError, match=r"lexicon.txt: .*pronunciations, got 'READ' alone"):
        read_dictionary(path, SPELL)
