"""Durations come from the recordings; what other tools measured may be a little off."""

from pathlib import Path

import numpy as np
import pytest

from asr.audio.write import write_waveform
from asr.corpus.measuring import decoded, measured
from asr.corpus.utterance import CorpusReport, Utterance


def noise(path: Path, seconds: float = 2.0, sample_rate: int = 16000) -> Path:
    samples = np.random.default_rng(0).standard_normal(round(sample_rate * seconds)) * 0.1
    write_waveform(path, samples, sample_rate)
    return path


def report(*utterances: Utterance) -> CorpusReport:
    return CorpusReport(utterances, ())


@pytest.mark.parametrize("given", [None, 1.7, 1.95, 2.0, 2.05, 2.3])
def test_the_duration_of_another_tool_gives_way_to_the_recordings_own(
    tmp_path: Path, given: float | None
) -> None:
    path = noise(tmp_path / "a.mp3")

    (found,) = measured(report(Utterance("a", path, duration=given))).utterances

    assert found.duration == pytest.approx(2.0, abs=1e-3)
    assert decoded(report(found)).problems == ()


def test_a_segment_keeps_its_duration_and_ends_with_the_recording_at_the_latest(
    tmp_path: Path,
) -> None:
    path = noise(tmp_path / "a.wav")
    segments = [
        Utterance("start", path, 0.0, 1.8),
        Utterance("middle", path, 0.5, 0.75),
        Utterance("rest", path, 1.0),
        Utterance("over", path, 1.0, 1.3),
    ]

    found = measured(report(*segments))

    assert [u.duration for u in found.utterances] == [1.8, 0.75, 1.0, 1.0]
    assert measured(report(Utterance("a", path, duration=0.5))).utterances[0].duration == 0.5


@pytest.mark.parametrize("sample_rate", [8000, 16000, 44100])
@pytest.mark.parametrize(("offset", "given"), [(0.0, None), (0.5, 0.70001)])
def test_decoding_what_is_sound_changes_nothing(
    tmp_path: Path, sample_rate: int, offset: float, given: float | None
) -> None:
    """A run that has begun refuses other durations, be it by a sample."""
    path = noise(tmp_path / "a.wav", 2.0001, sample_rate)

    found = measured(report(Utterance("a", path, offset, given)))

    assert decoded(found) == found


@pytest.mark.parametrize(("offset", "duration"), [(2.0, None), (0.0, 2.6), (1.0, 1.6)])
def test_a_segment_beyond_the_recording_is_a_problem(
    tmp_path: Path, offset: float, duration: float | None
) -> None:
    path = noise(tmp_path / "a.wav")

    found = measured(report(Utterance("a", path, offset, duration)))

    assert found.utterances == ()
    assert "has no segment from" in found.problems[0].reason
    assert "it lasts 2 s" in found.problems[0].reason


def test_a_channel_that_the_header_lacks_is_a_problem_without_decoding(tmp_path: Path) -> None:
    path = noise(tmp_path / "a.wav")

    found = measured(report(Utterance("a", path, channel=0), Utterance("b", path, channel=1)))

    assert [utterance.id for utterance in found.utterances] == ["a"]
    (problem,) = found.problems
    assert problem.id == "b"
    assert "a.wav: has no channel 1; its channels are 0 to 0" in problem.reason


def test_a_flac_file_with_a_wrong_byte_is_found_by_decoding_alone(tmp_path: Path) -> None:
    whole, damaged = noise(tmp_path / "whole.flac"), noise(tmp_path / "damaged.flac")
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 0xFF
    damaged.write_bytes(content)
    seen: list[tuple[int, int]] = []

    headers = measured(report(Utterance("whole", whole), Utterance("damaged", damaged)))
    found = decoded(headers, progress=lambda done, total: seen.append((done, total)))

    assert headers.problems == ()
    assert [(u.id, u.duration) for u in found.utterances] == [("whole", 2.0)]
    assert [problem.id for problem in found.problems] == ["damaged"]
    assert "is truncated or damaged" in found.problems[0].reason
    assert seen == [(1, 2), (2, 2)]
