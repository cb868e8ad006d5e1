"""App: the routes of the server, around one model."""

import logging
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import copy
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Lifespan

from asr.provenance import own_version
from asr.recognizer import Recognizer
from asr.serve import live, transcriptions
from asr.serve.batches import SharedEngine
from asr.serve.gate import Access, Gate
from asr.serve.limits import Limits
from asr.serve.metrics import Metrics
from asr.serve.refusal import answer_failure, answer_invalid, answer_refusal
from asr.serve.service import Service
from asr.serve.work import Workers

MAX_FIELDS, MAX_FIELD_BYTES = 32, 1 << 16  # of a form, beside its file; these are held in memory

_PAGE = Path(__file__).parent / "page"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_LOG = logging.getLogger(__name__)


def make_app(
    recognizer: Recognizer,
    name: str,
    *,
    n_workers: int,
    access: Access = Access(),  # noqa: B008 (frozen)
    limits: Limits = Limits(),  # noqa: B008 (frozen)
) -> FastAPI:
    """Make the server's application, for any ASGI server.

    Args:
        recognizer: The model; the application computes with its engine from a single thread.
        name: What clients call the model.
        n_workers: Recordings to decode and search at the same time.
        access: Who may use it.
        limits: Of each request.
    """
    metrics = Metrics()
    engine = SharedEngine(recognizer.engine, metrics.batch_sizes.observe)
    shared = copy(recognizer)
    shared.engine = engine
    workers, live_workers = Workers(n_workers), Workers(limits.live)
    service = Service(name, shared, limits, metrics, workers, live_workers)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with engine:
            yield
            await workers.close()
            await live_workers.close()

    app = _make_routes(service, lifespan)
    app.add_middleware(Gate, access=access, limits=limits, metrics=metrics)
    if access.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=sorted(access.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization"],
        )
    return app


def _make_routes(service: Service, lifespan: Lifespan[FastAPI]) -> FastAPI:
    app = FastAPI(
        title="asr",
        version=own_version(),
        lifespan=lifespan,
        docs_url=None,  # these pages fetch scripts from elsewhere; /openapi.json remains
        redoc_url=None,
        form_limits={
            "max_files": 1,
            "max_fields": MAX_FIELDS,
            "max_part_size": MAX_FIELD_BYTES,
        },
    )
    app.state.service = service
    app.include_router(transcriptions.router)
    app.include_router(live.router)
    _add_small_routes(app, service)
    app.add_exception_handler(HTTPException, answer_refusal)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(Exception, _note_failure)
    return app


def _add_small_routes(app: FastAPI, service: Service) -> None:
    @app.get("/v1/models")
    async def models() -> dict[str, object]:
        """List the one model, as OpenAI does."""
        return {"object": "list", "data": [_model(service.name)]}

    @app.get("/v1/models/{name}")
    async def model(name: str) -> dict[str, object]:
        """Describe the model, as OpenAI does."""
        service.check_model(name)
        return _model(name)

    @app.get("/healthz", include_in_schema=False)
    async def health() -> PlainTextResponse:
        """Say that the server is up."""
        return PlainTextResponse("ok\n")

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> PlainTextResponse:
        """Write the metrics for Prometheus."""
        return PlainTextResponse(service.metrics.text(), media_type="text/plain; version=0.0.4")

    for path in sorted(_PAGE.iterdir()):
        if path.suffix in _TYPES:
            _add_file(app, path)


def _add_file(app: FastAPI, path: Path) -> None:
    """Serve a file of the page."""
    content, kind = path.read_bytes(), _TYPES[path.suffix]

    async def file() -> Response:
        return Response(content, media_type=kind, headers={"Cache-Control": "no-cache"})

    route = "/" if path.name == "index.html" else f"/{path.name}"
    app.add_api_route(route, file, include_in_schema=False)


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "asr"}


async def _note_failure(request: Request, error: Exception) -> JSONResponse:
    """Log where something failed, but not its message, which may quote the request."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    _LOG.error("failed: %s in %s, line %s", type(error).__name__, last.filename, last.lineno)
    return await answer_failure(request, error)
