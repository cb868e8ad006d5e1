from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from asr.cli import main
from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance
from asr.text.transcript import read_transcripts

WORDS = "ACT AND DIE"  # which the model's letters spell


@pytest.fixture
def spoken(tmp_path: Path, tiny_corpus: Sequence[Utterance]) -> Path:
    path = tmp_path / "spoken.jsonl"
    write_manifest(path, [replace(utterance, text=WORDS.lower()) for utterance in tiny_corpus[:2]])
    return path


def align(model: Path, manifest: Path, output: Path, *words: object) -> int:
    return main(["align", str(model), str(manifest), "--output", str(output), *map(str, words)])


def test_words_are_those_of_the_text_in_order_and_within_the_recording(
    model: Path, spoken: Path, tmp_path: Path
) -> None:
    assert align(model, spoken, tmp_path / "a.jsonl", "--format", "json") == 0
    for transcript in read_transcripts(tmp_path / "a.jsonl").values():
        assert transcript.text == WORDS
        assert [word.text for word in transcript.words] == WORDS.split()
        times = [time for word in transcript.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert transcript.duration is not None
        assert times[-1] <= transcript.duration
        assert transcript.confidence is None  # its words are known
        assert {word.confidence for word in transcript.words} == {None}


def test_ctm_has_a_line_a_word_and_a_textgrid_is_a_file_an_utterance(
    model: Path, spoken: Path, tmp_path: Path
) -> None:
    assert align(model, spoken, tmp_path / "a.ctm") == 0
    assert len((tmp_path / "a.ctm").read_text().splitlines()) == 2 * len(WORDS.split())
    assert align(model, spoken, tmp_path / "grids", "--format", "TextGrid") == 0
    grids = list((tmp_path / "grids").iterdir())
    assert len(grids) == 2
    assert all(grid.read_text().count('text = "ACT"') == 1 for grid in grids)


def test_no_textgrid_is_written_over_another_and_one_that_cannot_be_stops_no_other(
    model: Path,
    tiny_corpus: Sequence[Utterance],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    manifest, grids = tmp_path / "ids.jsonl", tmp_path / "grids"
    ids = ("x" * 300, "a/b", "a_b", "/a/b", "../c")
    write_manifest(manifest, [replace(tiny_corpus[0], id=name, text=WORDS) for name in ids])

    assert align(model, manifest, grids, "--format", "TextGrid") == 1

    files = sorted(path for path in grids.rglob("*") if path.is_file())
    assert [str(path.relative_to(grids)) for path in files] == [
        "_/c.TextGrid",
        "a/b-2.TextGrid",
        "a/b.TextGrid",
        "a_b.TextGrid",
    ]
    out, err = capsys.readouterr()
    assert out == f"{grids}: 4 of 5 utterances aligned\n"
    assert err == f"asr: {grids}/{'x' * 300}.TextGrid: File name too long\n"


def test_an_unfit_output_is_refused_before_anything_is_aligned(
    model: Path, spoken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        align(model, spoken, tmp_path)
    assert f"argument --output: '{tmp_path}' is a folder; name a file" in capsys.readouterr().err
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SystemExit, match="2"):
        align(model, spoken, file, "--format", "TextGrid")
    assert f"argument --output: '{file}' is a file; name a folder" in capsys.readouterr().err
    assert align(model, spoken, file / "grids", "--format", "TextGrid") == 1
    assert capsys.readouterr().err == f"asr: error: {file / 'grids'}: Not a directory\n"


def test_what_cannot_be_aligned_is_named_and_the_rest_is_written(
    model: Path,
    tiny_corpus: Sequence[Utterance],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good, long, strange, silent = tiny_corpus[:4]
    manifest = tmp_path / "mixed.jsonl"
    utterances = [
        replace(good, text=WORDS),
        replace(long, text=WORDS * 100),
        replace(strange, text="QUIZ"),
        replace(silent, text=None),
    ]
    write_manifest(manifest, utterances)
    assert align(model, manifest, tmp_path / "a.ctm") == 1
    assert (tmp_path / "a.ctm").read_text().count(good.id) == 3
    told = capsys.readouterr().err
    for utterance, reason in ((long, "too little audio"), (strange, "'Q'"), (silent, "no text")):
        assert f"{utterance.id}: " in told
        assert reason in told


def test_what_the_normaliser_takes_out_of_a_text_is_named(
    model: Path,
    tiny_corpus: Sequence[Utterance],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It has no times, and nothing else would tell."""
    manifest = tmp_path / "numbers.jsonl"
    write_manifest(manifest, [replace(tiny_corpus[0], text="ACT 3 DIE")])
    assert align(model, manifest, tmp_path / "a.ctm") == 0
    told = capsys.readouterr().err
    assert "takes letters, digits or symbols from 1 of 3 words (33.33 %): 3 (1); as in 3 (" in told
