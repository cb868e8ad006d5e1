"""Benchmarks of hours, thousands of files and the server: their inputs and counts are right."""

import json
import os
import sys
from pathlib import Path

import pytest
import soundfile

from asr.corpus.tiny import write_tiny_corpus
from asr.corpus.utterance import Utterance
from asr.text.transcript import Word
from benchmarks import memory
from benchmarks.memory import MB, Memory, Watch
from benchmarks.speech import PAUSES, read, read_corpus, texts_of, write_long, write_short
from benchmarks.systems import run
from tests.test_benchmarks import run as run_benchmark


@pytest.fixture(name="corpus", scope="module")
def written_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "tiny"
    write_tiny_corpus(folder, n_utterances=8, n_speakers=2, seed=0)
    return folder


def test_a_long_recording_has_each_piece_where_its_offset_says(
    corpus: Path, tmp_path: Path
) -> None:
    utterances = read_corpus(corpus)
    by_file = {utterance.audio_filepath: utterance for utterance in utterances}
    pieces = write_long(tmp_path / "long.wav", utterances, 40.0, seed=3)
    samples, sample_rate = soundfile.read(tmp_path / "long.wav")
    assert len(samples) >= 40 * sample_rate
    assert len(pieces) > len(utterances)  # they come again
    assert len({piece.id for piece in pieces}) == len(pieces)
    for piece in pieces:
        start = round(piece.offset * sample_rate)
        waveform = read(by_file[piece.audio_filepath])
        assert samples[start : start + len(waveform)] == pytest.approx(waveform, abs=1e-4)
    ends = [piece.offset + (piece.duration or 0.0) for piece in pieces]
    gaps = [after.offset - end for end, after in zip(ends, pieces[1:], strict=False)]
    assert all(PAUSES[0] - 0.001 <= gap <= PAUSES[1] + 0.001 for gap in gaps)


def test_short_recordings_are_one_stretch_of_the_corpus_after_the_other(
    corpus: Path, tmp_path: Path
) -> None:
    paths = write_short(tmp_path, read_corpus(corpus), 0.5, n=102)
    assert {path.parent.name for path in paths} == {"000", "001"}
    contents = {soundfile.read(path, frames=8000)[0].tobytes() for path in paths[:20]}
    assert len(contents) == 20
    assert all(soundfile.info(path).frames == 8000 for path in paths)


def test_a_word_belongs_to_the_piece_where_its_middle_is() -> None:
    pieces = [Utterance("a", Path(), 0.0, 2.0), Utterance("b", Path(), 4.0, 2.0)]
    words = [Word("ONE", 1.0, 2.4), Word("TWO", 2.5, 3.4), Word("THREE", 2.9, 4.5)]
    assert texts_of(words, pieces) == {"a": "ONE TWO", "b": "THREE"}
    assert texts_of([], pieces) == {"a": "", "b": ""}


def test_memory_is_told_by_quarters_so_that_growth_shows() -> None:
    memory = Memory([n * MB for n in (100, 100, 110, 110, 120, 120, 130, 130)], peak=140 * MB)
    assert memory.cells == ["100 / 110 / 120 / 130", "140"]
    assert Memory().cells == ["", ""]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_memory_of_a_running_process_is_sampled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs until it has been looked at while it held that much."""
    holds = "import sys, time; from pathlib import Path; held = b'x' * 300_000_000\n"
    holds += "while not Path(sys.argv[1]).exists(): time.sleep(0.01)"

    def seen(text: str) -> int:
        n_bytes = n_bytes_of(text)
        if n_bytes > 300 * MB:
            (tmp_path / "seen").touch()
        return n_bytes

    n_bytes_of = memory._n_bytes
    monkeypatch.setattr(memory, "_n_bytes", seen)
    usage = run([sys.executable, "-c", holds, str(tmp_path / "seen")])
    assert usage.memory.peak > 300 * MB
    assert max(usage.memory.samples) > 300 * MB
    assert usage.seconds > memory.INTERVAL


def test_what_ends_within_an_interval_has_no_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "INTERVAL", 60.0)
    with Watch(os.getpid()) as watch:
        pass
    assert watch.memory.samples == []


@pytest.mark.slow
def test_many_recordings_tells_rates_of_single_calls_and_of_folders(
    corpus: Path, tmp_path: Path
) -> None:
    answer = run_benchmark(
        *("--audio", str(corpus), "--files", "3", "--utterances", "2", "--rounds", "1"),
        *("--threads", "1", "--results", str(tmp_path)),
        benchmark="many_recordings",
    )
    assert answer.returncode == 0, answer.stderr
    figures = json.loads((tmp_path / "many_recordings.json").read_text(encoding="utf-8"))
    bulk = [(row["search"], row["n"], row["what"]) for row in figures["bulk"]]
    assert bulk == [
        ("default", 3, "1.5 s each, a call each"),
        ("default", 3, "1.5 s each, a folder"),
        ("default", 2, "the corpus"),
        ("greedy", 2, "the corpus"),
    ]
    singles, folder = figures["bulk"][:2]
    assert folder["seconds"] < singles["seconds"]  # one start instead of three


@pytest.mark.slow
def test_long_recordings_tells_errors_of_the_whole_and_of_its_pieces(
    corpus: Path, tmp_path: Path
) -> None:
    answer = run_benchmark(
        *("--audio", str(corpus), "--hours", "0.01", "--threads", "1", "--results", str(tmp_path)),
        benchmark="long_recordings",
    )
    assert answer.returncode == 0, answer.stderr
    figures = json.loads((tmp_path / "long_recordings.json").read_text(encoding="utf-8"))
    (row,) = figures["recordings"]
    assert row["hours"] >= 0.01
    assert row["wer"] > 0
    assert row["wer_of_pieces"] > 0
    assert row["peak_bytes"] > 50 * MB


@pytest.mark.slow
def test_server_tells_times_of_requests_that_come_together(corpus: Path, tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    answer = run_benchmark(
        *("--audio", str(corpus), "--n", "4", "--concurrency", "1", "2"),
        *("--threads", "1", "--results", str(tmp_path)),
        benchmark="server",
    )
    assert answer.returncode == 0, answer.stderr
    figures = json.loads((tmp_path / "server.json").read_text(encoding="utf-8"))
    assert [load["concurrency"] for load in figures["loads"]] == [1, 2]
    for load in figures["loads"]:
        assert load["statuses"] == [200] * 4
        assert load["audio_seconds"] > 0
