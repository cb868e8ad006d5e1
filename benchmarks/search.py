r"""How fast and how well the beam search reads, beside others on the same emissions.

    python -m benchmarks.search --peers ../peers/bin/python \
        --lm 3-gram books-3gram.lm books-3gram.arpa --lm 4-gram books-4gram.lm books-4gram.arpa

Each `--lm` names an n-gram model for us (see `asr lm`) and the same one for KenLM, as ARPA or in
its binary form; `search_peers.py` says how the others' environment is made. Each decoder is a
process with one thread; they take turns, utterance for utterance the same, and the seconds are
those of the thread that decodes. Weights are chosen for each decoder from the same grid, on other
utterances than those that are timed and scored.

The table is written anew after each task, as all of them take half an hour.

The emissions at V = 29 are the shipped model's characters on the dev speakers, and a published
one's of one utterance (`emissions/` of the data), whose best path is taken for what was said, and
on which no weights are chosen. Those at V = 500 are simulated, as there is no model of pieces: BPE
learned from the references, each piece in one frame at even distances, blank between, and so much
noise that greedy search reads most words wrong. They show what a large vocabulary costs, not how
well a model reads. They are fewer, since some decoders take seconds for one.
"""

import argparse
import json
import os
import statistics
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.corpus.librispeech import read_librispeech
from asr.corpus.utterance import Utterance
from asr.errors import AudioError
from asr.recognizer import load_model
from asr.search.beam import BeamConfig
from asr.search.beam_search import BeamSearch
from asr.search.fusion import fuse
from asr.search.greedy import greedy_search
from asr.search.language import plain_language
from asr.text.bpe import train_bpe
from asr.text.tokenizer import Tokenizer
from asr.text.tokens import WORD_BOUNDARY, TokenTable
from asr.wer.score import score
from benchmarks import search_peers
from benchmarks.options import DATA, option_parser
from benchmarks.paired import write_results

BEAM_SIZE, BEAM_THRESHOLD = 100, 14.0
GRID = {"lm_weight": (0.6, 0.8, 1.0, 1.3), "word_score": (-1.0, 0.0, 1.0, 2.0)}
EVERY = 10  # one utterance in so many is timed, and the fifth behind it is tuned on, of EVERY_TUNED
EVERY_TUNED = 20
N_ROUNDS = 3
N_SIMULATED = 8  # timed, and as many tuned on
DEFAULT = {"lm_weight": 0.8, "word_score": 0.0}
OURS = "asr"

Texts = Mapping[str, str]


