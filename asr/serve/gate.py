"""Gate: what every request passes before anything of it is read, and its line in the log after."""

import asyncio
import hmac
import logging
import sys
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from asr.serve.limits import Limits
from asr.serve.metrics import Metrics
from asr.serve.refusal import Refusal

TRANSCRIPTIONS = "/v1/audio/transcriptions"
LIVE = "/v1/audio/live"
OPEN = frozenset({"/", "/page.css", "/page.js", "/recorder.js", "/healthz"})  # without a key
UNANSWERED = 499  # the client went away
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
KEY_PROTOCOL = "openai-insecure-api-key."  # browsers cannot send a header with a WebSocket
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "media-src blob:; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come in.

    Attributes:
        key: What `Authorization: Bearer` must carry; None: nothing.
        hosts: Names under which the server may be called, with those of `origins`; None: any.
            Without a key, a page that makes its own name point here could use the server in its
            visitor's browser.
        origins: Of pages elsewhere, or of this server behind a proxy, that may use the server.
    """

    key: str | None = None
    hosts: frozenset[str] | None = LOOPBACK
    origins: frozenset[str] = frozenset()

    def check(self, scope: Scope) -> None:
        """Refuse a request by its headers alone."""
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        known = self.origins | {f"http://{host}", f"https://{host}"}
        hosts = None if self.hosts is None else {*self.hosts, *map(_host, self.origins)} - {None}
        if hosts is not None and _host(f"http://{host}") not in hosts:
            raise Refusal(
                403,
                "this server does not have that name; asr serve --origin https://NAME adds one",
                code="unknown_host",
            )
        if origin is not None and origin not in known:
            raise Refusal(
                403,
                f"pages of {origin} may not use this server; asr serve --origin can allow them",
                code="unknown_origin",
            )
        if self.key is not None and scope["path"] not in OPEN and not self._has_key(headers):
            raise Refusal(
                401,
                "expected the server's API key as Authorization: Bearer KEY",
                code="invalid_api_key",
            )

    def _has_key(self, headers: Headers) -> bool:
        protocols = headers.get("sec-websocket-protocol", "").split(",")
        given = [
            _bearer(headers.get("authorization", "")),
            *(p.strip().removeprefix(KEY_PROTOCOL) for p in protocols if KEY_PROTOCOL in p),
        ]
        wanted = (self.key or "").encode()
        return any(hmac.compare_digest(key.encode(), wanted) for key in given)


def _bearer(authorization: str) -> str:
    """Read the key of a header; the word before it is of any case (RFC 9110, 11.1)."""
    scheme, _, key = authorization.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


class Gate:
    """Lets requests in that are allowed and for which there is room; counts and logs them.

    Nothing of a request is logged but its status, its sizes and its time.
    """

    def __init__(self, app: ASGIApp, access: Access, limits: Limits, metrics: Metrics) -> None:
        self._app, self._access = app, access
        self._limits, self._metrics = limits, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        passage = _Passage(scope, receive, send, self._limits)
        try:
            self._admit(scope)
            if scope["path"] == TRANSCRIPTIONS:
                await self._count_in_flight(scope, passage)
            else:
                await self._app(scope, passage.receive, passage.send)
        except Refusal as refusal:
            await refusal.response(scope, receive, passage.send)
        except asyncio.CancelledError:
            if passage.status == UNANSWERED:
                farewell = Refusal(503, "the server is going down; try again", code="overloaded")
                await farewell.response(scope, receive, passage.send)
            raise
        finally:
            ended = sys.exc_info()[1]
            if isinstance(ended, Exception):
                passage.status = 500  # which is sent further out
            elif ended is not None:
                passage.status = 503  # cancelled: the server ends
            self._note(scope, passage)

    def _admit(self, scope: Scope) -> None:
        self._access.check(scope)
        headers = Headers(scope=scope)
        if scope["path"] == TRANSCRIPTIONS and scope.get("method") == "POST":
            if not headers.get("content-type", "").lower().startswith("multipart/form-data"):
                raise Refusal(415, "expected a form, multipart/form-data, with a recording as file")
            announced = headers.get("content-length", "")
            if announced.isdecimal() and int(announced) > self._limits.upload_bytes:
                raise _too_large(self._limits)  # who waits for a 100 need not send it in vain
            if self._metrics.in_flight >= self._limits.requests:
                raise Refusal(503, "too many requests at once; try again", code="overloaded")

    async def _count_in_flight(self, scope: Scope, passage: "_Passage") -> None:
        self._metrics.in_flight += 1
        try:
            await self._app(scope, passage.receive, passage.send)
        finally:
            self._metrics.in_flight -= 1

    def _note(self, scope: Scope, passage: "_Passage") -> None:
        path = scope["path"]
        if path not in {TRANSCRIPTIONS, LIVE}:
            return
        seconds = time.monotonic() - passage.begun
        state = scope.get("state", {})
        status = state.get("status", passage.status)
        self._metrics.requests[path, status] += 1
        if path == TRANSCRIPTIONS:
            self._metrics.latencies.observe(seconds)
        _LOG.info(
            "%d: %d bytes, %.1f s of audio, in %.2f s",
            status,
            passage.n_bytes,
            state.get("audio_seconds", 0.0),
            seconds,
        )


class _Passage:
    """One request's messages, bounded on their way in, completed on their way out."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limits: Limits) -> None:
        self._receive, self._send, self._limits = receive, send, limits
        self.begun = time.monotonic()
        self.n_bytes = 0
        self.status = UNANSWERED
        headers = Headers(scope=scope)
        has_body = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
        self._is_uploaded = scope["type"] == "websocket" or not has_body

    async def receive(self) -> Message:
        if self._is_uploaded:
            message = await self._receive()
            content = message.get("bytes") or (message.get("text") or "").encode()
            self.n_bytes += len(content)  # of a WebSocket
            return message
        left = self.begun + self._limits.seconds - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, left))
        except TimeoutError:
            raise Refusal(408, "the upload took too long", code="timeout") from None
        self.n_bytes += len(message.get("body", b""))
        if self.n_bytes > self._limits.upload_bytes:
            raise _too_large(self._limits)
        self._is_uploaded = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.http.response.start"}:
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers.update(SECURITY)
            if not self._is_uploaded:
                headers["Connection"] = "close"  # else the rest would be read, be it endless
        elif message["type"] == "websocket.accept":
            self.status = 101
        await self._send(message)


def _too_large(limits: Limits) -> Refusal:
    told = f"expected at most {limits.upload_bytes} bytes; compress the recording"
    return Refusal(413, told, code="file_too_large")


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:
        return None
