"""Benchmarks: they explain themselves, and count what they say they count."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from asr.corpus.tiny import write_tiny_corpus
from benchmarks.installation import required
from benchmarks.paired import Timing, ratio, spread
from benchmarks.transcription_peers import spelled_out

ROOT = Path(__file__).parent.parent


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.transcription", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_transcription_teaches_how_its_environments_are_made() -> None:
    answer = run("--help")
    assert answer.returncode == 0
    assert "--python ours=" in answer.stdout


def test_an_environment_is_given_as_name_and_path() -> None:
    answer = run("--python", "../peers/bin/python")
    assert answer.returncode == 2
    assert "expected NAME=PATH, got '../peers/bin/python'" in answer.stderr


@pytest.mark.slow
def test_a_missing_environment_is_left_out_and_named(tmp_path: Path) -> None:
    corpus = tmp_path / "tiny"
    write_tiny_corpus(corpus, n_utterances=8, n_speakers=2, seed=0)
    answer = run(
        *("--python", f"ours={sys.executable}", "--python", f"gone={tmp_path}/python"),
        *("--audio", str(corpus), "--results", str(tmp_path)),
        *("--rounds", "1", "--sample", "2", "--threads", "1"),
    )
    assert answer.returncode == 0, answer.stderr
    assert "left out: gone: " in answer.stderr
    assert "Left out: gone." in (tmp_path / "transcription.md").read_text(encoding="utf-8")
    figures = json.loads((tmp_path / "transcription.json").read_text(encoding="utf-8"))
    rows = [(row["system"], row["search"]) for row in figures["systems"]]
    assert rows == [("ours", "default"), ("ours", "greedy")]
    assert all(row["one_peak_bytes"] > 50_000_000 for row in figures["systems"])


def test_a_ratio_is_taken_round_by_round() -> None:
    assert ratio(Timing((2.0, 9.0, 4.0)), Timing((1.0, 3.0, 4.0))) == "2.00 (1.00 – 3.00)"


def test_a_spread_is_the_median_and_the_range() -> None:
    assert spread([3.0, 1.0, 10.0], 0) == "3 (1 – 10)"


def test_an_installation_counts_what_requirements_require() -> None:
    found = required(["librosa"])
    assert {"librosa", "soundfile", "cffi", "pycparser"} <= found.keys()
    assert "pytest" not in found  # an extra of librosa


def test_titles_are_spelled_as_librispeech_does() -> None:
    assert spelled_out("Mr. Hyde, of St. Ives.") == "mister Hyde, of saint Ives."
