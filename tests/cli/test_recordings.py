"""What is named on the command line, and what the transcripts are called."""

import os
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.cli.recordings import find_all, name_all

PARTS = st.sampled_from(["a", "b.wav", "b.flac", "..", "c d"])


@given(st.lists(st.lists(PARTS, min_size=1, max_size=3), max_size=6, unique_by=tuple))
def test_no_two_transcripts_are_one_file_and_none_leaves_the_folder(paths: list[list[str]]) -> None:
    sources = [Path("/", *parts) for parts in paths] + [Path(*parts) for parts in paths]
    named = name_all([(source, Path(source.name)) for source in sources], [Path("failures")])

    outputs = [str(each.output) for each in named]
    assert len(set(outputs)) == len(outputs)
    assert "failures" not in outputs
    assert not any(Path(o).is_absolute() or ".." in PurePath(o).parts[:-1] for o in outputs)
    ids = [each.id for each in named]
    assert len(set(ids)) == len(ids)


def test_files_urls_and_standard_input_have_names_of_their_own() -> None:
    found, problems = find_all(["x/talk.mp3", "https://h.org/a/b.ogg?key=1", "-", "x/talk.mp3"])
    assert problems == []
    assert [(each.id, str(each.output)) for each in name_all(found)] == [
        ("talk", "talk"),
        ("b", "b"),
        ("stdin", "stdin"),
    ]


def test_the_key_of_a_url_is_in_no_name_unless_it_tells_recordings_apart() -> None:
    found, _ = find_all(["https://h.org/a/b.ogg?key=a.b", "https://h.org/c.ogg?sig=x/y.z"])
    assert [each.id for each in name_all(found)] == ["b", "c"]

    found, _ = find_all(["https://h.org/play?talk=1", "https://h.org/play?talk=2"])
    assert [each.id for each in name_all(found)] == ["play?talk=1", "play?talk=2"]


def test_a_table_of_failures_is_not_written_over() -> None:
    found, _ = find_all(["failures.wav"])
    assert str(name_all(found, [Path("failures")])[0].output) == "failures.wav"


def test_a_folder_that_cannot_be_read_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.wav").touch()
    scan = os.scandir

    def refuse(folder: Path) -> object:
        if folder.name == "b":
            raise PermissionError(13, "Permission denied")
        return scan(folder)

    monkeypatch.setattr("os.scandir", refuse)
    found, problems = find_all([str(tmp_path)])
    assert [relative for _, relative in found] == [Path("a/x.wav"), Path("c/x.wav")]
    assert [each.reason for each in problems] == [
        f"{tmp_path / 'b'}: cannot be read: Permission denied"
    ]
