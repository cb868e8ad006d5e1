import hashlib
import subprocess
from pathlib import Path

import pytest

from asr.checkpoint.directory import ONNX_FILE, read_directory
from asr.checkpoint.engine import verify_model
from asr.checkpoint.names import model_folder
from asr.checkpoint.seal import SEAL_FILE, changing, check_seal, seal
from asr.errors import ModelError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("weights", "words", "README.md"):
        (tmp_path / name).write_text(f"what {name} holds")
    seal(tmp_path)
    return tmp_path


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_what_was_not_touched_is_sound_also_by_another_tool(folder: Path) -> None:
    check_seal(folder)
    subprocess.run(["sha256sum", "--check", "--strict", SEAL_FILE], cwd=folder, check=True)
    assert len((folder / SEAL_FILE).read_text().splitlines()) == 3


@pytest.mark.parametrize("at", [0, -1])
def test_one_wrong_bit_is_damage(folder: Path, at: int) -> None:
    flip(folder / "words", at)
    with pytest.raises(ModelError, match=f"words: is not what {SEAL_FILE} says, so it is damaged"):
        check_seal(folder)
    check_seal(folder, without=("words",))


def test_a_file_that_is_gone_is_named(folder: Path) -> None:
    (folder / "weights").unlink()
    with pytest.raises(ModelError, match="weights: is missing"):
        check_seal(folder)


def test_files_that_were_changed_on_purpose_are_sealed_anew(folder: Path) -> None:
    with changing(folder):
        (folder / "words").write_text("others")
    check_seal(folder)
    digest = hashlib.sha256(b"others").hexdigest()
    assert f"{digest}  words\n" in (folder / SEAL_FILE).read_text()


def test_a_change_that_failed_leaves_no_seal(folder: Path) -> None:
    with pytest.raises(OSError, match="full"), changing(folder):
        raise OSError("the disk is full")
    assert not (folder / SEAL_FILE).exists()
    check_seal(folder)


def test_the_shipped_model_is_sealed_and_a_wrong_bit_in_any_file_is_found(tmp_path: Path) -> None:
    shipped = model_folder("english")
    check_seal(shipped)
    names = {line.split("  ")[1] for line in (shipped / SEAL_FILE).read_text().splitlines()}
    assert names == {path.name for path in shipped.iterdir()} - {SEAL_FILE}
    copy = tmp_path / "model"
    copy.mkdir()
    for path in shipped.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    flip(copy / ONNX_FILE, 1_000_000)
    for use in (read_directory, verify_model):
        with pytest.raises(ModelError, match=r"model\.onnx: is not what"):
            use(copy)