def main() -> None:
    """Measure every row."""
    options = _options()
    if options.serve:
        sys.stdout = sys.stderr
        search_peers.serve(_ours)
        return
    utterances = read_librispeech(DATA / "LibriSpeech" / "dev-clean").utterances
    timed, tuned = utterances[::EVERY], utterances[EVERY // 2 :: EVERY_TUNED]
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as folder:
        for emissions in (_of_model(timed, tuned), _published(), _simulated(timed, tuned)):
            rows.append(_greedy(emissions))
            for lm, ours, theirs in [("", "", ""), *options.lm]:
                bench = _Bench(Path(folder), emissions, options.peers)
                rows += bench.rows(lm, ours, theirs)
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


@dataclass(frozen=True)
class _Emissions:
    """What the decoders hear.

    Attributes:
        name: What it is.
        tokenizer: Reads the tokens.
        log_probs: (T, V) by utterance id.
        timed: What was said, of those that are timed and scored.
        tuned: The same of those that weights are chosen on; none: the default is taken.
        frame: Seconds.
    """

    name: str
    tokenizer: Tokenizer
    log_probs: Mapping[str, NDArray[np.float32]]
    timed: Sequence[Utterance]
    tuned: Sequence[Utterance]
    frame: float

    @property
    def speech(self) -> float:
        """Seconds of what is timed."""
        return self.frame * sum(len(self.log_probs[utterance.id]) for utterance in self.timed)


class _Bench:
    """All decoders on the same task."""

    def __init__(
        self,
        folder: Path,
        emissions: _Emissions,
        python: str,
    ) -> None:
        self.folder, self.emissions, self.python = folder, emissions, python

    def rows(self, lm: str, ours: str, theirs: str) -> list[list[str]]:
        """Time and score every decoder that can do it."""
        timed, what = self.emissions.timed, f"{self.emissions.name}, beam {BEAM_SIZE}"
        names = [OURS, *search_peers.PEERS]
        if lm:
            names.remove("fast-ctc-decode")  # it has no language model
        seconds: dict[str, list[float]] = {name: [] for name in names}
        last: dict[str, dict[str, Any]] = {}
        with _processes(names, self.python) as ask:
            starts = {n: ask(n, str(self._task(ours if n == OURS else theirs, n))) for n in names}
            names = [name for name in names if "start_seconds" in starts[name]]  # else it died
            weights = {n: self._weights(partial(ask, n)) if lm else {} for n in names}
            order = [utterance.id for utterance in timed]
            for _, name in product(range(N_ROUNDS), names):
                print(what, lm, name, file=sys.stderr)
                last[name] = ask(name, {"names": order, "weights": weights[name]})
                seconds[name].append(last[name]["seconds"])
        speech = self.emissions.speech
        medians = {name: statistics.median(times) for name, times in seconds.items()}
        fastest = min(medians[name] for name in names if name != OURS)
        return [
            [
                what,
                lm and f"200k, {lm}",
                name,
                f"{1000 * medians[name] / speech:.2f}",
                f"{fastest / medians[name]:.2f}×",
                f"{100 * _wer(timed, last[name]['texts']):.1f}",
                ", ".join(f"{value:g}" for value in weights[name].values())
                + "*" * (bool(lm) and not self.emissions.tuned),
                f"{last[name]['megabytes']:.0f}",
                f"{starts[name]['start_seconds']:.1f}",
            ]
            for name in names
        ]

    def _weights(self, ask: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, float]:
        """Find the weights with the least WER on the utterances for that."""
        tuned = self.emissions.tuned
        if not tuned:
            return DEFAULT
        names = [utterance.id for utterance in tuned]
        points = [dict(zip(GRID, values, strict=True)) for values in product(*GRID.values())]
        return min(
            points,
            key=lambda point: _wer(tuned, ask({"names": names, "weights": point})["texts"]),
        )

    def _task(self, lm: str, name: str) -> Path:
        """Write down what is to be done, for one decoder."""
        emissions = self.folder / "emissions.npz"
        np.savez(emissions, **self.emissions.log_probs)  # type: ignore[arg-type]
        tokenizer = self.emissions.tokenizer
        words = _words(tokenizer) if lm else []
        task = {
            "tokens": tokenizer.tokens,
            "words": words,
            "spellings": [tokenizer.encode(word) for word in words],
            "lm": lm or None,
            "emissions": str(emissions),
            "beam_size": BEAM_SIZE,
            "beam_threshold": BEAM_THRESHOLD,
        }
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(task), encoding="utf-8")
        return path


def _ours(task: search_peers.Task, weights: search_peers.Task) -> search_peers.Decode:
    """This package's search, behind the same face as the others."""
    beam = BeamConfig(task["beam_size"], task["beam_threshold"], 1, **weights)
    tokens = task["tokens"]
    language = plain_language(len(tokens))
    if task["lm"]:
        if "fusion" not in _MADE:
            lexicon = Path(task["emissions"]).with_name("words.txt")
            lexicon.write_text("\n".join(task["words"]), encoding="utf-8")
            _MADE["fusion"] = fuse(tokens, "verbatim-1", lm=Path(task["lm"]), lexicon=lexicon)
        language = _MADE["fusion"].language
    search = BeamSearch(beam, language)

    def decode(emission: search_peers.Emission) -> str:
        ((best,),) = search(emission[None], np.array([len(emission)]))
        return search_peers.text_of([tokens[i] for i in best.tokens])

    return decode


_MADE: dict[str, Any] = {}  # what weights do not change


@contextmanager
def _processes(names: Sequence[str], python: str) -> Iterator[Callable[[str, Any], dict[str, Any]]]:
    """Start a process a decoder; gives a function that asks one and waits for its answer."""
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

    def ask(name: str, message: Any) -> dict[str, Any]:
        process = processes[name]
        assert process.stdin is not None
        assert process.stdout is not None
        print(json.dumps(message), file=process.stdin, flush=True)
        reply: dict[str, Any] = json.loads(process.stdout.readline() or f'{{"died": "{name}"}}')
        return reply

    try:
        yield ask
    finally:
        for process in processes.values():
            process.kill()
            process.communicate()


