r"""How fast and how well the beam search reads, beside others on the same emissions.

    python -m benchmarks.search --peers ../peers/bin/python \
        --lm 3-gram books-3gram.lm books-3gram.arpa --lm 4-gram books-4gram.lm books-4gram.arpa

Each `--lm` names an n-gram model for us (see `asr lm`) and the same one for KenLM, as ARPA or in
its binary form; `search_peers.py` says how the others' environment is made. Each decoder is a
process with one thread; they take turns, utterance for utterance the same, and the seconds are
those of the thread that decodes. Weights are chosen for each decoder from the same grid, on other
utterances than those that are timed and scored.

`emissions.py` says which emissions there are. The table is written anew after each task, as all of
them take half an hour.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from asr.search.beam import BeamConfig
from asr.search.beam_search import BeamSearch
from asr.search.fusion import Fusion, fuse
from asr.search.greedy import greedy_search
from asr.search.language import plain_language
from asr.text.tokenizer import Tokenizer
from benchmarks import search_peers
from benchmarks.emissions import Emissions, make_emissions
from benchmarks.options import DATA, option_parser
from benchmarks.paired import write_results
from benchmarks.speech import wer

BEAM_SIZE, BEAM_THRESHOLD = 100, 14.0
GRID = {"lm_weight": (0.6, 0.8, 1.0, 1.3), "word_score": (-1.0, 0.0, 1.0, 2.0)}
N_ROUNDS = 3
DEFAULT = {"lm_weight": 0.8, "word_score": 0.0}
OURS = "asr"

Ask = Callable[[Any], dict[str, Any]]  # a decoder, by a message; see `search_peers`


def main() -> None:
    """Measure every row."""
    options = _options()
    if options.serve:
        sys.stdout = sys.stderr
        search_peers.serve(_ours)
        return
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as folder:
        for emissions in make_emissions():
            rows.append(_greedy(emissions))
            for lm in [("", "", ""), *options.lm]:
                rows += _beam(emissions, lm, Path(folder), options.peers)
                notes = NOTES.format(rounds=N_ROUNDS, threshold=BEAM_THRESHOLD)
                write_results("search", "Speed of the beam search", COLUMNS, rows, notes)


COLUMNS = (
    "emission",
    "words",
    "decoder",
    "ms per second of speech",
    "of the fastest other",
    "WER",
    "weights",
    "memory, MB",
    "start, s",
)
NOTES = """Utterances of dev-clean, MP3; weights chosen on others, if there is no `*`. Thread \
seconds, the median of {rounds} alternating rounds; one thread each. Beam threshold {threshold:g} \
nats; pyctcdecode and fast-ctc-decode have a pruning of their own, of single tokens, and keep its \
default. How it is made: `benchmarks/search.py`."""


def _greedy(emissions: Emissions) -> list[str]:
    """Time and score greedy search."""
    began, texts = time.thread_time(), {}
    for utterance in emissions.timed:
        emission = emissions.log_probs[utterance.id]
        (best,) = greedy_search(emission[None], np.array([len(emission)]))
        texts[utterance.id] = emissions.tokenizer.decode(best.tokens)
    cost = 1000 * (time.thread_time() - began) / emissions.seconds
    rate = wer(emissions.timed, texts)
    return [f"{emissions.name}, greedy", "", OURS, f"{cost:.2f}", "", f"{rate:.1f}", "", "", ""]


def _beam(emissions: Emissions, lm: Sequence[str], folder: Path, python: str) -> list[list[str]]:
    """Time and score every decoder that can search with a language model: name, ours, theirs."""
    title, ours, theirs = lm
    timed, what = emissions.timed, f"{emissions.name}, beam {BEAM_SIZE}"
    names = [OURS, *search_peers.PEERS]
    if title:
        names.remove("fast-ctc-decode")  # it has no language model
    seconds: dict[str, list[float]] = {name: [] for name in names}
    last: dict[str, dict[str, Any]] = {}
    np.savez(folder / "emissions.npz", **emissions.log_probs)  # type: ignore[arg-type]
    with _processes(names, python) as ask:
        starts = {
            name: ask[name](_task(emissions, ours if name == OURS else theirs, folder))
            for name in names
        }
        names = [name for name in names if "start_seconds" in starts[name]]  # else it died
        weights = {name: _weights(emissions, ask[name]) if title else {} for name in names}
        order = [utterance.id for utterance in timed]
        for _, name in product(range(N_ROUNDS), names):
            print(what, title, name, file=sys.stderr)
            last[name] = ask[name]({"names": order, "weights": weights[name]})
            seconds[name].append(last[name]["seconds"])
    medians = {name: statistics.median(seconds[name]) for name in names}
    fastest = min(medians[name] for name in names if name != OURS)
    return [
        [
            what,
            title and f"200k, {title}",
            name,
            f"{1000 * medians[name] / emissions.seconds:.2f}",
            f"{fastest / medians[name]:.2f}×",
            f"{wer(timed, last[name]['texts']):.1f}",
            ", ".join(f"{value:g}" for value in weights[name].values())
            + "*" * (bool(title) and not emissions.tuned),
            f"{last[name]['megabytes']:.0f}",
            f"{starts[name]['start_seconds']:.1f}",
        ]
        for name in names
    ]


def _weights(emissions: Emissions, ask: Ask) -> dict[str, float]:
    """Find the weights with the least WER on the utterances for that."""
    tuned = emissions.tuned
    if not tuned:
        return DEFAULT
    names = [utterance.id for utterance in tuned]
    points = [dict(zip(GRID, values, strict=True)) for values in product(*GRID.values())]
    return min(
        points, key=lambda point: wer(tuned, ask({"names": names, "weights": point})["texts"])
    )


def _task(emissions: Emissions, lm: str, folder: Path) -> str:
    """Write down what a decoder is to get ready for; return the file."""
    tokenizer = emissions.tokenizer
    words = _words(tokenizer) if lm else []
    (folder / "words.txt").write_text("\n".join(words), encoding="utf-8")
    task = {
        "tokens": tokenizer.tokens,
        "words": words,
        "spellings": [tokenizer.encode(word) for word in words],
        "lexicon": str(folder / "words.txt"),
        "lm": lm or None,
        "emissions": str(folder / "emissions.npz"),
        "beam_size": BEAM_SIZE,
        "beam_threshold": BEAM_THRESHOLD,
    }
    path = folder / "task.json"
    path.write_text(json.dumps(task), encoding="utf-8")
    return str(path)


def _words(tokenizer: Tokenizer) -> list[str]:
    """The 200,000 words of LibriSpeech's language models, as far as tokens spell them."""
    characters = set("".join(tokenizer.tokens[1:]))
    lines = (DATA / "lm" / "librispeech-vocab.txt").read_text(encoding="utf-8").split()
    return [word for word in lines if set(word) <= characters]


