"""Server: the application on a socket, until a signal ends it."""

import logging
import socket

import uvicorn
from fastapi import FastAPI

MAX_CONNECTIONS = 1000  # and then 503, at once
MAX_MESSAGE_BYTES = 1 << 20  # of a WebSocket
FAREWELL_SECONDS = 30  # that requests have left after SIGTERM


def run(app: FastAPI, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM, then answer what has begun, and let the signal do its work.

    Live sessions are cut.

    Args:
        app: The application.
        listener: A listening socket.
    """
    logging.getLogger("asr.audio").setLevel(logging.ERROR)  # nothing of an upload is logged
    make_server(app).run(sockets=[listener])


def make_server(app: FastAPI) -> uvicorn.Server:
    """Make a server that logs nothing itself, and ends even if a request does not."""
    for name in ("uvicorn", "python_multipart"):  # they quote what they cannot make sense of
        logging.getLogger(name).setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=FAREWELL_SECONDS,
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_BYTES,
    )
    return uvicorn.Server(config)
