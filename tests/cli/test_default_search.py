"""The default search of a model: packed with it, and used unless another is asked for."""

import json
import sys
from pathlib import Path

import pytest

import asr
from asr.checkpoint.decoding import SearchPlan, read_default_search
from asr.checkpoint.seal import SEAL_FILE
from asr.cli import main
from asr.config import read_tree
from asr.errors import ConfigError, ModelError
from asr.search.beam import BeamConfig


def run(*words: object) -> int:
    return main([*map(str, words)])


@pytest.fixture(scope="module")
def knowledge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language model, small.lm, and words that it knows, and one that it does not."""
    folder: Path = tmp_path_factory.mktemp("knowledge")
    (folder / "text").write_text("ONE TWO\nTWO ONE\nONE ONE\n")
    (folder / "words.txt").write_text("one\ntwo\nunheard\n")
    assert run("lm", "build", folder / "text", "--order", 1, "--output", folder / "small.lm") == 0
    return folder


@pytest.fixture(scope="module")
def packed(model: Path, knowledge: Path) -> Path:
    output = knowledge / "packed"
    files = ["--lm", knowledge / "small.lm", "--lexicon", knowledge / "words.txt"]
    search = ["--search", "beam", *files, "--lm-weight", 0.7, "--beam-size", 50]
    assert run("pack", model, "--output", output, *search) == 0
    return output


def transcribed(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert run("transcribe", *words) == 0
    return capsys.readouterr().out


def test_a_model_is_searched_as_it_comes(
    packed: Path, recordings: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    text = transcribed(capsys, "--model", packed, recordings[0])
    assert set(text.split()) <= {"ONE", "TWO"}
    assert text == f"{asr.load_model(packed).transcribe(recordings[0]).text}\n"


def test_greedy_is_greedy_all_the_same(
    packed: Path, model: Path, recordings: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    greedy = asr.load_model(model).transcribe(recordings[0]).text
    assert transcribed(capsys, "--model", packed, "--search", "greedy", recordings[0]) == (
        f"{greedy}\n"
    )
    assert asr.load_model(packed, search="greedy").transcribe(recordings[0]).text == greedy
    assert greedy not in {"", asr.load_model(packed).transcribe(recordings[0]).text}


def test_greedy_with_a_beam_is_refused(packed: Path) -> None:
    with pytest.raises(ConfigError, match="a greedy search takes no beam settings"):
        asr.load_model(packed, search="greedy", settings={"beam_size": 4})


def test_a_setting_changes_the_search_that_it_comes_with(
    packed: Path, manifest: Path, tmp_path: Path
) -> None:
    output = tmp_path / "h.jsonl"
    assert run("decode", packed, manifest, "--lm-weight", 0.2, "--output", output) == 0
    search = json.loads((tmp_path / "h.run.json").read_text())["search"]
    assert search == (
        "beam 50, threshold 14, words of lexicon.txt, words.lm × 0.2, unknown score -15"
    )


@pytest.mark.parametrize("kind", [[], ["--search", "beam"]])
def test_an_option_refines_alike_on_the_command_line_and_in_python(
    kind: list[str], packed: Path, manifest: Path, tmp_path: Path
) -> None:
    output = tmp_path / "h.jsonl"
    (tmp_path / "mine.txt").write_text("one\ntwo\n")
    own = ["--lexicon", tmp_path / "mine.txt", "--beam-size", 20]
    assert run("decode", packed, manifest, *kind, *own, "--output", output) == 0
    in_python = asr.load_model(
        packed, lexicon=tmp_path / "mine.txt", settings={"beam_size": 20}
    ).searcher.plan
    search = json.loads((tmp_path / "h.run.json").read_text())["search"]
    assert search == str(in_python)
    assert search == ("beam 20, threshold 14, words of mine.txt, words.lm × 0.7, unknown score -15")


def test_a_plain_search_drops_the_models_words_and_says_so_by_its_name(packed: Path) -> None:
    assert str(asr.load_model(packed, search="plain").searcher.plan) == "beam 100, threshold 14"


def test_words_in_phones_that_cost_nothing_are_refused(model: Path, tmp_path: Path) -> None:
    (tmp_path / "spoken").write_text("ONE O N E\nO O\n")
    with pytest.raises(ConfigError, match="spoken: words in phones need a language model"):
        asr.load_model(model, search="beam", lexicon=tmp_path / "spoken")
    fewer = {"word_score": -10.0}
    recognizer = asr.load_model(model, search="beam", lexicon=tmp_path / "spoken", settings=fewer)
    assert recognizer.searcher.plan.beam is not None


def test_of_the_lexicon_stays_what_the_language_model_knows(packed: Path) -> None:
    assert (packed / "lexicon.txt").read_text() == "ONE\nTWO\n"
    assert read_tree(BeamConfig, packed / "search.toml").lm_weight == 0.7


def test_packing_again_keeps_the_search_and_greedy_takes_it_away(
    packed: Path, tmp_path: Path
) -> None:
    again, greedy = tmp_path / "again", tmp_path / "greedy"
    assert run("pack", packed, "--output", again) == 0
    assert run("pack", packed, "--output", greedy, "--search", "greedy") == 0
    for name in ("search.toml", "words.lm", "lexicon.txt"):
        assert (again / name).read_bytes() == (packed / name).read_bytes()
    assert read_default_search(greedy) == SearchPlan()


def test_words_that_the_language_model_does_not_know_are_no_lexicon(
    model: Path, knowledge: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "others").write_text("SEVEN\n")
    files = ["--lm", knowledge / "small.lm", "--lexicon", tmp_path / "others"]
    assert run("pack", model, "--output", tmp_path / "x", "--search", "beam", *files) == 1
    assert "knows none of the words of" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("words", "status", "complaint"),
    [
        (["--search", "beam"], 2, "give --lm"),
        (["--lm-weight", "1"], 1, "default search is greedy"),
    ],
)
def test_a_search_to_pack_that_is_none_is_refused(
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    status: int,
    complaint: str,
) -> None:
    with pytest.raises(SystemExit) as ended:
        sys.exit(run("pack", model, "--output", tmp_path / "x", *words))
    assert ended.value.code == status
    assert complaint in capsys.readouterr().err


def test_settings_that_are_no_search_name_the_file(packed: Path, tmp_path: Path) -> None:
    assert run("pack", packed, "--output", tmp_path / "x") == 0
    (tmp_path / "x" / "search.toml").write_text("beam_size = 10\n")
    (tmp_path / "x" / SEAL_FILE).unlink()
    with pytest.raises(ModelError, match=r"search\.toml: missing"):
        asr.load_model(tmp_path / "x")
