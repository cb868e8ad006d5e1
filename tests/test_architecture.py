"""The structure that docs and reviews rely on, held by reading every import of the package."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "asr"
FILES = sorted(PACKAGE.rglob("*.py"))

FLOORS = (
    {"errors"},
    {"compiled", "flush", "lengths", "provenance"},
    {"model_files", "recurrent"},
    {"model_names"},
    {"audio", "chart", "features", "lm", "model", "search", "text"},
    {"corpus", "lexicon", "wer"},
    {"confidence", "train"},
    {"spelling"},
    {"config"},
    {"own_search", "speller"},
    {"checkpoint", "fusion", "language_model"},
    {"reading"},
    {
        "averaging",
        "recognizer",
        "experiment",
        "language_experiment",
        "rescoring",
        "spelling_experiment",
    },
    {"adaptation", "memory", "tuning"},
    {"cli", "__init__"},
    {"__main__"},
)
FLOOR_OF = {part: floor for floor, parts in enumerate(FLOORS) for part in parts}

# A foreign library has one door: the part that may import it.
DOORS = {
    "jiwer": "wer",
    "numba": "compiled",
    "sentencepiece": "text",
    "soundfile": "audio",
    "soxr": "audio",
    "tensorboard": "cli",
    "tqdm": "cli",
}

# Parts that speak in strings and numbers, so that they load at once and run without torch.
WITHOUT_TORCH = ("chart", "confidence", "lexicon", "lm", "provenance", "text", "wer")
NETWORKS = {"character_model.py", "character_scores.py", "sampling.py"}  # of lm, and so with torch

SHAPELESS_NAMES = {"common", "helper", "helpers", "misc", "tools", "util", "utils"}


class Import(NamedTuple):
    """One imported module, the file and line that import it, and whether `import` runs it."""

    module: str
    file: Path
    line: int
    runs_at_import: bool

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.module}"


def part_of(file: Path) -> str:
    """Name the file or folder directly in asr/ that this file is or lies in."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def part_imported(module: str) -> str:
    """Name the part of asr that a dotted module of asr belongs to."""
    return [*module.split("."), "__init__"][1]


@cache
def parse(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imports_of(file: Path) -> Iterator[Import]:
    """Walk all imports of a file, also those inside functions and under TYPE_CHECKING."""
    tree = parse(file)
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    deferred = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for module in imported_modules(node):
                yield Import(module, file, node.lineno, id(node) not in deferred)


def imported_modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Name the modules that one statement imports; `from asr import text` imports asr.text."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    module = "." * node.level + (node.module or "")
    return [f"asr.{alias.name}" for alias in node.names] if module == "asr" else [module]


IMPORTS = [found for file in FILES for found in imports_of(file)]


def test_every_file_and_folder_of_the_package_has_a_floor() -> None:
    assert sorted({part_of(file) for file in FILES} - FLOOR_OF.keys()) == []


def test_imports_only_go_down_and_parts_of_one_floor_do_not_know_each_other() -> None:
    wrong = []
    for found in IMPORTS:
        if found.module.split(".")[0] == "asr":
            here, there = part_of(found.file), part_imported(found.module)
            if here != there and FLOOR_OF[there] >= FLOOR_OF[here]:
                wrong.append(str(found))
    assert wrong == []


def test_imports_are_absolute() -> None:
    assert [str(found) for found in IMPORTS if found.module.startswith(".")] == []


def test_a_foreign_library_has_one_door() -> None:
    wrong = []
    for found in IMPORTS:
        library = next((part for part in found.module.split(".") if part in DOORS), None)
        if library and part_of(found.file) != DOORS[library]:
            wrong.append(f"{found}, which only asr/{DOORS[library]} may do")
    assert wrong == []


def test_torchaudio_is_needed_by_no_import() -> None:
    wrong = [found for found in IMPORTS if found.module.split(".")[0] == "torchaudio"]
    assert [str(found) for found in wrong if found.runs_at_import] == []


@pytest.mark.parametrize("part", WITHOUT_TORCH)
def test_a_part_that_speaks_in_strings_does_without_torch(part: str) -> None:
    inside = [
        found
        for found in IMPORTS
        if part_of(found.file) == part and found.file.name not in NETWORKS
    ]
    with_torch = [found for found in inside if found.module.split(".")[0] == "torch"]
    assert [str(found) for found in with_torch] == []


def test_nothing_is_unpickled() -> None:
    wrong = [str(found) for found in IMPORTS if found.module.split(".")[0] in {"pickle", "joblib"}]
    calls = [
        f"{file.relative_to(ROOT)}:{node.lineno} calls torch.load"
        for file in FILES
        for node in ast.walk(parse(file))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "torch.load"
    ]
    assert wrong + calls == []


def test_only_the_command_line_prints() -> None:
    calls = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in FILES
        if part_of(file) not in {"cli", "__main__"}
        for node in ast.walk(parse(file))
        if isinstance(node, ast.Name) and node.id == "print"
    ]
    assert calls == []


def test_no_file_has_a_name_that_anything_could_go_under() -> None:
    names = [
        path.relative_to(ROOT) for path in FILES if {*path.with_suffix("").parts} & SHAPELESS_NAMES
    ]
    assert names == []


def test_a_packages_init_is_a_docstring_that_names_each_of_its_files() -> None:
    wrong = []
    for init in sorted({*PACKAGE.glob("*/__init__.py")} - {PACKAGE / "cli" / "__init__.py"}):
        docstring = ast.get_docstring(parse(init)) or ""
        siblings = {path.stem for path in init.parent.glob("*.py")} - {"__init__"}
        wrong += [f"asr/{init.parent.name}: {s}" for s in sorted(siblings) if s not in docstring]
    assert wrong == []


def test_a_packages_init_imports_nothing() -> None:
    """Else `import asr.text.tokens` would load whatever its neighbours need."""
    inits = [found for found in IMPORTS if found.file.name == "__init__.py"]
    library = [found for found in inits if found.file.parent != PACKAGE]
    assert [str(found) for found in library if part_of(found.file) != "cli"] == []


@pytest.mark.parametrize("module", ["asr", "asr.cli"])
def test_importing_the_public_face_does_not_load_torch(module: str) -> None:
    if not (PACKAGE / module.removeprefix("asr").removeprefix(".") / "__init__.py").exists():
        pytest.skip(f"{module} is not there yet")
    code = f"import sys, {module}; sys.exit(int('torch' in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0
