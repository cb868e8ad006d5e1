import lzma
import re
from pathlib import Path

import numpy as np
import pytest

from asr.cli import main
from asr.lm.files import read_ngram

TEXT = "THE CAT SAT\nTHE CAT SAT ON THE MAT\n\nA CAT ATE\n"


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


def lm(*words: object) -> int:
    return main(["lm", *map(str, words)])


def test_a_model_is_built_and_described(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new" / "m.lm"
    assert lm("build", text, "--order", 3, "--output", output) == 0
    model = read_ngram(output)
    assert (model.order, model.vocabulary.words[3]) == (3, "THE")
    assert capsys.readouterr().out == (
        f"{output}: 10 1-grams, 12 2-grams, 10 3-grams; 0.0 MB\n"
        "  from 3 segments, 12 words, 0.00 % outside the vocabulary\n"
    )


def test_text_may_be_compressed_and_in_several_files(text: Path, tmp_path: Path) -> None:
    packed = tmp_path / "text.txt.xz"
    packed.write_bytes(lzma.compress(TEXT.encode()))
    assert lm("build", text, packed, "--order", 2, "--output", tmp_path / "two.lm") == 0
    text.write_text(TEXT * 2)
    assert lm("build", text, "--order", 2, "--output", tmp_path / "one.lm") == 0
    assert (tmp_path / "one.lm").read_bytes() == (tmp_path / "two.lm").read_bytes()


def test_words_are_those_of_a_file_or_the_most_frequent_or_frequent_enough(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "words.txt").write_text("MAT\nDOG\n")
    output = tmp_path / "m.lm"
    for options, words in (
        (("--vocabulary", tmp_path / "words.txt"), ("MAT", "DOG")),
        (("--n-words", 2), ("THE", "CAT")),
        (("--min-counts", 2), ("THE", "CAT", "SAT")),
    ):
        assert lm("build", text, "--order", 2, "--output", output, *options) == 0
        assert read_ngram(output).vocabulary.words[3:] == words
    assert "12 words, 33.33 % outside" in capsys.readouterr().out


def test_rare_ngrams_and_those_that_hardly_matter_are_left_out(text: Path, tmp_path: Path) -> None:
    sizes = []
    for options in ((), ("--min-counts", 1, 2), ("--prune", 0.02)):
        assert lm("build", text, "--order", 3, "--output", tmp_path / "m.lm", *options) == 0
        sizes.append(len(read_ngram(tmp_path / "m.lm").nodes.words))
    assert max(sizes[1:]) < sizes[0]


@pytest.mark.parametrize(
    "words",
    [
        ["--order", "0"],
        ["--order", "2", "--prune", "0"],
        ["--order", "2", "--prune", "much"],
        ["--order", "2", "--prune", "nan"],
        ["--order", "2", "--min-counts", "0"],
        ["--order", "2", "--n-words", "5", "--vocabulary", "words.txt"],
        [],
    ],
)
def test_settings_that_make_no_model_are_refused_with_the_usage(
    words: list[str], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        lm("build", text, "--output", tmp_path / "m.lm", *words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: asr lm build")


def test_least_counts_that_fall_and_texts_without_words_are_refused(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "m.lm"
    assert lm("build", text, "--order", 3, "--output", output, "--min-counts", 2, 1) == 1
    assert "do not fall" in capsys.readouterr().err
    text.write_text("\n")
    assert lm("build", text, "--order", 3, "--output", output) == 1
    assert "got one without a word" in capsys.readouterr().err
    assert not output.exists()


def test_a_model_goes_from_one_form_into_the_other_and_back(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, arpa, second = (tmp_path / name for name in ("a.lm", "m.arpa.gz", "b.lm"))
    assert lm("build", text, "--order", 3, "--output", first) == 0
    assert lm("convert", first, "--output", arpa) == 0
    assert lm("convert", arpa, "--output", second) == 0
    one, other = read_ngram(first), read_ngram(second)
    assert one.vocabulary == other.vocabulary
    np.testing.assert_allclose(one.nodes.log_probs, other.nodes.log_probs, atol=1e-6)
    assert f"{second}: 10 1-grams, 12 2-grams, 10 3-grams" in capsys.readouterr().out


def test_perplexity_is_printed_with_and_without_oov_and_oov_are_named(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, other = tmp_path / "m.lm", tmp_path / "other.txt"
    other.write_text("THE DOG SAT\nDOG \x1b[2J CAT\n")
    assert lm("build", text, "--order", 2, "--output", model) == 0
    capsys.readouterr()
    assert lm("perplexity", model, other) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{model}: perplexity ")
    assert ", without OOV " in lines[0]
    assert lines[1:] == [
        "  2 segments, 6 words, 3 OOV (50.00 %)",
        "  most frequent OOV: DOG (2), \\x1b[2J (1)",
    ]
    assert lm("perplexity", model, other, "--oov", 1) == 0
    assert capsys.readouterr().out.endswith("OOV: DOG (2)\n")
    assert lm("perplexity", model, text) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["  3 segments, 12 words, 0 OOV (0.00 %)"]


def test_the_perplexity_of_a_nearly_impossible_text_is_short(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, text = tmp_path / "m.arpa", tmp_path / "a.txt"
    words = "-99 <s>\n-0.1 </s>\n-0.5 <unk>\n-60 A\n"
    model.write_text(f"\\data\\\nngram 1=4\n\n\\1-grams:\n{words}\n\\end\\\n")
    text.write_text("A A A\n")
    assert lm("perplexity", model, text) == 0
    perplexity = 10 ** ((3 * 60 + 0.1) / 4)
    assert f": perplexity {perplexity:.3g}, without OOV" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["convert", "perplexity"])
def test_a_model_that_is_none_is_named(
    verb: str, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--output", tmp_path / "m.lm"] if verb == "convert" else [text]
    assert lm(verb, text, *words) == 1
    assert capsys.readouterr().err.startswith(f"asr: error: {text}:4: expected an n-gram model")


def test_convert_makes_a_compact_file_that_every_verb_reads(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapped, compact, back = (tmp_path / name for name in ("m.lm", "compact.lm", "back.arpa"))
    assert lm("build", text, "--order", 2, "--output", mapped) == 0

    assert lm("convert", mapped, "--compact", "--output", compact) == 0
    assert lm("convert", compact, "--output", back) == 0

    capsys.readouterr()
    perplexities = []
    for model in (mapped, compact, back):
        assert lm("perplexity", model, text) == 0
        (number,) = re.findall(r"perplexity ([\d.]+)", capsys.readouterr().out)
        perplexities.append(float(number))
    assert perplexities == pytest.approx([perplexities[0]] * 3, rel=0.02)


def test_arpa_is_never_compact(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        lm("convert", "m.lm", "--compact", "--output", tmp_path / "m.arpa")
    assert stopped.value.code == 2
    assert "m.arpa is a name of ARPA" in capsys.readouterr().err
