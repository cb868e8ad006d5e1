"""Refusals: what a client is told when it does not get what it asked for, in OpenAI's form."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

FILE = "expected a recording in a complete form, as curl -F file=@talk.mp3 sends it"
RETRY_AFTER = 5  # seconds, for what another moment may change


class Refusal(HTTPException):
    """An error response.

    Args:
        status: 400 to 599. A 503 names the seconds after which to try again.
        message: What was expected, what came, what to do.
        code: For programs; None: the status says it all.
        param: The parameter that is wrong.
    """

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None
    ) -> None:
        headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": str(RETRY_AFTER)}}
        super().__init__(status, message, headers.get(status))
        self.code, self.param = code, param

    @property
    def body(self) -> dict[str, Any]:
        """The error as OpenAI writes it."""
        return error_body(self.status_code, self.detail, code=self.code, param=self.param)

    @property
    def response(self) -> JSONResponse:
        """The whole answer."""
        return JSONResponse(self.body, self.status_code, self.headers)


def error_body(
    status: int, message: str, *, code: str | None = None, param: str | None = None
) -> dict[str, Any]:
    """Write an error as OpenAI does."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


async def answer_refusal(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001 (FastAPI's)
    """Answer what this server or its framework refuses."""
    assert isinstance(error, HTTPException)
    if isinstance(error, Refusal):
        return error.response
    status = error.status_code
    return _answer(status, error.detail or HTTPStatus(status).phrase, error.headers)


async def answer_invalid(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001 (FastAPI's)
    """Answer parameters that are missing or not among those expected; never quote their values."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    param = str(first["loc"][1]) if len(first["loc"]) > 1 else None
    told = FILE if param == "file" else first["msg"]
    return Refusal(400, f"{param or 'the request'}: {told}", param=param).response


async def answer_failure(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001 (FastAPI's)
    """Answer what is our fault."""
    return _answer(500, "this server has failed; its log says where")


def _answer(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(error_body(status, message), status, headers)