def _of_model(timed: Sequence[Utterance], tuned: Sequence[Utterance]) -> _Emissions:
    """Compute the shipped model's characters for the dev speakers."""
    model = load_model(search="greedy")
    log_probs = {
        utterance.id: emission
        for utterance, emission in model.emit_all([*timed, *tuned])
        if not isinstance(emission, AudioError)
    }
    name = f"V = 29, {len(timed)} utterances"
    tokenizer = model.model.tokenizers["text"]
    return _Emissions(name, tokenizer, log_probs, timed, tuned, model.model.config.frame_shift)


def _published() -> _Emissions:
    """Read the published emission; its frames are half as long as ours, its blank is the last."""
    numbers = json.loads((DATA / "emissions" / "librispeech_char_emission.json").read_text())
    log_probs = _log_softmax(np.roll(np.array(numbers, np.float32), 1, axis=1))
    tokenizer = TokenTable(("<blank>", WORD_BOUNDARY, *string.ascii_uppercase, "'"))
    (best,) = greedy_search(log_probs[None], np.array([len(log_probs)]))
    said = Utterance("published", Path("published"), text=tokenizer.decode(best.tokens))
    emissions = {said.id: log_probs}
    return _Emissions("V = 29, published", tokenizer, emissions, [said], [], 0.02)


def _simulated(timed: Sequence[Utterance], tuned: Sequence[Utterance]) -> _Emissions:
    """Simulate a model of 500 pieces; see the top of the file."""
    pieces = train_bpe([utterance.text or "" for utterance in (*timed, *tuned)], 500)
    timed, tuned = (some[:: len(some) // N_SIMULATED][:N_SIMULATED] for some in (timed, tuned))
    log_probs = {
        u.id: _simulate(
            pieces.encode(u.text or ""), round((u.duration or 0.0) / 0.04), len(pieces), seed
        )
        for seed, u in enumerate([*timed, *tuned])
    }
    name = f"V = 500, {len(timed)} simulated"
    return _Emissions(name, pieces, log_probs, timed, tuned, 0.04)


def _simulate(
    tokens: Sequence[int], n_frames: int, n_tokens: int, seed: int
) -> NDArray[np.float32]:
    """Emit tokens at even distances, with noise; see the top of the file."""
    random = np.random.default_rng(seed)
    said = np.zeros(n_frames, np.intp)
    said[((np.arange(len(tokens)) + 0.5) * n_frames / max(len(tokens), 1)).astype(int)] = tokens
    logits = random.normal(0.0, 2.2, (n_frames, n_tokens))
    logits[:, 0] += 3.0  # the blank is what most wrong frames say
    logits[np.arange(n_frames), said] += random.normal(9.0, 2.5, n_frames)
    return _log_softmax(logits).astype(np.float32)


def _log_softmax(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def _greedy(emissions: _Emissions) -> list[str]:
    began, texts = time.thread_time(), {}
    for utterance in emissions.timed:
        emission = emissions.log_probs[utterance.id]
        (best,) = greedy_search(emission[None], np.array([len(emission)]))
        texts[utterance.id] = emissions.tokenizer.decode(best.tokens)
    seconds = time.thread_time() - began
    cost, wer = 1000 * seconds / emissions.speech, 100 * _wer(emissions.timed, texts)
    return [f"{emissions.name}, greedy", "", OURS, f"{cost:.2f}", "", f"{wer:.1f}", "", "", ""]


def _words(tokenizer: Tokenizer) -> list[str]:
    """The 200,000 words of LibriSpeech's language models, as far as tokens spell them."""
    characters = set("".join(tokenizer.tokens[1:]))
    lines = (DATA / "lm" / "librispeech-vocab.txt").read_text(encoding="utf-8").split()
    return [word for word in lines if set(word) <= characters]


def _wer(references: Sequence[Utterance], texts: Texts) -> float:
    return score(references, texts, "librispeech-1").total.wer


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
