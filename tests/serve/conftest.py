"""What the tests of the server share: a running one, and ways to talk to it."""

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import soundfile

from asr.recognizer import Recognizer, load_model

SPEECH = Path(__file__).resolve().parents[2] / "recipes" / "demo" / "speech.wav"
SECONDS = soundfile.info(SPEECH).duration
BOUNDARY = "boundary-of-the-form"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
TRANSCRIPTIONS = "/v1/audio/transcriptions"

# without the extra `serve`, these tests are left out
collect_ignore_glob = [] if find_spec("fastapi") else ["test_*.py"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def error(self) -> dict[str, Any]:
        error: dict[str, Any] = json.loads(self.content)["error"]
        assert set(error) == {"message", "type", "param", "code"}
        return error


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs."""

    port: int
    service: Any

    def request(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Reply:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as client:
            client.request(method, path, body, headers or {})  # type: ignore[arg-type]
            answer = client.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, names, answer.read())

    def get(self, path: str, **headers: str) -> Reply:
        return self.request("GET", path, headers=headers)

    def transcribe(self, content: bytes, **fields: str) -> Reply:
        return self.request("POST", TRANSCRIPTIONS, form(content, **fields), {"Content-Type": FORM})

    def metric(self, name: str) -> float:
        lines = self.get("/metrics").content.decode().splitlines()
        return float(next(line.split()[1] for line in lines if line.split()[0] == name))

    def counted(self, status: int) -> float:
        """The uploads that were answered so; one is counted only after its answer."""
        name = f'asr_requests_total{{path="{TRANSCRIPTIONS}",status="{status}"}}'
        return self.metric(name) if name in self.get("/metrics").content.decode() else 0.0


def form(content: bytes, **fields: str) -> bytes:
    """Write a form with a file."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="secret.wav"'
    return b"".join(
        [*parts, f"{head}\r\n\r\n".encode(), content, f"\r\n--{BOUNDARY}--\r\n".encode()]
    )


def until(is_true: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Wait until something is true; tell whether it came to be."""
    end = time.monotonic() + seconds
    while not is_true() and time.monotonic() < end:
        time.sleep(0.01)
    return is_true()


Start = Callable[..., Running]


@pytest.fixture(scope="session")
def recognizer() -> Recognizer:
    return load_model(n_threads=1)


@pytest.fixture(scope="session")
def start(recognizer: Recognizer) -> Iterator[Start]:
    """Start servers of the shipped model; see `make_app` for their options."""
    from asr.serve.app import make_app
    from asr.serve.server import make_server

    running = []

    def begin(**options: Any) -> Running:  # noqa: ANN401 (any option)
        app = make_app(options.pop("recognizer", recognizer), "tiny", n_workers=4, **options)
        server, listener = make_server(app), socket.create_server(("127.0.0.1", 0))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        running.append((server, thread, listener))
        assert until(lambda: server.started)
        return Running(listener.getsockname()[1], app.state.service)

    yield begin
    for server, thread, listener in running:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture(scope="session")
def server(start: Start) -> Running:
    """A server with its defaults."""
    return start()
