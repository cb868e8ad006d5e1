r"""The server under load: how long requests take when several come at a time.

    python -m benchmarks.server --audio ../LibriSpeech/dev-clean --concurrency 1 2 4 8 16

`asr serve` runs in a process of its own. For each concurrency so many clients, each with a
connection of its own, send recordings of the corpus one after the other, all speakers; the next
goes out when the answer is there. Requests that are refused count as such, with no time. Five
requests before the first do not count.

With the defaults two idle cores take about two minutes; for a try, --n 8 --concurrency 1 2.
"""

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from asr.cli.numbers import at_least
from asr.corpus.utterance import Utterance
from benchmarks import memory
from benchmarks.memory import Memory, Watch
from benchmarks.options import add_folder_options, add_model_options, option_parser
from benchmarks.paired import write_figures, write_results
from benchmarks.speech import read_corpus, seconds_of, spread_out

N_FIRST = 5  # requests that do not count
TIMEOUT = 600.0  # seconds that a client waits
BOUNDARY = "boundary-of-the-form"

TITLE = "The server under load: time of requests"
COLUMNS = (
    *("requests at a time", "median, s", "95 % within, s", "longest, s", "refused"),
    *("requests a second", "× real time", "utterances a batch", *memory.COLUMNS),
)
NOTES = """`asr serve --threads {n_threads}`, {model}, its default search, on the machine that its \
clients run on. {n} requests for each row: recordings of {corpus}, {seconds:.1f} seconds on \
average, from the first byte sent to the last received. Memory: of the server, resident, mapped \
files included, the median of each quarter of the row's time; then the most so far. How it is \
made: `benchmarks/server.py`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one request.

    Attributes:
        status: Of HTTP.
        seconds: From the first byte sent to the last received.
    """

    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Load:
    """What became of many requests.

    Attributes:
        concurrency: Requests at a time.
        audio: Seconds of all recordings that were transcribed.
        answers: One each.
        seconds: Of all together.
        batch_size: Utterances that the network computed at once, on average.
        memory: Of the server.
    """

    concurrency: int
    audio: float
    answers: Sequence[Answer]
    seconds: float
    batch_size: float
    memory: Memory

    @property
    def times(self) -> list[float]:
        """Seconds of the requests that were answered."""
        return [answer.seconds for answer in self.answers if answer.status == 200]


class Client:
    """One connection to a server."""

    def __init__(self, address: str) -> None:
        self._http = http.client.HTTPConnection(address, timeout=TIMEOUT)

    def transcribe(self, path: Path) -> Answer:
        """Send a recording, and wait for its transcript."""
        name = f'name="file"; filename="{path.name}"'
        head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {name}\r\n\r\n"
        body = head.encode() + path.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        began = time.perf_counter()
        self._http.request("POST", "/v1/audio/transcriptions", body, kind)
        status, content = self._answer()
        seconds = time.perf_counter() - began
        if status == 200:
            json.loads(content)
        return Answer(status, seconds)

    def metrics(self) -> dict[str, float]:
        """Read the server's counters, by a new connection: it closes those that are idle."""
        self._http.close()
        self._http.request("GET", "/metrics")
        lines = self._answer()[1].decode().splitlines()
        pairs = [line.rsplit(" ", maxsplit=1) for line in lines if not line.startswith("#")]
        return {name: float(value) for name, value in pairs}

    def close(self) -> None:
        """End the connection."""
        self._http.close()

    def _answer(self) -> tuple[int, bytes]:
        with self._http.getresponse() as response:
            return response.status, response.read()


def main() -> None:
    """Start a server, send it requests, and write the table."""
    options = _options()
    chosen = spread_out(read_corpus(options.audio), options.n)
    with _served(options.model, options.threads) as (process_id, address):
        _send(address, chosen[:N_FIRST], 1)
        loads = [_load(address, process_id, chosen, n) for n in options.concurrency]
    facts = {
        "n": len(chosen),
        "n_threads": options.threads,
        "model": options.model,
        "corpus": options.audio.resolve().name,
        "seconds": seconds_of(chosen) / len(chosen),
    }
    rows = [_row(load) for load in loads]
    write_results("server", TITLE, COLUMNS, rows, NOTES.format(**facts), folder=options.results)
    figures = {**facts, "loads": [_figures(load) for load in loads]}
    write_figures("server", figures, options.results)


@contextmanager
def _served(model: str, n_threads: int) -> Iterator[tuple[int, str]]:
    """Run a server; yield its process and its address, and end it."""
    command = [sys.executable, "-m", "asr", "serve", "--port", "0", "--model", model]
    command += ["--threads", str(n_threads)]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                log.seek(0)
                raise SystemExit(f"server: it did not start: {log.read().decode()}")
            yield process.pid, urlsplit(line.split()[1]).netloc
        finally:
            process.terminate()


def _load(address: str, process_id: int, chosen: Sequence[Utterance], concurrency: int) -> Load:
    """Send all requests, so many at a time."""
    print(f"{len(chosen)} requests, {concurrency} at a time", file=sys.stderr)
    with closing(Client(address)) as client, Watch(process_id) as watch:
        before, began = client.metrics(), time.perf_counter()
        answers = _send(address, chosen, concurrency)
        seconds, after = time.perf_counter() - began, client.metrics()
    grown = {name: after[name] - before.get(name, 0.0) for name in after}
    return Load(
        concurrency,
        grown["asr_audio_seconds_total"],
        answers,
        seconds,
        grown["asr_batch_size_sum"] / max(1.0, grown["asr_batch_size_count"]),
        watch.memory,
    )


def _send(address: str, chosen: Sequence[Utterance], concurrency: int) -> list[Answer]:
    """Let so many clients, each with a connection of its own, share the requests."""

    def share(number: int) -> list[Answer]:
        with closing(Client(address)) as client:
            mine = chosen[number::concurrency]
            return [client.transcribe(Path(utterance.audio_filepath)) for utterance in mine]

    with ThreadPoolExecutor(concurrency) as pool:
        return [answer for answers in pool.map(share, range(concurrency)) for answer in answers]


def _row(load: Load) -> list[str]:
    times, within = load.times, list[float]()
    if times:
        most = float(np.quantile(times, 0.95, method="inverted_cdf"))
        within = [statistics.median(times), most, max(times)]
    refused = Counter(answer.status for answer in load.answers if answer.status != 200)
    return [
        str(load.concurrency),
        *([f"{seconds:.2f}" for seconds in within] or [""] * 3),
        ", ".join(f"{n} × {status}" for status, n in sorted(refused.items())) or "0",
        f"{len(times) / load.seconds:.1f}",
        f"{load.audio / load.seconds:.0f}",
        f"{load.batch_size:.1f}",
        *load.memory.cells,
    ]


def _figures(load: Load) -> dict[str, object]:
    """Gather the figures of a load, for programs."""
    return {
        "concurrency": load.concurrency,
        "audio_seconds": load.audio,
        "seconds": load.seconds,
        "request_seconds": [answer.seconds for answer in load.answers],
        "statuses": [answer.status for answer in load.answers],
        "batch_size": load.batch_size,
        **load.memory.figures,
    }


def _options() -> argparse.Namespace:
    parser = option_parser(__doc__)
    add_folder_options(parser)
    add_model_options(parser)
    parser.add_argument(
        "--concurrency",
        type=at_least(1),
        nargs="+",
        default=[1, 2, 4, 8, 16],
        metavar="N",
        help="requests at a time (default: 1 2 4 8 16)",
    )
    parser.add_argument(
        "--n", type=at_least(1), default=400, help="requests for each of these (default: 400)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
