"""Recipes: `asr` understands their commands, and the tiny one reaches zero WER."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from asr.checkpoint.names import DEFAULT_MODEL, MODELS
from asr.checkpoint.network import build
from asr.cli import main, parser
from asr.config import Config, read_tree
from asr.corpus.download import OPENSLR
from asr.corpus.manifest import read_manifest, write_manifest
from asr.corpus.tiny import write_tiny_corpus
from asr.text.tokenizer import read_tokenizer
from asr.text.tokens import TokenTable
from asr.wer.score_file import read_score_file

ROOT = Path(__file__).parent.parent
RECIPES = sorted(path.parent.name for path in ROOT.glob("recipes/*/run.sh"))
PAGES = [Path("README.md"), *(p.relative_to(ROOT) for p in sorted(ROOT.glob("recipes/**/*.md")))]
SCRIPTS = sorted(path.relative_to(ROOT) for path in ROOT.glob("recipes/**/*.sh"))
SETTINGS = (
    "LIBRISPEECH",
    "LM_TEXT",
    "VOCABULARY",
    "DICTIONARY",
    "TRAIN",
    "IDS",
    "MORE",
    "SETS",
    "UNTRANSCRIBED",
    "CONFIG",
    "MODEL",
    "LM",
    "LEXICON",
)
NOWHERE: dict[str, str] = {}  # nothing is there: everything is downloaded
HERE = {
    "LIBRISPEECH": "libri speech",
    **{name: f"text for/{name}" for name in ("LM_TEXT", "VOCABULARY", "DICTIONARY")},
}
OTHER_CORPORA = {**HERE, "MORE": "others/one.jsonl two.jsonl", "UNTRANSCRIBED": "others/no.jsonl"}
SUBSETS = {
    "TRAIN": "train-clean-5 others/more.jsonl",
    "IDS": "ids.txt",
    "CONFIG": "librispeech-960",
}
CASES = {"nowhere": NOWHERE, "here": HERE, "other corpora": OTHER_CORPORA, "subsets": SUBSETS}
FOLDERS = [
    f"libri speech/{subset}"
    for subset in (
        *("train-clean-5", "train-clean-100", "train-other-500"),
        *("dev-clean", "dev-clean-2", "test-clean"),
    )
]
FILES = ["two.jsonl", "ids.txt", *(f"others/{name}.jsonl" for name in ("one", "no", "more"))]
LARGE_LM = "lm/3-gram.arpa.gz"  # the last of what is downloaded
MADE_BY = ("--output", "--picture", "--held-out")
MAX_COLUMNS, MAX_STAGES = 100, 29  # a recipe is a table of contents


def run(
    recipe: str, *options: str, path: Path, settings: Sequence[str] = (), **variables: str
) -> list[str]:
    """Run a recipe with this `asr`, training with the settings; return the lines it prints."""
    ended = started(recipe, *options, path=path, settings=settings, **variables)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.splitlines()


def started(
    recipe: str, *options: str, path: Path, settings: Sequence[str] = (), **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a recipe by a user who stands in a folder with FOLDERS and FILES."""
    for name in FOLDERS:
        (path / name).mkdir(parents=True, exist_ok=True)
    for name in (*FILES, *(HERE[name] for name in ("LM_TEXT", "VOCABULARY", "DICTIONARY"))):
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).touch()
    asr = path / "bin" / "asr"
    asr.parent.mkdir(exist_ok=True)
    smaller = " ".join(f"--set {setting}" for setting in settings)
    asr.write_text(
        f'#!/bin/sh\n[ "$1" != train ] || set -- "$@" {smaller}\n'
        f'exec {shlex.quote(sys.executable)} -m asr "$@"\n'
    )
    asr.chmod(0o755)
    environment = {
        **{name: value for name, value in os.environ.items() if name not in SETTINGS},
        **variables,
        "PATH": f"{asr.parent}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
    }
    command = ["bash", str(ROOT / "recipes" / recipe / "run.sh"), "--work", str(path / "work")]
    return subprocess.run(
        [*command, *options],
        cwd=path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def commands(recipe: str, path: Path, **variables: str) -> list[list[str]]:
    """The commands that a recipe would run, as words."""
    lines = run(recipe, "--dry-run", path=path, **variables)
    return [shlex.split(line) for line in lines if line.startswith("   ")]


def value(option: str, words: Sequence[str]) -> str:
    """The value that a command gives an option."""
    return words[words.index(option) + 1]


def scored(made: Sequence[Sequence[str]]) -> list[str]:
    """The names of the sets that are scored, in order."""
    return [value("--subset", words) for words in made if words[1] == "score"]


def prepared(name: str, made: Sequence[list[str]]) -> list[str]:
    """The command that lists the utterances of NAME.jsonl."""
    (words,) = (words for words in made if words[-1].endswith(f"/{name}.jsonl"))
    return words


def downloaded(words: Sequence[str], work: str) -> set[str]:
    """The subsets that a command fetches, if it is a download."""
    names = words[2 : words.index("--output")] if words[1] == "download" else []
    return {f"{work}/{OPENSLR[name].folder}" for name in names}


def written(words: Sequence[str]) -> set[str]:
    """The files and folders that a command names as its outputs."""
    return {after for word, after in pairwise(words) if word in MADE_BY}


def is_made(path: str, made: set[str]) -> bool:
    """Whether a file, or a folder that holds it, was made."""
    return bool(made & {path, *map(str, Path(path).parents)})


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("variables", CASES.values(), ids=CASES)
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
@pytest.mark.parametrize("variables", CASES.values(), ids=CASES)
def test_what_a_stage_reads_was_made_by_an_earlier_one(
    recipe: str, variables: dict[str, str], tmp_path: Path
) -> None:
    work = str(tmp_path / "work")
    made = set[str]()
    outputs = [line.split()[1] for line in run(recipe, "--list", path=tmp_path, **variables)]
    for output, words in zip(outputs, commands(recipe, tmp_path, **variables), strict=True):
        targets = {output, *written(words), *downloaded(words, work)}
        read = {word for word in words if word.startswith(work)} - targets
        assert [path for path in read if not is_made(path, made)] == []
        made |= targets | ({f"{output}.run"} if words[1] == "train" else set())


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("variables", CASES.values(), ids=CASES)
def test_subsets_are_scored_one_by_one(
    recipe: str, variables: dict[str, str], tmp_path: Path
) -> None:
    made = commands(recipe, tmp_path, **variables)
    manifests = [words[2] for words in made if words[1] == "score"]
    assert manifests
    for manifest in manifests:
        if Path(manifest).parent.name == "held-out":  # of one corpus each
            continue
        (words,) = (w for w in made if w[1] == "prepare" and value("--output", w) == manifest)
        assert words.index("--output") == 3  # one folder


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("variables", [NOWHERE, HERE, SUBSETS], ids=["nowhere", "here", "subsets"])
def test_a_recipe_has_few_stages(recipe: str, variables: dict[str, str], tmp_path: Path) -> None:
    assert len(run(recipe, "--list", path=tmp_path, **variables)) <= MAX_STAGES


@pytest.mark.parametrize("recipe", ["mini_librispeech", "librispeech"])
def test_what_is_there_is_not_downloaded(recipe: str, tmp_path: Path) -> None:
    (first, *_) = commands(recipe, tmp_path, **NOWHERE)
    assert first[1] == "download"
    assert {"librispeech/dev-clean", "librispeech/test-clean"} <= set(first)
    assert "librispeech/lm/librispeech-lexicon.txt" in first
    assert "download" not in [words[1] for words in commands(recipe, tmp_path, **HERE)]


@pytest.mark.parametrize("recipe", ["mini_librispeech", "librispeech"])
def test_nothing_but_the_last_stages_sees_the_test_set(recipe: str, tmp_path: Path) -> None:
    made = commands(recipe, tmp_path, **OTHER_CORPORA)
    verbs = {words[1] for words in made if any("test-clean" in word for word in words)}
    assert verbs == {"prepare", "decode", "score", "compare", "report"}
    dev = {Path(value("--dev", words)).stem for words in made if "--dev" in words}
    assert dev == {"dev-clean"}


def test_mini_librispeech_trains_on_five_hours_and_reports_three_sets(tmp_path: Path) -> None:
    made = commands("mini_librispeech", tmp_path, **HERE)
    assert prepared("train", made)[2] == f"{tmp_path}/libri speech/train-clean-5"
    assert scored(made) == ["dev-clean"] * 2 + ["dev-clean-2"] * 2 + ["test-clean"] * 3


def test_librispeech_takes_the_utterances_of_a_list(tmp_path: Path) -> None:
    made = commands("librispeech", tmp_path, **HERE)
    corpus = tmp_path / "libri speech"
    subsets = [f"{corpus}/{subset}" for subset in ("train-clean-100", "train-other-500")]
    ids = ["--ids", "recipes/librispeech/hours-17.txt"]
    assert prepared("librispeech", made)[2:6] == [*subsets, *ids]


def test_librispeech_takes_subsets_whole_and_lists_that_are_there(tmp_path: Path) -> None:
    made = commands("librispeech", tmp_path, **HERE, TRAIN="train-clean-5 others/more.jsonl")
    words = prepared("librispeech", made)
    paths = [f"{tmp_path}/{name}" for name in ("libri speech/train-clean-5", "others/more.jsonl")]
    assert words[2:4] == paths
    assert "--ids" not in words


def test_librispeech_scores_the_sets_that_it_is_told(tmp_path: Path) -> None:
    sets = ["dev-clean", "dev-other", "test-clean", "test-other"]
    made = commands("librispeech", tmp_path, **NOWHERE, SETS=" ".join(sets))
    assert {f"librispeech/{name}" for name in sets} <= set(made[0])
    assert list(dict.fromkeys(scored(made))) == sets


def test_librispeech_scores_another_set_without_another_training(tmp_path: Path) -> None:
    corpus = tmp_path / "work" / "LibriSpeech"
    subsets = ("train-clean-100", "train-other-500", "dev-clean", "test-clean")
    listed = run("librispeech", "--list", path=tmp_path, **NOWHERE)
    outputs = [Path(line.split()[1]) for line in listed]
    for output in (*outputs, *(corpus / subset for subset in subsets), corpus.parent / LARGE_LM):
        output.parent.mkdir(parents=True, exist_ok=True)
        output.touch()
    assert commands("librispeech", tmp_path, **NOWHERE) == []

    made = commands("librispeech", tmp_path, **NOWHERE, SETS="dev-clean test-other test-clean")

    assert made[0][:2] == ["asr", "download"]
    assert {words[1] for words in made[1:]} == {"prepare", "decode", "score", "compare", "report"}


def test_other_corpora_are_held_out_in_part_and_scored(tmp_path: Path) -> None:
    made = commands("librispeech", tmp_path, **OTHER_CORPORA)
    (select, *_) = (words for words in made if words[1] == "select")
    assert select[2:4] == [f"{tmp_path}/others/one.jsonl", f"{tmp_path}/two.jsonl"]
    assert {"one", "two"} <= set(scored(made))


def test_a_corpus_from_which_nobody_is_held_out_is_not_scored(tmp_path: Path) -> None:
    work = tmp_path / "work"
    for made in (work / "more.jsonl", work / "held-out" / "two.jsonl"):
        made.parent.mkdir(parents=True, exist_ok=True)
        made.touch()

    commanded = commands("librispeech", tmp_path, **OTHER_CORPORA)

    scored = {words[2] for words in commanded if words[1] == "score"}
    assert str(work / "held-out" / "two.jsonl") in scored
    assert str(work / "held-out" / "one.jsonl") not in scored


@pytest.mark.parametrize(
    ("recipe", "variables", "told"),
    [
        *(
            (recipe, {name: "no where"}, f"{name}: expected a path that exists, got '")
            for recipe, names in (
                ("mini_librispeech", ("LIBRISPEECH", "LM_TEXT", "VOCABULARY", "DICTIONARY")),
                ("librispeech", ("IDS", "UNTRANSCRIBED")),
                ("adaptation", ("LIBRISPEECH", "MODEL")),
                ("memory", ("LIBRISPEECH",)),
            )
            for name in names
        ),
        ("librispeech", {"TRAIN": "train-clean-5 no/where"}, "TRAIN: expected a path that exists"),
        ("librispeech", {"MORE": "two.jsonl no.jsonl"}, "MORE: expected a path that exists"),
        ("librispeech", {"SETS": "test-clean"}, "SETS: expected dev-clean among them"),
        ("librispeech", {"CONFIG": "tiny"}, "CONFIG: there is no conf/tiny-crf.toml"),
        ("librispeech", {**HERE, "SETS": "dev-clean dev-other"}, "a folder with dev-other"),
        ("adaptation", {"LM": "ids.txt"}, "LM and LEXICON: expected both or none"),
        ("adaptation", {"LEXICON": "ids.txt"}, "LM and LEXICON: expected both or none"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_runs(
    recipe: str, variables: dict[str, str], told: str, tmp_path: Path
) -> None:
    ended = started(recipe, "--dry-run", path=tmp_path, **variables)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert told in ended.stderr


def test_paths_lead_from_where_the_user_stands(tmp_path: Path) -> None:
    settings = {"MODEL": "others", "LM": "ids.txt", "LEXICON": "two.jsonl"}
    made = commands("adaptation", tmp_path, LIBRISPEECH="libri speech", **settings)
    given = {str(tmp_path / path) for path in ("libri speech/dev-clean", *settings.values())}
    assert given <= {word for words in made for word in words}


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("mini_librispeech", "-crf"),
        *(("librispeech", end) for end in ("-crf", "-self", "-self-2")),
        *(("librispeech-960", end) for end in ("-crf", "-self")),
    ],
)
def test_later_trainings_go_on_with_the_network_of_the_first(name: str, end: str) -> None:
    first, second = (read_tree(Config, ROOT / "conf" / f"{name}{own}.toml") for own in ("", end))
    assert second.text == first.text
    assert second.heads == first.heads
    assert second.features == first.features
    n_layers = first.model.n_layers + (end == "-self-2")
    assert second.model == replace(first.model, n_layers=n_layers, dropout=second.model.dropout)


def test_each_round_of_self_training_learns_from_what_the_one_before_heard(tmp_path: Path) -> None:
    made = [words[1:] for words in commands("librispeech", tmp_path, **OTHER_CORPORA)]
    work = str(tmp_path / "work")
    for before, end in (("", "-self"), ("-self", "-self-2")):
        (heard,) = (w for w in made if w[0] == "decode" and f"untranscribed{end}.jsonl" in w[-1])
        (chosen,) = (w for w in made if w[-1] == f"{work}/train{end}.jsonl")
        (trained,) = (w for w in made if w[-1] == f"{work}/model{end}")
        assert heard[1] == f"{work}/packed{before}"
        assert heard[-1] in chosen
        assert {chosen[-1], f"{work}/model{before or '-crf'}"} <= {*trained}


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_a_recipe_is_read_without_scrolling_sideways(script: Path) -> None:
    lines = (ROOT / script).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > MAX_COLUMNS] == []


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_can_be_executed(recipe: str) -> None:
    assert os.access(ROOT / "recipes" / recipe / "run.sh", os.X_OK)


@pytest.mark.parametrize(
    ("words", "conf"),
    [
        ((), "librispeech"),
        (("crf",), "librispeech-crf"),
        (("self",), "librispeech-self"),
        (("self-2",), "librispeech-self-2"),
    ],
)
def test_the_slurm_script_runs_a_training_of_the_recipe(
    words: tuple[str, ...], conf: str, tmp_path: Path
) -> None:
    for name, line in (("scontrol", "echo one two"), ("srun", "printf '%s\\n' \"$@\"")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    slurm = {"JOB_NODELIST": "one,two", "NNODES": "2", "GPUS_ON_NODE": "8", "JOB_ID": "1"}
    environment = {f"SLURM_{name}": value for name, value in slurm.items()}
    environment |= {"PATH": f"{tmp_path}:{os.environ['PATH']}", "WORK": str(tmp_path / "work")}
    command = ["bash", str(ROOT / "recipes" / "librispeech" / "slurm.sh"), *words]

    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    given = ended.stdout.splitlines()
    assert given[1] == "torchrun"
    options = parser().parse_args(given[given.index("asr") + 1 :])
    (stage,) = (
        parser().parse_args(line[1:])
        for line in commands("librispeech", tmp_path, **OTHER_CORPORA)
        if line[1:3] == ["train", f"conf/{conf}.toml"]
    )
    for name in ("config", "train", "dev", "lexicon", "start", "output"):
        assert getattr(options, name) == getattr(stage, name)


def test_the_slurm_script_refuses_a_training_that_it_does_not_know() -> None:
    command = ["bash", str(ROOT / "recipes" / "librispeech" / "slurm.sh"), "crv"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "expected crf, self, self-2 or nothing, got 'crv'" in ended.stderr


def test_memory_compares_cells_of_equal_size(tmp_path: Path) -> None:
    letters = TokenTable.from_text(["THE QUICK BROWN FOX JUMPS OVER A LAZY DOG'S"])
    phones = read_tokenizer(MODELS / DEFAULT_MODEL, "phones")
    sizes = {}
    for words in commands("memory", tmp_path, **NOWHERE):
        if words[1] == "train":
            options = parser().parse_args(words[1:])
            overrides = dict(setting.split("=") for setting in options.set)
            config = read_tree(Config, ROOT / options.config, overrides)
            model = build(config, {"text": letters, "phones": phones}).model
            sizes[options.output.name] = sum(weight.numel() for weight in model.parameters())
    assert len(sizes) == 6
    assert all(size == pytest.approx(1_000_000, rel=0.01) for size in sizes.values())


@pytest.mark.slow
def test_the_memory_recipe_ends_with_a_page_of_all_models(tmp_path: Path) -> None:
    for seed, subset in enumerate(("train-clean-5", "dev-clean")):
        write_tiny_corpus(tmp_path / "LibriSpeech" / subset, 4, n_speakers=2, seed=seed)
    settings = ["train.n_epochs=1", "model.size=16", "model.subsampling_factor=2"]

    run("memory", path=tmp_path, settings=settings, LIBRISPEECH=str(tmp_path / "LibriSpeech"))

    page = (tmp_path / "work" / "memory.html").read_text(encoding="utf-8")
    for cell in ("rnn", "gru", "lstm"):
        for directions in ("one", "two"):
            assert f"<td>{cell}-{directions}</td>" in page
    assert "What context is worth" in page
    results = (tmp_path / "work" / "RESULTS.md").read_text(encoding="utf-8")
    assert re.search(r"\| lstm-two +\|", results)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "sets"),
    [
        ("mini_librispeech", ("dev-clean", "dev-clean-2", "test-clean")),
        ("librispeech", ("dev-clean", "test-clean")),
    ],
)
def test_a_recipe_goes_from_speech_to_a_table(
    recipe: str, sets: Sequence[str], tmp_path: Path
) -> None:
    for seed, subset in enumerate(("train-clean-5", *sets)):
        write_tiny_corpus(tmp_path / "LibriSpeech" / subset, 4, n_speakers=2, seed=seed)
    write_tiny_corpus(tmp_path / "other", 24, n_speakers=1, seed=9)
    assert (
        main(["prepare", str(tmp_path / "other"), "--output", str(tmp_path / "other.jsonl")]) == 0
    )
    silent = [replace(one, text=None) for one in read_manifest(tmp_path / "other.jsonl")]
    write_manifest(tmp_path / "no-texts.jsonl", silent)
    words = (ROOT / "docs" / "README.md").read_text(encoding="utf-8").upper().split()
    lines = [
        " ".join(w for w in words[i : i + 12] if w.isalpha()) for i in range(0, len(words), 12)
    ]
    (tmp_path / "text.txt").write_text("\n".join(lines))
    (tmp_path / "words.txt").write_text("\n".join(sorted({w for w in words if w.isalpha()})))
    variables = {
        "LIBRISPEECH": str(tmp_path / "LibriSpeech"),
        "LM_TEXT": str(tmp_path / "text.txt"),
        "VOCABULARY": str(tmp_path / "words.txt"),
        "DICTIONARY": str(MODELS / DEFAULT_MODEL / "lexicon.txt"),
        "TRAIN": "train-clean-5",
        "MORE": str(tmp_path / "other.jsonl"),
        "UNTRANSCRIBED": str(tmp_path / "no-texts.jsonl"),
    }
    settings = ["train.n_epochs=1", "model.size=16", "model.n_layers=1"]

    run(recipe, path=tmp_path, settings=settings, **variables)

    results = (tmp_path / "work" / "RESULTS.md").read_text(encoding="utf-8")
    for subset in (*sets, *(["other"] if recipe == "librispeech" else [])):
        assert re.search(rf"\| {subset} +\| small language model \(default\) +\|", results)
    for subset in sets:
        assert re.search(rf"\| {subset} +\| large language model +\|", results)
    for i in (1, 2):
        assert (f"round {i} of self-training" in results) == (recipe == "librispeech")
    page = (tmp_path / "work" / "report.html").read_text(encoding="utf-8")
    assert "<h3>model-crf <span" in page  # the curve of its training
    compared = (tmp_path / "work" / "test-clean.compare.txt").read_text(encoding="utf-8")
    assert compared.startswith("test-clean: greedy, no language model → small language model")


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
