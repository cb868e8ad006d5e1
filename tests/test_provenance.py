import os
import re
import subprocess
from pathlib import Path

import pytest

import asr.provenance
from asr.provenance import provenance


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package folder, tracked and clean, in a repository that has other files too."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)  # set while git runs these tests in a hook
    configuration = tmp_path / "gitconfig"  # of a user who is here instead of ours
    configuration.write_text("[status]\nshowUntrackedFiles = no\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    folder = tmp_path / "repository" / "asr"
    folder.mkdir(parents=True)
    (folder / "code.py").write_text("")
    (folder.parent / "RESULTS.md").write_text("")
    git(tmp_path, "init", str(folder.parent))
    git(folder, "add", "-A", "..")
    git(folder, "commit", "-m", "all")
    monkeypatch.setattr(asr.provenance, "_PACKAGE_FOLDER", folder)
    return folder


def test_the_command_can_be_pasted_into_a_shell() -> None:
    found = provenance(["/opt/venv/bin/asr", "score", "my file.jsonl"])

    assert found.command == "asr score 'my file.jsonl'"


def test_the_time_is_utc_in_iso_form() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", provenance(["asr"]).time)


def test_a_clean_repository_is_named_by_its_commit(package: Path) -> None:
    assert provenance(["asr"]).commit == git(package, "rev-parse", "HEAD")[:12]


@pytest.mark.parametrize("name", ["code.py", "new.py"])
def test_changes_of_the_package_are_told(package: Path, name: str) -> None:
    (package / name).write_text("changed")

    commit = provenance(["asr"]).commit

    assert commit == git(package, "rev-parse", "HEAD")[:12] + "+changes"


def test_changes_outside_the_package_do_not_matter(package: Path) -> None:
    (package.parent / "RESULTS.md").write_text("changed")

    assert provenance(["asr"]).commit == git(package, "rev-parse", "HEAD")[:12]


def test_a_package_installed_inside_a_foreign_repository_has_no_commit(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = package.parent / ".venv" / "asr"
    installed.mkdir(parents=True)
    (installed / "code.py").write_text("")
    monkeypatch.setattr(asr.provenance, "_PACKAGE_FOLDER", installed)

    assert provenance(["asr"]).commit is None


def test_code_outside_any_repository_has_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asr.provenance, "_PACKAGE_FOLDER", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    assert provenance(["asr"]).commit is None


def test_a_machine_without_git_is_no_error(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(package))

    assert provenance(["asr"]).commit is None


def test_hardware_names_processor_cores_and_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpu_info = tmp_path / "cpuinfo"
    cpu_info.write_text("model\t\t: 2\nmodel name\t: Fast 9000: Turbo\nmodel name\t: Fast\n")
    card = tmp_path / "gpus" / "0000:01:00.0" / "information"
    card.parent.mkdir(parents=True)
    card.write_text("Model: \t\t NVIDIA H200\nIRQ: 1\n")
    monkeypatch.setattr(asr.provenance, "_CPU_INFO", cpu_info)
    monkeypatch.setattr(asr.provenance, "_NVIDIA_GPUS", tmp_path / "gpus")
    monkeypatch.setattr(asr.provenance, "n_cores", lambda: 2)

    assert provenance(["asr"]).hardware == "Fast 9000: Turbo, 2 cores, NVIDIA H200"


def test_hardware_is_named_somehow_where_the_system_does_not_list_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asr.provenance, "_CPU_INFO", tmp_path / "none")
    monkeypatch.setattr(asr.provenance, "_NVIDIA_GPUS", tmp_path / "none")
    monkeypatch.setattr(asr.provenance, "n_cores", lambda: 1)

    assert re.fullmatch(r".+, 1 core", provenance(["asr"]).hardware)


def test_versions_name_python_and_what_computes() -> None:
    assert re.match(r"python 3\.\d+\.\d+.*, (?:asr .*)?torch \d", provenance(["asr"]).versions)
