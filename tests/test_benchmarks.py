"""Benchmarks: they explain themselves, and count what they say they count."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng

from asr.corpus.librispeech import read_librispeech
from asr.corpus.manifest import read_manifest
from asr.corpus.tiny import write_tiny_corpus
from benchmarks.degradations import (
    CONDITIONS,
    MINUTE,
    NOTHING,
    SAMPLE_RATE,
    Waveform,
    change_tempo,
    mix,
    room_response,
    telephone,
)
from benchmarks.heard import Heard, table
from benchmarks.installation import required
from benchmarks.paired import Timing, ratio, spread
from benchmarks.robustness import _record
from benchmarks.speech import Speech
from benchmarks.systems import System
from benchmarks.transcription_peers import spelled_out

ROOT = Path(__file__).parent.parent


def run(*words: str, benchmark: str = "transcription") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"benchmarks.{benchmark}", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.mark.parametrize("benchmark", ["transcription", "robustness"])
def test_a_benchmark_teaches_how_its_environments_are_given(benchmark: str) -> None:
    answer = run("--help", benchmark=benchmark)
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


def tone(hertz: float, seconds: float = 2.0) -> Waveform:
    waveform: Waveform = 0.3 * np.sin(2 * np.pi * hertz * np.arange(seconds * SAMPLE_RATE) / 16000)
    return waveform


def strongest(waveform: Waveform) -> float:
    """The frequency with the most energy, in hertz."""
    spectrum = np.abs(np.fft.rfft(waveform))
    return float(spectrum.argmax()) * SAMPLE_RATE / len(waveform)


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_degradation_follows_from_its_random_state(name: str) -> None:
    voices = [tone(100.0 * k, seconds=0.5) for k in range(1, 9)]
    first, again = (CONDITIONS[name].degrade(tone(400), default_rng(7), voices) for _ in range(2))
    assert np.array_equal(first, again)
    assert np.isfinite(first).all()


def test_noise_is_ten_decibels_below_the_speech() -> None:
    speech, noise = tone(400), default_rng(1).standard_normal(2 * SAMPLE_RATE)
    added = mix(speech, noise) - speech
    assert np.mean(speech**2) / np.mean(added**2) == pytest.approx(10.0)


def test_tempo_shortens_speech_and_keeps_its_pitch() -> None:
    faster = change_tempo(tone(400), 1.15)
    assert len(faster) * 1.15 == pytest.approx(2 * SAMPLE_RATE, rel=0.01)
    assert strongest(faster[1000:-1000]) == pytest.approx(400, abs=1)


def test_speed_shortens_speech_and_raises_its_pitch() -> None:
    faster = CONDITIONS["fast"].degrade(tone(400), default_rng(1), [])
    assert len(faster) * 1.1 == pytest.approx(2 * SAMPLE_RATE, rel=0.01)
    assert strongest(faster[1000:-1000]) == pytest.approx(440, abs=1)


@pytest.mark.parametrize(
    ("hertz", "least", "most"), [(1000, 0.9, 1.1), (100, 0, 0.1), (5000, 0, 0.1)]
)
def test_a_telephone_passes_its_band_alone(hertz: float, least: float, most: float) -> None:
    heard = telephone(tone(hertz))
    assert least <= heard.std() / tone(hertz).std() <= most


@pytest.mark.parametrize("place", range(3))
def test_echoes_decay_by_60_decibels_in_about_half_a_second(place: int) -> None:
    energy = np.cumsum(room_response(place)[::-1] ** 2)[::-1]  # Schroeder, JASA 37, 1965
    decay = 10 * np.log10(energy[energy > 0] / energy[0])
    five, twenty_five = (int(np.argmax(decay < -level)) for level in (5, 25))
    assert 0.4 <= 3 * (twenty_five - five) / SAMPLE_RATE <= 0.6


def test_sound_first_arrives_from_two_and_a_half_metres() -> None:
    assert np.abs(room_response(0)).argmax() == round(2.5 / 343 * SAMPLE_RATE)


@pytest.mark.parametrize("name", NOTHING)
def test_a_sound_without_speech_lasts_a_minute_and_is_not_clipped(name: str) -> None:
    sound = NOTHING[name](default_rng(3))
    assert len(sound) == MINUTE
    assert np.abs(sound).max() < 1.0


def test_peers_of_the_robustness_table_are_compared_on_what_they_heard() -> None:
    systems = [
        System("ours", (), "english", ("default",), (), is_peer=False),
        System("peer", (), "tiny", ("default",), (), is_peer=True),
    ]
    clean = Heard("clean", "ours", 11.0, 10.0, 0.5, 900, 1.0, 2.0, 100.0)
    other = replace(clean, system="peer", wer=6.0, wer_sample=6.0, calibration_error=None)
    silence = Heard("silence", "ours", None, None, None, 1, 1.0, 2.0, 100.0)
    heard = [clean, other, silence, replace(silence, system="peer", n_words=20)]

    columns, rows = table(heard, systems, 40)
    assert columns[:5] == [
        *("condition", "ours", "ours, 40 of them", "peer, 40 of them", "ours, calibration error")
    ]
    assert [row[1:5] for row in rows] == [
        ["11.00", "10.00", "6.00", "0.5"],
        ["1 word", "1 word", "20 words", "–"],
    ]
    columns, _ = table([clean, silence], systems[:1], 40)
    assert columns == [
        *("condition", "ours", "ours, 40 of them", "ours, calibration error", "ours, × real time")
    ]


def test_peers_hear_a_sample_of_each_condition_and_all_that_is_no_speech(tmp_path: Path) -> None:
    write_tiny_corpus(tmp_path / "tiny", n_utterances=8, n_speakers=8, seed=0)
    utterances = read_librispeech(tmp_path / "tiny").utterances
    speech = Speech(tmp_path, utterances, utterances[::4])
    for condition, n_all, n_sample in (("clean", 8, 2), ("silence", 10, 10)):
        degraded = _record(condition, speech, seed=1)
        assert [len(degraded.all), len(degraded.sample)] == [n_all, n_sample]
        assert len(read_manifest(tmp_path / "sample.jsonl")) == n_sample


@pytest.mark.slow
def test_robustness_scores_each_condition_and_counts_words_where_there_are_none(
    tmp_path: Path,
) -> None:
    write_tiny_corpus(tmp_path / "corpus" / "tiny", n_utterances=8, n_speakers=8, seed=0)
    answer = run(
        *("--python", f"ours={sys.executable}", "--python", f"gone={tmp_path}/python"),
        *("--librispeech", str(tmp_path / "corpus"), "--subset", "tiny", "--n", "8"),
        *("--only", "clean", "babble", "silence", "--threads", "1", "--results", str(tmp_path)),
        benchmark="robustness",
    )
    assert answer.returncode == 0, answer.stderr
    figures = json.loads((tmp_path / "robustness.json").read_text(encoding="utf-8"))
    rows = {row["condition"]: row for row in figures["conditions"]}
    assert list(rows) == ["clean", "babble", "silence"]
    assert rows["clean"]["wer"] == rows["clean"]["wer_sample"] > 0
    assert rows["silence"]["wer"] is None
    assert rows["silence"]["calibration_error"] is None
    assert 0 < rows["clean"]["calibration_error"] < 100
    assert figures["left_out"] == ["gone"]
    page = (tmp_path / "robustness.md").read_text(encoding="utf-8")
    assert "| babble of 6, 10 dB | " in page
    assert f"| 10 minutes of silence | {rows['silence']['n_words']} words | " in page
    assert ">babble<" in (tmp_path / "robustness.svg").read_text(encoding="utf-8")
