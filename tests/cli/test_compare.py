from pathlib import Path

import pytest

from asr.cli import compare, main


def scored(tmp_path: Path, name: str, hypotheses: str) -> str:
    paths = [tmp_path / f"{side}.trn" for side in ("ref", name)]
    paths[0].write_text("the { cat / cats } sat (ann-1)\non a mat (ann-2)\ngood night (bob-1)\n")
    paths[1].write_text(hypotheses)
    output = tmp_path / f"{name}.json"
    assert main(["score", *map(str, paths), "--output", str(output)]) == 0
    return str(output)


def test_the_difference_its_interval_and_what_changed_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = scored(tmp_path, "greedy", "the hats (ann-1)\non a mat (ann-2)\ngood night (bob-1)\n")
    second = scored(tmp_path, "beam", "the cats sat (ann-1)\non mat (ann-2)\ngood night (bob-1)\n")
    capsys.readouterr()

    assert main(["compare", first, second, "--utterances", "1"]) == 0

    out = capsys.readouterr().out
    assert out.startswith("ref: greedy → beam\n  WER 25.00 % → 12.50 %, difference -12.50 (")
    assert "bootstrap: 3 utterances; better in" in out
    assert "MAPSSWE: 2 segments, z 0.333, p 0.74" in out
    assert "fewer errors in 1 utterance, more in 1, as many in 1" in out
    assert out.endswith(
        """
ann-1: 2 → 0 errors in 3 words

greedy
REF  the cat sat
HYP  the *** hats
         D   S

beam
REF  the cats sat
HYP  the cats sat

"""
    )
    assert "ann-2" not in out


def test_one_segment_is_too_few_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ref.txt").write_text("a b c\n")
    for name, text in (("one", "a b x\n"), ("two", "a b c\n")):
        (tmp_path / f"{name}.txt").write_text(text)
        files = [str(tmp_path / f"{side}.txt") for side in ("ref", name)]
        assert main(["score", *files, "--output", str(tmp_path / f"{name}.json")]) == 0
    assert main(["compare", *(str(tmp_path / f"{name}.json") for name in ("one", "two"))]) == 0
    out = capsys.readouterr().out
    assert "  bootstrap: too little to resample\n" in out
    assert "MAPSSWE: fewer than two segments with errors, or all differ alike" in out


def test_words_and_ids_cannot_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    references = tmp_path / "ref.tsv"
    references.write_text("\x1b[2Ju\ta b\nv\tc d\n", encoding="utf-8")
    scores = []
    for name, more in (("one", ""), ("two", " \u202ex y")):
        hypotheses = tmp_path / f"{name}.tsv"
        hypotheses.write_text(f"\x1b[2Ju\ta{more}\n", encoding="utf-8")
        scores.append(str(tmp_path / f"{name}.json"))
        assert main(["score", str(references), str(hypotheses), "--output", scores[-1]]) == 0
    assert main(["compare", *scores]) == 0
    out, err = capsys.readouterr()
    assert "\\x1b[2Ju" in out
    assert "\\u202ex" in out
    assert not {"\x1b", "\u202e"} & set(out + err)


def test_a_probability_is_never_written_as_zero() -> None:
    assert compare._p(0.0) == "p < 1e-09"
    assert compare._p(0.0421) == "p 0.042"