def _ours(task: search_peers.Task, weights: search_peers.Task) -> search_peers.Decode:
    """This package's search, behind the same face as the others."""
    beam = BeamConfig(task["beam_size"], task["beam_threshold"], 1, **weights)
    tokens = task["tokens"]
    language = plain_language(len(tokens))
    if task["lm"]:
        language = _fused(tuple(tokens), Path(task["lm"]), Path(task["lexicon"])).language
    search = BeamSearch(beam, language)

    def decode(emission: search_peers.Emission) -> str:
        ((best,),) = search(emission[None], np.array([len(emission)]))
        return search_peers.text_of([tokens[i] for i in best.tokens])

    return decode


@cache
def _fused(tokens: tuple[str, ...], lm: Path, lexicon: Path) -> Fusion:
    """Compile words and language model, once for all weights."""
    return fuse(tokens, "verbatim-1", lm=lm, lexicon=lexicon)


@contextmanager
def _processes(names: Sequence[str], python: str) -> Iterator[dict[str, Ask]]:
    """Start a process a decoder; gives a function for each that asks it and awaits its answer."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    commands = {name: [python, search_peers.__file__, name] for name in names}
    commands[OURS] = [sys.executable, "-m", "benchmarks.search", "--serve"]
    pipe = subprocess.PIPE
    processes = {
        name: subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        for name, command in commands.items()
    }
    try:
        yield {name: partial(_ask, process) for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.kill()
            process.communicate()


def _ask(process: subprocess.Popen[str], message: Any) -> dict[str, Any]:
    """Send a message, and read the answer; none from a process that has ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    print(json.dumps(message), file=process.stdin, flush=True)
    reply: dict[str, Any] = json.loads(process.stdout.readline() or "{}")
    return reply


def _options() -> argparse.Namespace:
    parser = option_parser(__doc__)
    parser.add_argument("--peers", default="../peers/bin/python", help="the others' Python")
    parser.add_argument(
        "--lm", nargs=3, action="append", default=[], metavar=("NAME", "OURS", "KENLM")
    )
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
