"""The promises of recipes/stages.sh, tested by running a small recipe."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

STAGES = Path(__file__).parent.parent / "recipes" / "stages.sh"

RUN_SH = """\
#!/usr/bin/env bash
# Bakes bread from flour.
#
# A second line about bread.

. "$(dirname "$0")/../stages.sh"
stage mill  "$work/flour.txt" bash -c 'echo mill >>log; echo flour >"$1"' - "$work/flour.txt"
stage knead "$work/dough"     bash -c 'echo knead >>log; mkdir "$1"' - "$work/dough"
stage bake  "$work/bread.txt" bash -c 'echo bake >>log; echo bread >"$1"' - "$work/bread.txt"
"""

ALL = ["mill", "knead", "bake"]


class Recipe:
    """A repository of its own with one recipe; its stages write their names to a log."""

    def __init__(self, root: Path, run_sh: str = RUN_SH) -> None:
        self.root = root
        self.script = root / "recipes" / "bread" / "run.sh"
        self.script.parent.mkdir(parents=True)
        self.script.write_text(run_sh)
        shutil.copy(STAGES, root / "recipes")

    def __call__(
        self, *options: str, cwd: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", os.path.relpath(self.script, cwd or self.root), *options],
            cwd=cwd or self.root,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def made(self) -> list[str]:
        """Names of the stages that ran since the last call, in order."""
        log = self.root / "log"
        names = log.read_text().split() if log.exists() else []
        log.unlink(missing_ok=True)
        return names

    def path(self, name: str) -> Path:
        return self.root / "exp" / "bread" / name


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return Recipe(tmp_path)


def with_stage(tmp_path: Path, line: str) -> Recipe:
    """A recipe of this one stage."""
    return Recipe(tmp_path, f'. "$(dirname "$0")/../stages.sh"\n{line}\n')


def test_stages_run_in_order_and_each_prints_its_name_command_and_output(recipe: Recipe) -> None:
    result = recipe()
    assert result.returncode == 0, result.stderr
    assert recipe.made() == ALL
    assert "== knead\n" in result.stdout
    assert "bash -c" in result.stdout
    assert re.search(r"exp/bread/dough made in \d+ s$", result.stdout, re.MULTILINE)


def test_a_second_run_does_nothing_and_says_so(recipe: Recipe) -> None:
    recipe()
    recipe.made()
    result = recipe()
    assert (result.returncode, recipe.made()) == (0, [])
    assert "nothing to do" in result.stdout


@pytest.mark.parametrize(
    ("deleted", "made"), [("flour.txt", ALL), ("dough", ["knead", "bake"]), ("bread.txt", ["bake"])]
)
def test_a_stage_whose_output_is_missing_runs_again_and_all_later_ones(
    recipe: Recipe, deleted: str, made: list[str]
) -> None:
    recipe()
    recipe.made()
    recipe.path(deleted).rename(recipe.path("away"))
    planned = recipe("--dry-run").stdout
    result = recipe()
    assert recipe.made() == made
    assert [name for name in ALL if f"== {name}\n" in planned] == made
    assert "nothing to do" not in result.stdout
    assert not list(recipe.path("").glob("*.previous"))


def test_what_was_made_from_a_deleted_output_is_not_taken_for_up_to_date(recipe: Recipe) -> None:
    recipe()
    recipe.path("flour.txt").unlink()
    recipe.path("dough.run").mkdir()
    recipe.script.write_text(RUN_SH.replace('echo flour >"$1"', "exit 7"))

    assert recipe().returncode == 7

    left = ["bread.txt.previous", "dough.previous", "dough.run.previous"]
    assert sorted(path.name for path in recipe.path("").iterdir()) == left
    recipe.made()
    recipe.script.write_text(RUN_SH)
    assert recipe().returncode == 0
    assert recipe.made() == ALL


def test_until_sets_later_outputs_aside_that_were_made_from_a_deleted_one(recipe: Recipe) -> None:
    recipe()
    recipe.path("flour.txt").unlink()
    recipe("--until", "mill")
    recipe.made()

    recipe()

    assert recipe.made() == ["knead", "bake"]


def test_a_download_that_comes_again_leaves_what_was_made_from_it(tmp_path: Path) -> None:
    recipe = Recipe(tmp_path, RUN_SH.replace("stage mill", "fetch mill"))
    recipe()
    recipe.made()
    recipe.path("flour.txt").unlink()
    assert recipe("--dry-run").stdout.count("skipped") == 2
    recipe()
    assert recipe.made() == ["mill"]
    recipe("--from", "mill")
    assert recipe.made() == ALL


def test_from_makes_a_stage_and_all_later_ones_again(recipe: Recipe) -> None:
    recipe()
    recipe.made()
    assert recipe("--from", "knead").returncode == 0
    assert recipe.made() == ["knead", "bake"]
    assert sorted(path.name for path in recipe.path("").iterdir()) == [
        "bread.txt",
        "dough",
        "flour.txt",
    ]


def test_a_stage_made_again_by_name_does_not_go_on_where_an_earlier_run_stopped(
    recipe: Recipe,
) -> None:
    recipe()
    state = recipe.path("dough.run")
    state.mkdir()
    recipe.path("dough").rmdir()

    recipe()
    assert state.exists()  # the output was missing: a run may go on

    recipe("--from", "knead")
    assert not state.exists()


def test_from_also_makes_an_earlier_output_that_is_missing(recipe: Recipe) -> None:
    assert recipe("--from", "bake").returncode == 0
    assert recipe.made() == ALL


def test_until_stops_after_the_named_stage(recipe: Recipe) -> None:
    assert recipe("--until", "knead").returncode == 0
    assert recipe.made() == ["mill", "knead"]


def test_until_before_from_is_refused(recipe: Recipe) -> None:
    result = recipe("--from", "bake", "--until", "mill")
    assert result.returncode == 2
    assert "--until mill comes before --from bake" in result.stderr


@pytest.mark.parametrize("name", ALL)
def test_from_and_until_the_same_stage_makes_it_alone(recipe: Recipe, name: str) -> None:
    recipe()
    recipe.made()
    assert recipe("--from", name, "--until", name).returncode == 0
    assert recipe.made() == [name]


@pytest.mark.parametrize("option", ["--from", "--until"])
@pytest.mark.parametrize("name", ["kneed", "mil", "mill knead"])
def test_an_unknown_stage_is_refused_before_anything_runs(
    recipe: Recipe, option: str, name: str
) -> None:
    result = recipe(option, name)
    assert (result.returncode, recipe.made()) == (2, [])
    assert "the stages are: mill knead bake" in result.stderr


@pytest.mark.parametrize("options", [["--frm", "mill"], ["mill"], ["--from"], ["--work", ""]])
def test_a_wrong_option_is_refused_before_anything_runs(recipe: Recipe, options: list[str]) -> None:
    result = recipe(*options)
    assert (result.returncode, recipe.made()) == (2, [])
    assert "see --help" in result.stderr


def test_dry_run_names_what_would_run_and_runs_nothing(recipe: Recipe) -> None:
    recipe("--until", "mill")
    recipe.made()
    result = recipe("--dry-run")
    assert (result.returncode, recipe.made()) == (0, [])
    assert "== mill: skipped" in result.stdout
    assert "== knead\n" in result.stdout
    assert not recipe.path("dough").exists()


def test_list_names_the_stages_and_their_outputs(recipe: Recipe) -> None:
    result = recipe("--list")
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["mill", "exp/bread/flour.txt"],
        ["knead", "exp/bread/dough"],
        ["bake", "exp/bread/bread.txt"],
    ]
    assert recipe.made() == []


def test_help_prints_the_head_of_the_recipe_and_the_options(recipe: Recipe) -> None:
    result = recipe("--help")
    assert result.returncode == 0
    assert result.stdout.startswith("Bakes bread from flour.\n\nA second line about bread.\n\n")
    assert "--until NAME" in result.stdout
    assert "stages.sh" not in result.stdout


def test_work_puts_the_outputs_into_another_folder(recipe: Recipe, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    assert recipe("--work", "out put", cwd=elsewhere).returncode == 0
    assert (elsewhere / "out put" / "bread.txt").read_text() == "bread\n"
    assert not recipe.path("").exists()


def test_a_path_that_is_set_leads_from_where_the_user_stands(tmp_path: Path) -> None:
    recipe = Recipe(tmp_path, RUN_SH.replace("stage mill", "locate GRAIN\nstage mill"))
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    (elsewhere / "some grain").touch()
    assert recipe(cwd=elsewhere, GRAIN="some grain").returncode == 0
    assert recipe.made() == ALL
    recipe.path("dough").rmdir()
    assert recipe(cwd=elsewhere, GRAIN="some grain").returncode == 0  # it is looked for twice
    assert recipe.made() == ["knead", "bake"]


def test_a_path_that_is_set_and_leads_nowhere_is_refused_before_anything_runs(
    tmp_path: Path,
) -> None:
    recipe = Recipe(tmp_path, RUN_SH.replace("stage mill", "locate GRAIN\nstage mill"))
    for options in ((), ("--dry-run",), ("--from", "bake")):
        result = recipe(*options, GRAIN="no grain")
        assert (result.returncode, recipe.made()) == (2, [])
        expected = f"bread: GRAIN: expected a path that exists, got '{tmp_path}/no grain'\n"
        assert result.stderr == expected


def test_a_recipe_can_be_started_from_its_own_folder(recipe: Recipe) -> None:
    assert recipe(cwd=recipe.script.parent).returncode == 0
    assert recipe.path("bread.txt").exists()


def test_a_failing_stage_stops_the_recipe_by_name(recipe: Recipe) -> None:
    recipe.path("").mkdir(parents=True)
    recipe.path("flour.txt").write_text("flour\n")
    recipe.script.write_text(RUN_SH.replace('mkdir "$1"', "exit 7"))
    result = recipe()
    assert (result.returncode, recipe.made()) == (7, ["knead"])
    assert "stage knead failed (exit status 7)" in result.stderr


def test_what_a_failed_stage_leaves_does_not_pass_for_its_output(tmp_path: Path) -> None:
    recipe = with_stage(
        tmp_path, 'stage half "$work/half" bash -c \'echo ha >"$1"; exit 3\' - "$work/half"'
    )
    for _ in range(2):
        assert recipe().returncode == 3
        assert [path.name for path in recipe.path("").iterdir()] == ["half.partial"]


def test_a_stage_that_makes_no_output_is_an_error(tmp_path: Path) -> None:
    result = with_stage(tmp_path, 'stage idle "$work/never" true')()
    assert result.returncode == 1
    assert "stage idle ended without an error, but did not make exp/bread/never" in result.stderr


def test_a_missing_command_is_named(tmp_path: Path) -> None:
    result = with_stage(tmp_path, 'stage odd "$work/odd" no-such-command-anywhere')()
    assert result.returncode == 1
    assert "stage odd needs 'no-such-command-anywhere'" in result.stderr


def test_the_old_output_is_kept_aside_when_making_it_again_fails(recipe: Recipe) -> None:
    recipe()
    recipe.script.write_text(RUN_SH.replace('echo bread >"$1"', "exit 5"))
    assert recipe("--from", "bake").returncode == 5
    assert not recipe.path("bread.txt").exists()
    assert recipe.path("bread.txt.previous").read_text() == "bread\n"


def test_what_was_made_from_the_old_output_is_made_again_by_the_next_run(recipe: Recipe) -> None:
    options = ("--work", "out put")
    recipe(*options)
    folder = recipe.root / "out put"
    (folder / "dough.run").mkdir()
    recipe.script.write_text(RUN_SH.replace('mkdir "$1"', "exit 7"))

    assert recipe(*options, "--from", "knead").returncode == 7

    left = ["bread.txt.previous", "dough.previous", "dough.run.previous", "flour.txt"]
    assert sorted(path.name for path in folder.iterdir()) == left
    recipe.made()
    recipe.script.write_text(RUN_SH)
    assert recipe(*options).returncode == 0
    assert recipe.made() == ["knead", "bake"]
    assert sorted(path.name for path in folder.iterdir()) == ["bread.txt", "dough", "flour.txt"]


def test_until_leaves_later_outputs_to_the_next_run(recipe: Recipe) -> None:
    recipe()
    recipe("--from", "mill", "--until", "mill")
    recipe.made()

    recipe()

    assert recipe.made() == ["knead", "bake"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_stage_leaves_no_output(tmp_path: Path, number: signal.Signals) -> None:
    recipe = with_stage(
        tmp_path, 'stage slow "$work/slow" bash -c \'echo s >"$1"; sleep 100\' - "$work/slow"'
    )
    process = subprocess.Popen(["bash", recipe.script], start_new_session=True)
    deadline = time.monotonic() + 60
    while not recipe.path("slow").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, number)
    assert process.wait(timeout=60) == 128 + number
    assert [path.name for path in recipe.path("").iterdir()] == ["slow.partial"]
