"""Recipes: `asr` understands their commands, and the tiny one reaches zero WER."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from asr.checkpoint.names import DEFAULT_MODEL, MODELS
from asr.checkpoint.network import build
from asr.cli import parser
from asr.config import read_config
from asr.corpus.tiny import write_tiny_corpus
from asr.text.tokenizer import read_tokenizer
from asr.text.tokens import TokenTable
from asr.wer.score_file import read_score_file

ROOT = Path(__file__).parent.parent
RECIPES = sorted(path.parent.name for path in ROOT.glob("recipes/*/run.sh"))
PAGES = [Path("README.md"), *(p.relative_to(ROOT) for p in sorted(ROOT.glob("recipes/**/*.md")))]
SCRIPTS = sorted(path.relative_to(ROOT) for path in ROOT.glob("recipes/**/*.sh"))
NOWHERE = {"ASR_DATA": "/nowhere", "LIBRISPEECH": ""}
MADE_BY = ("--output", "--picture")
MAX_COLUMNS, MAX_STAGES = 100, 25  # a recipe is a table of contents


def run(
    recipe: str, *options: str, path: Path, settings: Sequence[str] = (), **variables: str
) -> list[str]:
    """Run a recipe with this `asr`, training with the settings; return the lines it prints."""
    asr = path / "bin" / "asr"
    asr.parent.mkdir(exist_ok=True)
    smaller = " ".join(f"--set {setting}" for setting in settings)
    asr.write_text(
        f'#!/bin/sh\n[ "$1" != train ] || set -- "$@" {smaller}\n'
        f'exec {shlex.quote(sys.executable)} -m asr "$@"\n'
    )
    asr.chmod(0o755)
    environment = {
        **os.environ,
        **variables,
        "PATH": f"{asr.parent}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
    }
    command = ["bash", str(ROOT / "recipes" / recipe / "run.sh"), "--work", str(path / "work")]
    ended = subprocess.run(
        [*command, *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.splitlines()


def commands(recipe: str, path: Path, **variables: str) -> list[list[str]]:
    """The commands that a recipe would run, as words."""
    lines = run(recipe, "--dry-run", path=path, **variables)
    return [shlex.split(line) for line in lines if line.startswith("   ")]


def downloaded(words: Sequence[str], work: str) -> set[str]:
    """The subsets that a command fetches, if it is a download."""
    names = words[2 : words.index("--output")] if words[1] == "download" else []
    return {f"{work}/LibriSpeech/{name.split('/')[1]}" for name in names}


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("variables", [{}, NOWHERE, {**NOWHERE, "LIBRISPEECH": "/libri speech"}])
def test_every_stage_is_one_command_of_asr(
    recipe: str, variables: dict[str, str], tmp_path: Path
) -> None:
    for program, *words in commands(recipe, tmp_path, **variables):
        assert program == "asr"
        parser().parse_args(words)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_commands_of_a_page_are_commands_of_asr(page: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.removeprefix("    ") for line in text.splitlines()]
    for line in lines:
        if line.startswith("asr "):
            _, *words = shlex.split(line, comments=True)
            if words[-1] != "--help":
                parser().parse_args(words)


def test_the_readme_has_commands() -> None:
    assert "\n    asr transcribe " in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_a_stage_reads_was_made_by_an_earlier_one(recipe: str, tmp_path: Path) -> None:
    work = str(tmp_path / "work")
    made = set[str]()
    outputs = [line.split()[1] for line in run(recipe, "--list", path=tmp_path, **NOWHERE)]
    for output, words in zip(outputs, commands(recipe, tmp_path, **NOWHERE), strict=True):
        written = {after for word, after in pairwise(words) if word in MADE_BY}
        targets = {output, *written, *downloaded(words, work)}
        read = {word for word in words if word.startswith(work)} - targets
        assert read <= made
        made |= targets


@pytest.mark.parametrize("recipe", RECIPES)
def test_subsets_are_scored_one_by_one(recipe: str, tmp_path: Path) -> None:
    scored = [words for words in commands(recipe, tmp_path, **NOWHERE) if words[1] == "score"]
    assert scored
    for words in scored:
        manifest = words[2]
        prepared = [w for w in commands(recipe, tmp_path, **NOWHERE) if manifest in w[3:]]
        folders = prepared[0][2 : prepared[0].index("--output")]
        assert (prepared[0][1], len(folders)) == ("prepare", 1)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("variables", [{}, NOWHERE])
def test_a_recipe_has_few_stages(recipe: str, variables: dict[str, str], tmp_path: Path) -> None:
    assert len(run(recipe, "--list", path=tmp_path, **variables)) <= MAX_STAGES


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_a_recipe_is_read_without_scrolling_sideways(script: Path) -> None:
    lines = (ROOT / script).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > MAX_COLUMNS] == []


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_can_be_executed(recipe: str) -> None:
    assert os.access(ROOT / "recipes" / recipe / "run.sh", os.X_OK)


def test_the_slurm_script_runs_a_command_of_asr(tmp_path: Path) -> None:
    for name, line in (("scontrol", "echo one two"), ("srun", "printf '%s\\n' \"$@\"")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    slurm = {"JOB_NODELIST": "one,two", "NNODES": "2", "GPUS_ON_NODE": "8", "JOB_ID": "1"}
    environment = {f"SLURM_{name}": value for name, value in slurm.items()}
    environment["PATH"] = f"{tmp_path}:{os.environ['PATH']}"
    command = ["bash", str(ROOT / "recipes" / "librispeech" / "slurm.sh")]

    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    words = ended.stdout.splitlines()
    assert words[1] == "torchrun"
    parser().parse_args(words[words.index("asr") + 1 :])


def test_librispeech_scores_its_four_subsets(tmp_path: Path) -> None:
    made = commands("librispeech", tmp_path, **NOWHERE)
    scored = {Path(words[2]).stem for words in made if words[1] == "score"}
    assert scored == {"dev-clean", "dev-other", "test-clean", "test-other"}


def test_memory_compares_cells_of_equal_size(tmp_path: Path) -> None:
    letters = TokenTable.from_text(["THE QUICK BROWN FOX JUMPS OVER A LAZY DOG'S"])
    phones = read_tokenizer(MODELS / DEFAULT_MODEL, "phones")
    sizes = {}
    for words in commands("memory", tmp_path, **NOWHERE):
        if words[1] == "train":
            options = parser().parse_args(words[1:])
            overrides = dict(setting.split("=") for setting in options.set)
            config = read_config(ROOT / options.config, overrides)
            model = build(config, {"text": letters, "phones": phones}).model
            sizes[options.output.name] = sum(weight.numel() for weight in model.parameters())
    assert len(sizes) == 6
    assert all(size == pytest.approx(1_000_000, rel=0.01) for size in sizes.values())


@pytest.mark.slow
def test_the_memory_recipe_ends_with_a_page_of_all_models(tmp_path: Path) -> None:
    for seed, subset in enumerate(("train-clean-5", "dev-clean")):
        write_tiny_corpus(tmp_path / "LibriSpeech" / subset, 4, n_speakers=2, seed=seed)
    settings = ["train.n_epochs=1", "model.size=16", "model.subsampling_factor=2"]

    run("memory", path=tmp_path, settings=settings, ASR_DATA=str(tmp_path))

    page = (tmp_path / "work" / "memory.html").read_text(encoding="utf-8")
    for cell in ("rnn", "gru", "lstm"):
        for directions in ("one", "two"):
            assert f"<td>{cell}-{directions}</td>" in page
    assert "What context is worth" in page
    assert "| lstm-two |" in (tmp_path / "work" / "RESULTS.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_without_a_dictionary_mini_librispeech_uses_the_words_of_the_shipped_model(
    tmp_path: Path,
) -> None:
    for seed, subset in enumerate(("train-clean-5", "dev-clean")):
        write_tiny_corpus(tmp_path / "LibriSpeech" / subset, 4, n_speakers=2, seed=seed)
    settings = ["train.n_epochs=1", "model.size=16", "model.subsampling_factor=2"]

    run("mini_librispeech", path=tmp_path, settings=settings, ASR_DATA=str(tmp_path))

    results = (tmp_path / "work" / "RESULTS.md").read_text(encoding="utf-8")
    for condition in ("characters, greedy", "characters, beam", "default: phones, small 3-gram"):
        assert f"| dev-clean, 2 speakers, FLAC | {condition} " in results


@pytest.mark.slow
def test_the_tiny_recipe_reaches_zero_wer_and_a_second_run_does_nothing(tmp_path: Path) -> None:
    run("tiny", path=tmp_path)
    work = tmp_path / "work"
    for search in ("greedy", "beam"):
        total = read_score_file(work / f"tiny.{search}.score.json").score.total
        assert (total.n_utterances, total.wer, total.cer) == (4, 0.0, 0.0)
    assert "|  0.00 |" in (work / "RESULTS.md").read_text()
    before = {path: path.stat().st_mtime_ns for path in work.rglob("*")}
    assert run("tiny", path=tmp_path)[-1].startswith("nothing to do")
    assert {path: path.stat().st_mtime_ns for path in work.rglob("*")} == before
