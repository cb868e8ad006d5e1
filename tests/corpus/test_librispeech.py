"""LibriSpeech's layout becomes utterances, and whatever is wrong in it is named."""

from pathlib import Path

import numpy as np
import pytest

from asr.audio.write import write_waveform
from asr.corpus.librispeech import list_librispeech, read_librispeech
from asr.corpus.measuring import measured
from asr.corpus.utterance import Problem, Utterance
from asr.errors import DataError


def record(chapter: Path, name: str, *, seconds: float = 0.5, ending: str = "flac") -> Path:
    chapter.mkdir(parents=True, exist_ok=True)
    path = chapter / f"{name}.{ending}"
    write_waveform(path, np.zeros(round(16000 * seconds)), 16000)
    return path


def transcribe(chapter: Path, *lines: str) -> Path:
    chapter.mkdir(parents=True, exist_ok=True)
    path = chapter / f"{chapter.parent.name}-{chapter.name}.trans.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def chapter(tmp_path: Path) -> Path:
    """Two utterances, all well."""
    chapter = tmp_path / "84" / "121550"
    record(chapter, "84-121550-0000", seconds=1.0)
    record(chapter, "84-121550-0001", seconds=0.25)
    transcribe(chapter, "84-121550-0000 BUT WITH FULL RAVISHMENT", "84-121550-0001 THE HOURS")
    return chapter


def problems(tmp_path: Path) -> dict[str, str]:
    return {problem.id: problem.reason for problem in read_librispeech(tmp_path).problems}


def test_a_whole_subset_becomes_utterances(tmp_path: Path, chapter: Path) -> None:
    report = read_librispeech(tmp_path)

    assert report.problems == ()
    assert report.utterances == (
        Utterance(
            id="84-121550-0000",
            audio_filepath=chapter / "84-121550-0000.flac",
            duration=1.0,
            text="BUT WITH FULL RAVISHMENT",
            speaker="84",
        ),
        Utterance(
            id="84-121550-0001",
            audio_filepath=chapter / "84-121550-0001.flac",
            duration=0.25,
            text="THE HOURS",
            speaker="84",
        ),
    )


def test_utterances_come_in_order_of_their_ids(tmp_path: Path) -> None:
    for speaker in ("9", "10", "8"):
        chapter = tmp_path / speaker / "1"
        record(chapter, f"{speaker}-1-0")
        transcribe(chapter, f"{speaker}-1-0 WORDS")

    ids = [utterance.id for utterance in read_librispeech(tmp_path).utterances]

    assert ids == ["10-1-0", "8-1-0", "9-1-0"]


@pytest.mark.parametrize("ending", ["wav", "ogg", "mp3", "aiff", "FLAC"])
def test_recordings_may_have_any_ending(tmp_path: Path, ending: str) -> None:
    chapter = tmp_path / "1" / "2"
    record(chapter, "1-2-0", ending=ending)
    transcribe(chapter, "1-2-0 WORDS")

    (utterance,) = read_librispeech(tmp_path).utterances

    assert utterance.duration == 0.5


def test_other_files_in_the_folders_are_passed_over(tmp_path: Path, chapter: Path) -> None:
    (chapter / "84-121550-0000.txt").write_text("notes")
    (chapter / ".DS_Store").write_bytes(b"\0")
    (tmp_path / "SPEAKERS.TXT").write_text("84 | F")

    assert problems(tmp_path) == {}


def test_a_transcript_without_a_recording_is_a_problem(tmp_path: Path, chapter: Path) -> None:
    (chapter / "84-121550-0001.flac").unlink()

    report = read_librispeech(tmp_path)

    assert [utterance.id for utterance in report.utterances] == ["84-121550-0000"]
    where = chapter / "84-121550.trans.txt"
    assert report.problems == (
        Problem("84-121550-0001", f"{where}:2: there is no recording of this name"),
    )


def test_a_recording_without_a_transcript_is_a_problem(tmp_path: Path, chapter: Path) -> None:
    path = record(chapter, "84-121550-0002")

    assert problems(tmp_path) == {
        "84-121550-0002": f"{path}: no transcript has this recording",
    }


