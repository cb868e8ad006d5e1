"""Files and folders appear complete or not at all."""

import errno
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from asr.errors import DownloadError
from asr.files import append_line, replacing_folder, write_bytes, write_text, writing

KILLED = """
import os, signal, sys
from pathlib import Path
from asr.files import replacing_folder, writing
path = Path(sys.argv[1])
with writing(path) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
KILLED_IN_A_FOLDER = KILLED.replace(
    "writing(path) as file", "replacing_folder(path) as made"
).replace('file.write(b"half")\n    file.flush()', '(made / "a").write_text("half")')


def run_and_kill(code: str, path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert run.returncode == -signal.SIGKILL


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# A file


def test_a_file_is_written_with_the_folders_that_it_needs(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a" / "b" / "c.bin", b"\0\1")

    assert (tmp_path / "a" / "b" / "c.bin").read_bytes() == b"\0\1"
    assert names(tmp_path / "a" / "b") == ["c.bin"]


def test_text_is_utf_8_and_a_broken_name_in_it_is_escaped(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "Größe\r\n\udcff\n")

    assert (tmp_path / "a.txt").read_bytes() == "Größe\r\n\\udcff\n".encode()


@pytest.mark.parametrize("before", [None, "before"])
def test_a_killed_writer_leaves_nothing_new_under_the_name(
    tmp_path: Path, before: str | None
) -> None:
    path = tmp_path / "a.txt"
    if before is not None:
        path.write_text(before)

    run_and_kill(KILLED, path)
    run_and_kill(KILLED, path)

    assert (path.read_text() if path.exists() else None) == before
    assert len(set(names(tmp_path)) - {"a.txt"}) == 1  # what killed writers leave does not pile up
    write_text(path, "x")  # shorter than what was left
    assert path.read_text() == "x"
    assert names(tmp_path) == ["a.txt"]


def test_of_two_writers_the_last_to_finish_wins(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"

    with writing(path) as slow:
        slow.write(b"slow, ")
        slow.flush()
        with writing(path) as quick:
            quick.write(b"quick")
        assert path.read_text() == "quick"
        slow.write(b"but whole")

    assert path.read_text() == "slow, but whole"
    assert names(tmp_path) == ["a.txt"]


def test_many_writers_of_one_file_never_mix(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    contents = [bytes([i]) * 10_000 for i in range(8)]

    def write(content: bytes) -> None:
        for _ in range(20):
            with writing(path) as file:
                file.write(content[:5000])
                file.flush()
                file.write(content[5000:])
            assert path.read_bytes() in contents

    with ThreadPoolExecutor(len(contents)) as threads:
        list(threads.map(write, contents))

    assert names(tmp_path) == ["a.bin"]


def test_a_link_in_place_of_the_unfinished_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / ".a.txt.part").symlink_to(tmp_path / "precious")

    write_text(tmp_path / "a.txt", "whole")

    assert (tmp_path / "precious").read_text() == "precious"
    assert (tmp_path / "a.txt").read_text() == "whole"


@pytest.mark.parametrize("failure", [RuntimeError(), KeyboardInterrupt()])
def test_an_error_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, failure: BaseException
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")

    def fail() -> None:
        with writing(path) as file:
            file.write(b"half")
            raise failure

    with pytest.raises(type(failure)):
        fail()

    assert path.read_text() == "before"
    assert names(tmp_path) == ["a.txt"]


def test_the_file_appears_only_when_the_block_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"

    with writing(path) as file:
        file.write(b"whole")
        assert not path.exists()

    assert path.read_bytes() == b"whole"


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"

    with pytest.raises(OSError, match="No space left") as caught, writing(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    assert caught.value.filename == str(path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["a" * 255, "ä" * 127])
def test_every_name_that_the_disk_takes_can_be_written(tmp_path: Path, name: str) -> None:
    write_text(tmp_path / name, "whole")

    assert (tmp_path / name).read_text() == "whole"
    assert names(tmp_path) == [name]


def test_a_name_that_the_disk_refuses_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 256)

    with pytest.raises(OSError, match="too long") as caught, writing(path):
        pytest.fail("refused only after the work is done")

    assert caught.value.filename == str(path)


@pytest.mark.parametrize(
    "failure", [FileNotFoundError(errno.ENOENT, "no such file", "b.txt"), DownloadError("broken")]
)
def test_an_error_about_something_else_stays_as_it_is(tmp_path: Path, failure: OSError) -> None:
    with pytest.raises(type(failure)) as caught, writing(tmp_path / "a.txt"):
        raise failure

    assert caught.value is failure


def test_a_folder_in_its_place_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as caught:
        write_text(tmp_path, "")

    assert caught.value.filename == str(tmp_path)


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "a.txt").symlink_to(tmp_path / "elsewhere" / "b.txt")

    write_text(tmp_path / "a.txt", "whole")

    assert (tmp_path / "a.txt").is_symlink()
    assert (tmp_path / "elsewhere" / "b.txt").read_text() == "whole"


def test_a_device_is_written_to_and_stays_a_device(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to("/dev/null")

    write_text(tmp_path / "null", "gone")

    assert Path("/dev/null").is_char_device()
    assert (tmp_path / "null").is_symlink()


# A folder


def test_a_folder_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "old").touch()

    with replacing_folder(folder) as made:
        (made / "deep").mkdir()
        (made / "deep" / "new").write_text("new")
        assert names(folder) == ["old"]

    assert names(folder) == ["deep"]
    assert (folder / "deep" / "new").read_text() == "new"
    assert names(tmp_path) == ["model"]


def test_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "large disk" / "model").mkdir(parents=True)
    (tmp_path / "model").symlink_to(tmp_path / "large disk" / "model")

    for _ in range(2):
        with replacing_folder(tmp_path / "model") as made:
            (made / "new").touch()

    assert (tmp_path / "model").is_symlink()
    assert names(tmp_path / "large disk") == ["model"]
    assert names(tmp_path / "large disk" / "model") == ["new"]


def test_a_line_is_added_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lines"
    append_line(path, "one")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("asr.files.os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            append_line(path, "two")
    assert path.read_text() == "one\n"
    append_line(path, "three")
    assert path.read_text() == "one\nthree\n"


def test_an_error_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "old").touch()

    def fail() -> None:
        with replacing_folder(folder) as made:
            (made / "new").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert names(folder) == ["old"]
    assert names(tmp_path) == ["model"]


def test_a_killed_writer_leaves_the_old_folder_and_stands_in_nobodys_way(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "old").touch()

    run_and_kill(KILLED_IN_A_FOLDER, folder)

    assert names(folder) == ["old"]
    with replacing_folder(folder) as made:
        (made / "new").touch()
    assert names(folder) == ["new"]
    assert names(tmp_path) == ["model"]
