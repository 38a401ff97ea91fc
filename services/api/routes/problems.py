"""Every error as `application/problem+json`: a stable code, one table from code to status, and what to do."""

from __future__ import annotations

import math
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from services.api.core.faults import Fault, Faulty
from shared.errors import Rejected, RondaError, Temporary

MEDIA_TYPE = "application/problem+json"

STATUS_OF_CODE: dict[str, int] = {
    "validation_failed": 422,
    "rename_not_supported": 422,
    "invalid": 422,
    "not_authenticated": 401,
    "not_allowed": 403,
    "csrf_failed": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "name_taken": 409,
    "still_in_use": 409,
    "shipped": 409,
    "idempotency_key_reused": 409,
    "changed_meanwhile": 412,
    "busy": 429,
    "too_many_attempts": 429,
    "rejected": 502,
    "refused": 502,
    "unreachable": 503,
    "temporary": 503,
    "deadline_exceeded": 504,
    "misconfigured": 500,
    "error": 500,
    "internal": 500,
}
TITLES: dict[int, str] = {
    401: "Not logged in",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "In conflict with what is there",
    412: "Changed by somebody else meanwhile",
    422: "The request has faults",
    429: "Too many requests",
    500: "Our fault",
    502: "The other side refused",
    503: "Not reachable now",
    504: "No answer in time",
}
_CODE_OF_STATUS = {401: "not_authenticated", 403: "not_allowed", 404: "not_found", 405: "method_not_allowed"}


class FaultView(BaseModel):
    """One thing that is wrong with the request."""

    field: str = Field(description="Where: a path such as `profile` or `hosts.0.name`.")
    code: str
    message: str


class Problem(BaseModel):
    """RFC 9457 problem details; `code` is stable and made for programs, `detail` says what to do."""

    type: str = Field(examples=["urn:ronda:problem:name_taken"])
    title: str
    status: int
    code: str
    detail: str
    faults: list[FaultView] = []
    words: str | None = Field(default=None, description="The other side's own words, where it refused.")
    retry_after: float | None = Field(default=None, description="Seconds after which trying again makes sense.")


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """A problem on the wire."""
    body = problem.model_dump(mode="json", exclude_none=True)
    return JSONResponse(body, status_code=problem.status, headers=headers, media_type=MEDIA_TYPE)


def problem_of(error: RondaError) -> Problem:
    """An expected refusal as a problem."""
    status = STATUS_OF_CODE.get(error.code, 500)
    return Problem(
        type=f"urn:ronda:problem:{error.code}",
        title=TITLES.get(status, "Failed"),
        status=status,
        code=error.code,
        detail=str(error),
        faults=[FaultView(field=f.field, code=f.code, message=f.message) for f in getattr(error, "faults", ())],
        words=error.words if isinstance(error, Rejected) else None,
        retry_after=error.retry_after if isinstance(error, Temporary) else None,
    )


def faults_of_pydantic(errors: list[Any]) -> list[Fault]:
    """Pydantic's findings as ours. What was sent is not repeated: it may be a password."""
    return [
        Fault(
            field=".".join(str(part) for part in error["loc"][1:]) or str(error["loc"][0]),
            code=str(error["type"]),
            message=str(error["msg"]).removeprefix("Value error, "),
        )
        for error in errors
    ]


async def _on_ronda_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RondaError)  # noqa: S101 - registered for this type alone
    problem = problem_of(error)
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(problem.retry_after))
    return problem_response(problem, headers)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type alone
    return await _on_ronda_error(request, Faulty(faults_of_pydantic(list(error.errors()))))


async def _on_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type alone
    code = _CODE_OF_STATUS.get(error.status_code, "error")
    problem = Problem(
        type=f"urn:ronda:problem:{code}",
        title=TITLES.get(error.status_code, "Failed"),
        status=error.status_code,
        code=code,
        detail=str(error.detail),
    )
    return problem_response(problem, dict(error.headers or {}))


async def _on_bug(_: Request, __: Exception) -> Response:
    detail = "Something went wrong on our side; it has been logged."
    return problem_response(
        Problem(type="urn:ronda:problem:internal", title=TITLES[500], status=500, code="internal", detail=detail)
    )


def install_problems(app: FastAPI) -> None:
    """Answer every error of this application with a problem."""
    app.add_exception_handler(RondaError, _on_ronda_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_bug)


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Problem, "description": "Refused; `code` says why."},
    "5XX": {"model": Problem, "description": "Failed; `retry_after` may say when to try again."},
}


def describe_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Correct FastAPI's description: problems are `application/problem+json`, and 422 is one of them."""
    for operations in document["paths"].values():
        for operation in operations.values():
            responses = operation["responses"]
            responses.pop("422", None)
            for status in ("4XX", "5XX"):
                content = responses[status]["content"]
                content[MEDIA_TYPE] = content.pop("application/json")
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
    return document
