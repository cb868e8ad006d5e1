"""Transcribe over HTTP: a page for people, OpenAI's API for programs.

The page is at the address that is printed. The API is POST /v1/audio/transcriptions and GET
/v1/models; language, prompt and temperature are ignored. /v1/audio/live is a WebSocket for live
speech, see asr/serve/live.py. /healthz and /metrics (Prometheus) are for monitoring.

Only this machine can connect, and only the server's own page may use it, unless --host and
--origin say otherwise. Before others can connect, set a key, in the variable ASR_API_KEY or a file,
and let a proxy speak TLS, without which browsers record from localhost alone.

No request is kept; only its status, sizes and time are logged. After SIGTERM, requests in progress
get up to 30 seconds to finish, and then 503; live sessions are cut. It needs
`pip install 'asr-ctc[serve]'`.

Examples:
  asr serve
  asr serve --port 80 --host 0.0.0.0 --api-key-file key.txt --origin https://asr.example.org
  curl http://127.0.0.1:8000/v1/audio/transcriptions -F file=@talk.mp3 -F response_format=srt
"""

import argparse
import os
import re
import socket
from pathlib import Path

from asr.cli.messages import tell
from asr.cli.numbers import add_number, at_least
from asr.cli.searching import add_model_option, add_search_arguments, add_threads_argument, load
from asr.errors import ConfigError
from asr.provenance import n_cores
from asr.text.lines import read_text

KEY_VARIABLE = "ASR_API_KEY"
KEY = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # what a WebSocket's subprotocol can carry
ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?/?")
MAX_PORT, DEFAULT_PORTS = 65535, {"http": 80, "https": 443}
WORKERS_PER_THREAD = 4  # one computes, while others decode, search or wait for the engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model_option(parser)
    parser.add_argument("--name", help="what clients call the model (default: its folder's name)")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen at; 0.0.0.0: all (default: %(default)s)",
    )
    parser.add_argument(
        "--port",
        type=at_least(0, MAX_PORT),
        default=8000,
        metavar="N",
        help="port; 0: any that is free (default: %(default)s)",
    )
    parser.add_argument(
        "--api-key-file", type=Path, metavar="FILE", help="its first line is the key"
    )
    parser.add_argument(
        "--origin",
        type=_origin,
        action="append",
        default=[],
        help="origin of other pages allowed to use it, as in https://example.org; repeatable",
    )
    add_number(parser, "--max-upload", "MB of one upload", default=100)
    add_number(parser, "--max-duration", "seconds of one recording", default=7200)
    add_number(parser, "--max-requests", "requests at once; others get 503", default=64)
    add_number(parser, "--max-live", "live sessions at once; others get 503", default=8)
    add_number(parser, "--timeout", "seconds to upload, and to answer", default=600)
    add_search_arguments(parser)
    add_threads_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Load the model, listen, and serve until a signal comes."""
    from asr.serve.app import make_app
    from asr.serve.gate import LOOPBACK, Access
    from asr.serve.limits import MEGABYTE, Limits
    from asr.serve.server import run as serve

    key = _key(options)
    is_local = options.host in LOOPBACK
    if not is_local and key is None:
        tell(f"anyone who reaches {options.host} can use this server: set {KEY_VARIABLE}")
    n_threads = options.threads or n_cores()
    recognizer = load(options)
    app = make_app(
        recognizer,
        options.name or Path(options.model).resolve().name,
        n_workers=WORKERS_PER_THREAD * n_threads,
        access=Access(
            key, LOOPBACK if is_local and key is None else None, frozenset(options.origin)
        ),
        limits=Limits(
            upload_bytes=options.max_upload * MEGABYTE,
            audio_seconds=float(options.max_duration),
            requests=options.max_requests,
            live=options.max_live,
            seconds=float(options.timeout),
        ),
    )
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    with socket.create_server((options.host, options.port), family=family) as listener:
        host = f"[{options.host}]" if ":" in options.host else options.host
        print(f"asr: http://{host}:{listener.getsockname()[1]}/ (Ctrl-C ends it)", flush=True)
        serve(app, listener)
    return 0


def _origin(text: str) -> str:
    """Read an origin as browsers send it: without the default port and in lower case (RFC 6454)."""
    match = ORIGIN.fullmatch(text.lower())
    if match is None or int(match[3] or 0) > MAX_PORT:
        raise argparse.ArgumentTypeError(
            f"expected an origin such as https://example.org, got {text!r}"
        )
    scheme, host, port = match.groups()
    is_default = port is None or int(port) == DEFAULT_PORTS[scheme]
    return f"{scheme}://{host}" if is_default else f"{scheme}://{host}:{int(port)}"


def _key(options: argparse.Namespace) -> str | None:
    """Read the key; a command line would show it to every user of the machine."""
    key = os.environ.get(KEY_VARIABLE, "")
    if options.api_key_file is not None:
        lines = read_text(options.api_key_file).splitlines()
        key = lines[0].strip() if lines else ""
        if not key:
            raise ConfigError(f"{options.api_key_file}: expected the API key in its first line")
    if key and not KEY.fullmatch(key):
        raise ConfigError(
            "the API key: expected letters, digits and !#$%&'*+-.^_`|~ only, since browsers "
            "can send no others with a WebSocket; openssl rand -hex 32 makes one"
        )
    return key or None