def test_recordings_in_a_chapter_without_transcripts_are_a_problem(
    tmp_path: Path, chapter: Path
) -> None:
    record(chapter.parent / "999", "84-999-0000")

    assert list(problems(tmp_path)) == ["84-999-0000"]


def test_a_transcript_without_words_is_a_problem(tmp_path: Path, chapter: Path) -> None:
    path = transcribe(chapter, "84-121550-0000", "", "84-121550-0001 ")

    assert problems(tmp_path) == {
        "84-121550-0000": f"{path}:1: the transcript has no words",
        "84-121550-0001": f"{path}:3: the transcript has no words",
    }


def test_an_id_in_two_transcripts_is_a_problem_and_in_neither(
    tmp_path: Path, chapter: Path
) -> None:
    other = transcribe(chapter.parent / "121551", "84-121550-0000 OTHER WORDS")

    report = read_librispeech(tmp_path)

    assert [utterance.id for utterance in report.utterances] == ["84-121550-0001"]
    assert report.problems[0].id == "84-121550-0000"
    assert report.problems[0].reason.endswith(f"the same id is at {other}:1")


def test_two_recordings_of_one_id_are_a_problem(tmp_path: Path, chapter: Path) -> None:
    path = record(chapter, "84-121550-0001", ending="wav")

    assert problems(tmp_path)["84-121550-0001"].endswith(f"the same id has {path}")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (b"no audio here" * 99, "is not audio"), (b"fLaC", "is not audio")],
)
def test_a_recording_that_cannot_be_read_is_a_problem(
    tmp_path: Path, chapter: Path, content: bytes, reason: str
) -> None:
    (chapter / "84-121550-0001.flac").write_bytes(content)

    report = read_librispeech(tmp_path)

    assert len(report.utterances) == 1
    assert report.problems[0].id == "84-121550-0001"
    assert reason in report.problems[0].reason


def test_a_truncated_recording_is_a_problem(tmp_path: Path) -> None:
    path = record(tmp_path / "1" / "2", "1-2-0", ending="wav")
    transcribe(tmp_path / "1" / "2", "1-2-0 WORDS")
    path.write_bytes(path.read_bytes()[:-100])

    assert "is truncated" in problems(tmp_path)["1-2-0"]


def test_problems_come_in_order_of_their_ids(tmp_path: Path, chapter: Path) -> None:
    (chapter / "84-121550-0000.flac").write_bytes(b"")
    record(chapter, "84-121550-0003")
    (chapter / "84-121550-0001.flac").unlink()

    assert list(problems(tmp_path)) == ["84-121550-0000", "84-121550-0001", "84-121550-0003"]


def test_progress_counts_every_recording(chapter: Path) -> None:
    seen: list[tuple[int, int]] = []

    listed = list_librispeech(chapter.parent.parent)
    measured(listed, progress=lambda done, total: seen.append((done, total)))

    assert seen == [(1, 2), (2, 2)]


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder; name a subset"):
        read_librispeech(tmp_path / "dev-clean")


def test_a_folder_in_another_layout_is_refused(tmp_path: Path, chapter: Path) -> None:
    assert read_librispeech(tmp_path).problems == ()

    for folder in (chapter, chapter.parent):
        with pytest.raises(DataError, match="has no <speaker>/<chapter>"):
            read_librispeech(folder)


def test_a_transcript_that_is_not_utf8_is_refused(tmp_path: Path, chapter: Path) -> None:
    path = chapter / "84-121550.trans.txt"
    path.write_bytes(b"84-121550-0000 CAF\xc9\n")

    with pytest.raises(DataError, match=r"84-121550\.trans\.txt: is not UTF-8 at byte 18"):
        read_librispeech(tmp_path)


@pytest.mark.corpus
def test_recorded_subsets_are_whole(shared_data: Path) -> None:
    report = read_librispeech(shared_data / "LibriSpeech" / "dev-clean")

    assert report.problems == ()
    assert len(report.utterances) == 633
    assert len({utterance.speaker for utterance in report.utterances}) == 10
    assert sum(len((utterance.text or "").split()) for utterance in report.utterances) == 13623
    hours = sum(utterance.duration or 0 for utterance in report.utterances) / 3600
    assert hours == pytest.approx(1.35, abs=0.01)
