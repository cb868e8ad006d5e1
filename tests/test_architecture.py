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

# From the ground up. A part is a file or folder of asr/, or a file or folder in it that has a floor
# of its own.
FLOORS = (
    {"errors"},
    {"files", "lengths", "provenance"},
    {"audio", "augment", "compiled", "features", "text"},
    {"chart", "corpus", "lexicon", "lm", "model", "train.config", "wer"},
    {"confidence", "search"},
    {"config"},
    {"runtime", "train"},
    {"checkpoint"},
    {"experiment", "recognizer", "report"},
    {"char_lm", "cluster", "lab", "lexicon.g2p", "low_resource", "serve"},
    {"cli", "__init__"},
    {"__main__"},
)
FLOOR_OF = {part: floor for floor, parts in enumerate(FLOORS) for part in parts}
BESIDE = {
    "char_lm",
    "cluster",
    "lab",
    "lexicon.g2p",
    "low_resource",
}  # reuse the core, which does without

# A foreign library has one door: the parts that may import it.
DOORS = {
    "anyio": {"serve"},
    "jinja2": {"report"},
    "librosa": {"report"},
    "fastapi": {"serve"},
    "llvmlite": {"compiled"},
    "numba": {"compiled"},
    "onnx": {"checkpoint"},
    "onnxruntime": {"runtime"},
    "ray": {"cluster"},
    "sentencepiece": {"text"},
    "sounddevice": {"audio"},
    "soundfile": {"audio", "augment"},
    "soxr": {"audio", "augment"},
    "starlette": {"serve"},
    "tensorboard": {"cli"},
    "tqdm": {"cli"},
    "uvicorn": {"serve"},
    "websockets": {"serve"},
    "whisper_normalizer": {"text"},
}

# What training alone needs. Nothing else imports torch, not even inside a function.
WITH_TORCH = {
    *("augment", "char_lm", "experiment", "features", "lab", "low_resource", "model", "train"),
    "corpus/feature_cache.py",
    *("checkpoint/export.py", "checkpoint/network.py"),
    *("checkpoint/onnx", "checkpoint/torch_engine.py"),
    *("cli/training.py", "cli/watch.py"),
}
MAX_LINES = 350  # of a file
MAX_FUNCTION_LINES = 60

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
    """Name the part of asr that a file belongs to."""
    return part_imported(".".join(("asr", *file.relative_to(PACKAGE).with_suffix("").parts)))


def part_imported(module: str) -> str:
    """Name the part of asr that a dotted module of asr belongs to."""
    _, *names = [*module.split("."), "__init__"]
    inner = ".".join(names[:2])
    return inner if inner in FLOOR_OF else names[0]


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


def test_the_core_does_without_what_stands_beside_it() -> None:
    wrong = [
        str(found)
        for found in IMPORTS
        if part_imported(found.module) in BESIDE
        and found.module.startswith("asr.")
        and part_of(found.file) not in {*BESIDE, "cli"}
    ]
    assert wrong == []


def test_a_foreign_library_has_one_door() -> None:
    wrong = []
    for found in IMPORTS:
        library = next((part for part in found.module.split(".") if part in DOORS), None)
        is_ours = found.module.startswith("asr.")
        if library and not is_ours and part_of(found.file) not in DOORS[library]:
            wrong.append(f"{found}, which only {', '.join(sorted(DOORS[library]))} may do")
    assert wrong == []


def test_torchaudio_is_needed_by_no_import() -> None:
    wrong = [found for found in IMPORTS if found.module.split(".")[0] == "torchaudio"]
    assert [str(found) for found in wrong if found.runs_at_import] == []


def needs_torch(file: Path) -> bool:
    path = file.relative_to(PACKAGE)
    own = {path.parts[0].removesuffix(".py"), path.as_posix(), path.parent.as_posix()}
    return bool(own & WITH_TORCH) and path.name not in {"config.py", "progress.py"}


def test_only_training_imports_torch() -> None:
    wrong = [
        str(found)
        for found in IMPORTS
        if found.module.split(".")[0] == "torch" and not needs_torch(found.file)
    ]
    assert wrong == []


def test_no_file_and_no_function_is_long() -> None:
    long = [
        f"{file.relative_to(ROOT)}: {n} lines"
        for file in FILES
        if (n := len(file.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    ]
    long += [
        f"{file.relative_to(ROOT)}:{node.lineno}: {node.name}"
        for file in FILES
        for node in ast.walk(parse(file))
        if isinstance(node, ast.FunctionDef)
        and (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES
    ]
    assert long == []


def test_few_modules_lie_loose() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= 10


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
    for init in sorted({*PACKAGE.glob("*/**/__init__.py")} - {*PACKAGE.glob("cli/**/__init__.py")}):
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
    code = f"import sys, {module}; sys.exit(int('torch' in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0
