from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.errors import DataError
from asr.lm.arpa_reader import read_arpa
from asr.lm.backoff import score_segment
from asr.lm.ngram import NGram
from asr.lm.vocabulary import UNKNOWN_ID
from tests.lm.conftest import log_prob_of

ARPA = """\
made by hand

\\data\\
ngram 1=5
ngram 2=3
ngram 3=1

\\1-grams:
-1.0\t<unk>
-99\t<s>\t-0.5
-0.9\t</s>
-0.4\tA\t-0.25
-0.6\tB

\\2-grams:
-0.3\t<s> A\t-0.125
-0.2\tA B
-0.7\tA </s>

\\3-grams:
-0.1\t<s> A B

\\end\\
"""

FILTERED = """\
\\data\\
ngram 1=5
ngram 2=2
ngram 3=0

\\1-grams:
-4 <unk>
-99 <s>
-0.5 </s>
-1 a -2
-1 b 0

\\2-grams:
-0.25 <s> b -3
-0.125 b b

\\3-grams:

\\end\\
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], NGram]:
    def read_text(text: str) -> NGram:
        path = tmp_path / "m.arpa"
        path.write_text(text)
        return read_arpa(path)

    return read_text


def score(model: NGram, words: str) -> list[float]:
    """log10 of each word's probability, and the end's."""
    ids = np.array(model.vocabulary.ids(words.split()), np.int32)
    log_probs = np.empty(len(ids) + 1)
    score_segment(model.nodes, ids, log_probs)
    return list(log_probs / np.log(10))


def test_a_model_scores_as_its_text_lists(read: Callable[[str], NGram]) -> None:
    model = read(ARPA)
    assert (model.order, model.vocabulary.words[3:]) == (3, ("A", "B"))
    assert score(model, "A B") == pytest.approx([-0.3, -0.1, -0.9])
    assert score(model, "A A") == pytest.approx([-0.3, -0.125 - 0.25 - 0.4, -0.7])
    assert score(model, "A") == pytest.approx([-0.3, -0.125 - 0.7])
    assert score(model, "Q") == pytest.approx([-0.5 - 1.0, -0.9])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\t", " "),
        ("\n", "\r\n"),
        ("\n-", "\n  -"),
        ("<unk>", "<UNK>"),
        ("\\end\\\n", "\\end\\"),
        ("-0.2\tA B", "-2e-1\tA B\t0.0"),
        ("-0.1\t<s> A B", "-0.1\t<s> A B\t0"),
        ("ngram 1=5", "ngram  1 = 5"),
        ("\n\n\\2-grams:\n", "\n\\2-grams:\n"),
    ],
)
def test_separators_spellings_of_unk_and_missing_weights_may_differ(
    old: str, new: str, read: Callable[[str], NGram]
) -> None:
    assert old in ARPA
    expected, found = read(ARPA), read(ARPA.replace(old, new))
    assert found.vocabulary == expected.vocabulary
    for array in ("words", "log_probs", "backoffs", "first_child", "suffixes"):
        np.testing.assert_array_equal(getattr(found.nodes, array), getattr(expected.nodes, array))


def test_words_may_come_in_any_order(read: Callable[[str], NGram]) -> None:
    lines = ARPA.splitlines(keepends=True)
    model = read("".join([*lines[:8], *reversed(lines[8:13]), *lines[13:]]))
    assert model.vocabulary.words[3:] == ("B", "A")
    assert score(model, "A B") == pytest.approx([-0.3, -0.1, -0.9])


def test_without_unk_other_words_are_nearly_impossible(read: Callable[[str], NGram]) -> None:
    model = read(ARPA.replace("-1.0\t<unk>\n", "").replace("ngram 1=5", "ngram 1=4"))
    assert model.nodes.log_probs[1 + UNKNOWN_ID] / np.log(10) == pytest.approx(-100)
    assert score(model, "A B") == pytest.approx([-0.3, -0.1, -0.9])


def test_of_two_spellings_of_unk_the_usual_one_counts(read: Callable[[str], NGram]) -> None:
    model = read(ARPA.replace("-0.6\tB\n", "-0.6\tB\n-9\t<UNK>\n").replace("1=5", "1=6"))
    assert model.nodes.log_probs[1 + UNKNOWN_ID] / np.log(10) == pytest.approx(-1)


def test_ngrams_whose_context_or_suffix_was_pruned_score_as_before(
    read: Callable[[str], NGram],
) -> None:
    # neither "B A" (a context), nor "A A" (a suffix), nor "A B" (a suffix of what is put in)
    model = read(
        ARPA.replace("ngram 2=3", "ngram 2=1")
        .replace("ngram 3=1", "ngram 3=2")
        .replace("-0.2\tA B\n-0.7\tA </s>\n", "")
        .replace("-0.1\t<s> A B\n", "-0.1\t<s> A B\n-0.05\tB A A\n")
    )
    assert score(model, "A B A A") == pytest.approx(
        [-0.3, -0.1, -0.4, -0.05, -0.25 - 0.9], abs=1e-6
    )
    assert score(model, "B") == pytest.approx([-0.5 - 0.6, -0.9])


def test_a_weight_counts_even_if_no_longer_ngram_has_its_context(
    read: Callable[[str], NGram],
) -> None:
    # "a" has a weight of 10^-2 and no 2-gram, "<s> b" one of 10^-3 and no 3-gram
    model = read(FILTERED)
    assert score(model, "a b") == pytest.approx([-1, -2 - 1, -0.5])
    assert score(model, "b a") == pytest.approx([-0.25, -3 - 1, -2 - 0.5])


def test_weights_count_even_if_the_longest_order_is_empty(read: Callable[[str], NGram]) -> None:
    without_pairs = FILTERED.replace("-0.25 <s> b -3\n-0.125 b b\n", "").replace("2=2", "2=0")
    model = read(without_pairs.replace("ngram 3=0\n", "").replace("\\3-grams:\n\n", ""))
    assert score(model, "a b") == pytest.approx([-1, -2 - 1, -0.5])


def test_weights_of_the_longest_order_count_too(read: Callable[[str], NGram]) -> None:
    single = FILTERED.replace("ngram 2=2\nngram 3=0\n", "")
    model = read(single[: single.index("\\2-grams")] + "\\end\\\n")
    assert score(model, "a b") == pytest.approx([-1, -2 - 1, -0.5])


@settings(max_examples=50)
@given(data=st.data(), order=st.integers(1, 4))
def test_any_file_scores_as_backing_off_is_defined(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, order: int
) -> None:
    """N-grams at random, with any weights, contexts and suffixes missing, as filters leave them."""
    words, numbers = ("<unk>", "<s>", "</s>", "A", "B"), st.integers(-24, 0).map(lambda n: n / 8)
    entries: dict[tuple[int, ...], tuple[float, float]] = {}
    for n in range(1, order + 1):
        of_n = st.lists(st.tuples(*[st.integers(0, 4)] * n), unique=True, max_size=8)
        for ngram in [(i,) for i in range(5)] if n == 1 else data.draw(of_n):
            entries[ngram] = (data.draw(numbers), data.draw(numbers))
    lines = ["\\data\\"]
    lines += [f"ngram {n}={sum(len(own) == n for own in entries)}" for n in range(1, order + 1)]
    for n in range(1, order + 1):
        lines += ["", f"\\{n}-grams:"]
        for ngram, (log_prob, weight) in entries.items():
            if len(ngram) == n:
                lines += [f"{log_prob}\t{' '.join(words[i] for i in ngram)}\t{weight}"]
    path = tmp_path_factory.mktemp("arpa") / "m"
    path.write_text("\n".join([*lines, "", "\\end\\", ""]))
    model = read_arpa(path)
    text = data.draw(st.lists(st.sampled_from("ABQ"), max_size=8))
    ids = [1, *model.vocabulary.ids(text), 2]
    naive = [log_prob_of(entries, ids[max(0, i - order) : i], ids[i]) for i in range(1, len(ids))]
    assert score(model, " ".join(text)) == pytest.approx(naive, abs=1e-5)


@pytest.mark.parametrize("blank", ["\n", " \t\n", "\r\n"])
def test_a_byte_order_mark_and_blank_lines_anywhere_are_skipped(
    blank: str, read: Callable[[str], NGram]
) -> None:
    model = read("\ufeff" + ARPA[ARPA.index("\\data") :].replace("\n", "\n" + blank))
    np.testing.assert_array_equal(model.nodes.log_probs, read(ARPA).nodes.log_probs)
    assert model.vocabulary == read(ARPA).vocabulary


def test_lines_are_numbered_with_the_blank_ones(read: Callable[[str], NGram]) -> None:
    spaced = ARPA.replace("-0.4\tA", "\n\n-0.4\tA")
    for old, new, reason in (
        ("-0.6\tB", "-0.6\tA", "15: expected each word once, got 'A'"),
        ("-0.6\tB", "B", "15: expected log10"),
        ("-0.2\tA B", "-0.2\tA Q", "19: 'Q' is not among"),
    ):
        with pytest.raises(DataError, match=reason):
            read(spaced.replace(old, new))


@pytest.mark.parametrize("infinite", ["-inf", "-Infinity", "-1e999", "-1e30"])
def test_what_is_impossible_is_nearly_so(infinite: str, read: Callable[[str], NGram]) -> None:
    weight = read(ARPA.replace("-0.125", infinite))
    assert score(weight, "A A") == pytest.approx([-0.3, -100 - 0.25 - 0.4, -0.7])
    prob = read(ARPA.replace("-0.3\t<s> A", f"{infinite}\t<s> A"))
    assert score(prob, "A B") == pytest.approx([-100, -0.1, -0.9])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("\\data\\", "data", r"23: expected an n-gram model, with \\data\\, got the end"),
        ("ngram 2=3", "ngram 3=3", r"5: expected the number of 2-grams, got 'ngram 3=3'"),
        ("ngram 1=5\nngram 2=3\nngram 3=1\n", "", r"5: expected ngram 1=... .* got '\\\\1-gr"),
        ("ngram 1=5", "ngram 1=4", r"13: expected \\2-grams:, got '-0.6\\tB'"),
        ("ngram 1=5", "ngram 1=6", r"15: expected log10 .* a word, .*\(6 lines"),
        ("ngram 1=5", "ngram 1=99999999999999", r"15: expected log10 .* a word, .*\(9999"),
        ("ngram 2=3", "ngram 2=4", r"20: expected log10 of a probability, 2 words, .*\(4 lines"),
        ("-0.4\tA\t-0.25", "-0.4", r"12: expected log10 of a probability, a word, .* got '-0.4'"),
        ("-0.4\tA", "-o.4\tA", r"12: expected log10 .* got '-o.4\\tA\\t-0.25'"),
        ("-0.4\tA", "0.4\tA", r"12: expected log10"),
        ("-0.4\tA", "nan\tA", r"12: expected log10"),
        ("A\t-0.25", "A\tnan", r"12: expected log10"),
        ("A\t-0.25", "A\tinf", r"12: expected log10"),
        ("A B\n-0.7", "A B 0 0\n-0.7", r"17: expected log10 of a probability, 2 words"),
        ("-0.6\tB", "-0.6\tA", r"13: expected each word once, got 'A'"),
        ("-0.2\tA B", "-0.2\tA Q", r"17: 'Q' is not among the 1-grams, got '-0.2\\tA Q'"),
        ("-0.2\tA B", "-0.2\t<s> A", r"m.arpa: expected each n-gram once, got 1 2-grams"),
        ("</s>", "E", r"13: expected </s> among the 1-grams"),
        ("\t<s>\t", "\tS\t", r"13: expected <s> among the 1-grams"),
        ("\\end\\", "", r"23: expected \\end\\, got the end"),
        (ARPA[ARPA.index("-0.6") :], "", r"12: expected 5 1-grams, got the end"),
        (ARPA[ARPA.index("-0.2\tA B") :], "", r"16: expected 3 2-grams, got the end"),
        (ARPA, "", r"0: expected an n-gram model, with \\data\\, got the end"),
    ],
)
def test_a_malformed_file_is_refused_by_the_line(
    old: str, new: str, reason: str, read: Callable[[str], NGram]
) -> None:
    assert old in ARPA
    with pytest.raises(DataError, match=reason):
        read(ARPA.replace(old, new))


def test_words_that_are_not_utf8_are_named_by_their_line(tmp_path: Path) -> None:
    (tmp_path / "m.arpa").write_bytes(ARPA.encode().replace(b"\tB\n", b"\t\xff\n"))
    with pytest.raises(DataError, match=r"m\.arpa:13: expected UTF-8 text"):
        read_arpa(tmp_path / "m.arpa")


def test_lines_are_read_in_portions_as_if_in_one(
    read: Callable[[str], NGram], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = read(ARPA)
    monkeypatch.setattr("asr.lm.arpa_reader._CHUNK", 2)
    np.testing.assert_array_equal(read(ARPA).nodes.log_probs, expected.nodes.log_probs)
    with pytest.raises(DataError, match=":13: expected log10"):
        read(ARPA.replace("-0.6\tB", "B"))


@pytest.mark.parametrize("name", ["gone.arpa", "gone.arpa.gz"])
def test_a_file_that_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{name}: cannot be read: No such file"):
        read_arpa(tmp_path / name)


def test_a_file_cut_short_while_unpacking_is_named(tmp_path: Path, golden: Path) -> None:
    whole = (golden / "4-gram.arpa.gz").read_bytes()
    (tmp_path / "m.arpa.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"m\.arpa\.gz: cannot be read: Compressed file ended"):
        read_arpa(tmp_path / "m.arpa.gz")
