"""How fast the shipped model transcribes: one recording at a time, many, and from a cold start."""

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from asr.cli.searching import BEAM_SIZE, BEAM_THRESHOLD
from asr.corpus.librispeech import read_librispeech
from asr.corpus.utterance import Utterance
from asr.recognizer import Recognizer, load_model
from asr.search.beam import BeamConfig
from benchmarks.paired import alternate, ratio, take_no_words, write_results

REPOSITORY = Path(__file__).resolve().parent.parent
DEMO = REPOSITORY / "recipes" / "demo"
N_UTTERANCES = 64
N_ROUNDS = 5
BEAM = BeamConfig(BEAM_SIZE, BEAM_THRESHOLD, n_best=1)


def main() -> None:
    """Measure real-time factors, and the time of the whole command on one short recording."""
    folder = Path(os.environ.get("ASR_DATA", REPOSITORY.parent / "shared" / "data"))
    utterances = read_librispeech(folder / "LibriSpeech" / "dev-clean").utterances[:N_UTTERANCES]
    seconds = sum(utterance.duration or 0.0 for utterance in utterances)
    greedy, beam, own = load_model(is_greedy=True), load_model(beam=BEAM), load_model()
    n_threads = os.cpu_count() or 1
    candidates = {
        "one at a time, 1 thread": lambda: _transcribe(greedy, utterances, 0.1, 1),
        "one at a time": lambda: _transcribe(greedy, utterances, 0.1, n_threads),
        "batches of 2 minutes": lambda: _transcribe(greedy, utterances, 120.0, n_threads),
        f"batches of 2 minutes, beam {BEAM_SIZE}": lambda: _transcribe(
            beam, utterances, 120.0, n_threads
        ),
        "batches of 2 minutes, the search that it comes with": lambda: _transcribe(
            own, utterances, 120.0, n_threads
        ),
    }
    timings = alternate(candidates, n_rounds=N_ROUNDS)
    first = next(iter(timings.values()))
    rows = [
        [name, f"{t.median / seconds:.4f}", f"{seconds / t.median:.0f}", ratio(first, t)]
        for name, t in timings.items()
    ]
    commands = ("--help", "transcribe --search greedy speech.wav", "transcribe speech.wav")
    start = alternate({words: partial(_command, words) for words in commands}, n_rounds=N_ROUNDS)
    for words, timing in start.items():
        rows.append([f"`asr {words}`, the whole process", f"{timing.median:.2f} s", "", ""])
    write_results(
        "transcription",
        "Real-time factor of transcription",
        ["what", "RTF", "times real time", "speed relative to the first"],
        rows,
        f"{N_UTTERANCES} recordings (MP3, {seconds / 60:.1f} minutes) of dev-clean, from files to "
        f"transcripts with times; {n_threads} threads unless it says otherwise; greedy search "
        f"unless it says otherwise; {N_ROUNDS} alternating rounds, median (and range).",
    )


def _transcribe(
    recognizer: Recognizer, utterances: Sequence[Utterance], batch_duration: float, n_threads: int
) -> None:
    torch.set_num_threads(n_threads)
    for _ in recognizer.transcribe_all(utterances, batch_duration=batch_duration):
        pass


def _command(words: str) -> None:
    command = [sys.executable, "-m", "asr", *words.split()]
    subprocess.run(command, check=True, capture_output=True, cwd=DEMO)


if __name__ == "__main__":
    take_no_words(__doc__)
    main()
