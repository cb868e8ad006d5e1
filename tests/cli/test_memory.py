import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from asr.cli import main
from asr.corpus.utterance import Utterance


def memory(models: Sequence[Path], output: Path, *words: object) -> int:
    chosen = [*map(str, models)]
    return main(["memory", *chosen, "--seconds", "1", "--output", str(output), *map(str, words)])


def test_a_manifest_gives_a_page_with_gradients_and_errors(
    model: Path, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new" / "page.html"
    assert memory([model], output, "--manifest", manifest, "--utterances", 2) == 0
    text = output.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "What random remembers" in text
    assert "What context is worth" in text
    assert "<li>speech: 2 utterances of three.jsonl, " in text
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("random: half of the gradient lies within 0.")
    assert "; 1 % reaches " in out[0]
    assert out[1:] == [str(output)]
    assert list(output.parent.iterdir()) == [output]


def test_audio_files_give_a_page_without_errors(
    model: Path, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    output, audio = tmp_path / "page.html", [u.audio_filepath for u in tiny_corpus[:3]]
    assert memory([model], output, "--audio", *audio) == 0
    text = output.read_text(encoding="utf-8")
    assert "What context is worth" not in text
    assert f"<li>speech: {', '.join(Path(path).name for path in audio)}" in text


def test_a_picture_holds_what_the_page_draws_of_gradients_and_errors(
    model: Path, manifest: Path, tmp_path: Path
) -> None:
    output, picture = tmp_path / "page.html", tmp_path / "new" / "picture.svg"
    speech = ["--manifest", manifest, "--utterances", 2]
    assert memory([model], output, *speech, "--picture", picture) == 0
    drawn, page = (path.read_text(encoding="utf-8") for path in (picture, output))
    assert ElementTree.fromstring(drawn).tag.endswith("svg")
    charts = re.findall(r"<svg viewBox.*?(?=</svg>\n</svg>)", drawn, re.DOTALL)
    assert len(charts) == 3  # the gradient; errors of words and of characters
    assert all(chart in page for chart in charts)


def test_errors_are_those_of_the_search_that_is_asked_for(
    model: Path, manifest: Path, tmp_path: Path
) -> None:
    (tmp_path / "words.txt").write_text("rain\n")
    searches = {"greedy": [], "beam": ["--search", "beam", "--lexicon", tmp_path / "words.txt"]}
    pages = {}
    for name, words in searches.items():
        speech = ["--manifest", manifest, "--utterances", 1]
        assert memory([model], tmp_path / name, *speech, *words) == 0
        pages[name] = (tmp_path / name).read_text(encoding="utf-8")
    assert "<li>search: greedy</li>" in pages["greedy"]
    assert "<li>search: beam 100, threshold 14, words of words.txt</li>" in pages["beam"]
    cells = {name: re.findall(r"<td>(.*?)</td>", page)[:8] for name, page in pages.items()}
    assert cells["greedy"][:6] == cells["beam"][:6]  # the gradients
    assert cells["greedy"][6:] != cells["beam"][6:]  # WER and CER


def test_models_of_the_same_name_are_told_apart_by_their_folders(
    model: Path, tiny_corpus: Sequence[Utterance], tmp_path: Path
) -> None:
    output, audio = tmp_path / "page.html", [u.audio_filepath for u in tiny_corpus[:3]]
    assert memory([model, model], output, "--audio", *audio) == 0
    assert f"<td>{model}</td>" in output.read_text(encoding="utf-8")


def test_a_recording_that_is_not_there_is_named_and_no_page_written(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "page.html"
    assert memory([model], output, "--audio", tmp_path / "gone.wav") == 1
    assert capsys.readouterr().err == f"asr: error: {tmp_path / 'gone.wav'}: no such file\n"
    assert not output.exists()


def test_speech_is_required(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        memory([model], tmp_path / "page.html")
    assert "--manifest --audio is required" in capsys.readouterr().err
