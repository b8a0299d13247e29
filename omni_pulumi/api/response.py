"""Reading responses: their content, or the error of :mod:`omni_pulumi.errors` that they mean."""

from __future__ import annotations

import email.utils
import http
import math
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import httpx
import pydantic

from omni_pulumi import errors
from omni_pulumi.api.request import Request
from omni_pulumi.redact import redact

M = TypeVar("M", bound=pydantic.BaseModel)

_DETAIL_LENGTH = 300

_ERROR_CLASSES: Mapping[int, type[errors.ResponseError]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    410: errors.NotFoundError,
    413: errors.BadRequestError,
    422: errors.BadRequestError,
    429: errors.RateLimitError,
}

_ADVICE: Mapping[type[errors.ResponseError], str] = {
    errors.BadRequestError: "Correct the value that the message names.",
    errors.AuthenticationError: "Check that the API key is correct and has not expired.",
    errors.PermissionDeniedError: "Check that the API key is correct and that its owner may administer this object.",
    errors.NotFoundError: "Check the ID, and check that the URL is that of the right instance.",
    errors.ConflictError: "Choose another name.",
    errors.RateLimitError: "Wait a minute, then run the command again.",
    errors.ServerError: "Run the command again. If the error persists, contact the service's support.",
    errors.UnexpectedResponseError: "Check that the URL is that of the instance, and that no proxy answers instead.",
}

_REFUSALS = (
    (r"does(?: not|n't) support|(?:not|un)supported", "The service does not support this. Choose another object."),
    (
        r"(?:another|different) organi[sz]ation|does not belong to",
        "Check the ID, and check that URL and key are those of the organization or project that has the object.",
    ),
    (
        r"\bdisabled\b|not enabled|add-on|\blicen[cs]e|\bplan\b|entitle",
        "Ask an administrator of the instance to enable what the message names.",
    ),
)
"""Advice about a 403 whose text is not about the key, by a regular expression of the text."""

_ADVICE_BY_STATUS: Mapping[int, str] = {
    408: "The request did not arrive in time. Check the network, then run the command again.",
    413: "The request is too large. Shorten the longest values.",
}
"""Proxies send these statuses too, with a page of their own."""

NOT_JSON = object()
"""The content of a response that is not JSON. ``None`` is the content ``null``."""


def content_of(response: httpx.Response) -> Any:
    """Return the JSON of a response, or :data:`NOT_JSON`. A write may be answered with 204 and without content."""
    if response.status_code == http.HTTPStatus.NO_CONTENT and response.request.method != "GET":
        return {}
    try:
        return response.json()
    except (ValueError, RecursionError):
        return NOT_JSON


def is_success(response: httpx.Response, content: object) -> bool:
    """Return whether a response reports success.

    Omni and Lightdash may send 200 with a content that reports an error.
    """
    if not response.is_success or content is NOT_JSON:
        return False
    return not (isinstance(content, Mapping) and (content.get("success") is False or content.get("status") == "error"))


def error_of(
    response: httpx.Response, content: object, request: Request, *, sender: str, secrets: Iterable[str], hint: str = ""
) -> errors.ResponseError:
    """Return the error that a response means. The transport adds the operation and the ID of the object.

    Args:
        response: the response.
        content: its JSON, or :data:`NOT_JSON`.
        request: the request.
        sender: who sent the response, such as ``Omni at https://...``.
        secrets: values to mask.
        hint: advice that precedes the usual one.
    """
    status = response.status_code
    error_class = _error_class(status, content)
    text = one_line(_detail(content))
    detail = _shortened(redact(text, secrets))
    retry_after = _retry_after(response.headers.get("Retry-After"))
    answer = f"{sender} answered {f'{status} {_phrase(status)}'.strip()} to {request.method} {response.url.path}"
    if detail:
        answer += f": {detail.rstrip('.')}"
    elif content is NOT_JSON:
        answer += " with content that is not JSON"
    advice = _advice(error_class, status, detail, request, retry_after)
    return error_class(
        f"Cannot {request.operation}: {answer}.",
        advice=f"{hint} {advice}".strip(),
        status=status,
        detail=detail,
        meaning=_meaning(text),
        retry_after=retry_after,
        outcome_unknown=request.is_write and (response.is_success or error_class is errors.ServerError),
    )


def parse(model: type[M], content: object, request: Request, *, sender: str) -> M:
    """Return the content of a response as a model.

    Args:
        model: the model.
        content: JSON of the response.
        request: the request, for the error.
        sender: who sent the response, such as ``Omni at https://...``.

    Raises:
        errors.UnexpectedResponseError: names the fields that are missing or of another type, never their values.
    """
    try:
        return model.model_validate(content)
    except pydantic.ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        fields = tuple(".".join(map(str, problem["loc"])) for problem in problems)
        reasons = "; ".join(
            f"{field or 'the content'}: {problem['msg']}" for field, problem in zip(fields, problems, strict=True)
        )
        raise errors.UnexpectedResponseError(
            f"Cannot {request.operation}: {sender} sent an unexpected response ({reasons}).",
            advice="Check that the URL is that of the instance. If it is, report this with the output of "
            "`omni-pulumi --version`.",
            status=200,
            fields=fields,
            operation=request.operation,
            resource_id=request.resource_id,
            outcome_unknown=request.is_write,
        ) from None


def one_line(text: str) -> str:
    """Return a text with each run of whitespace as one space."""
    return re.sub(r"\s+", " ", text).strip()


def _error_class(status: int, content: object) -> type[errors.ResponseError]:
    """Return the class of an error. Lightdash sends only 401 as plain text; all other errors are JSON."""
    if status >= 500:
        return errors.ServerError
    if content is NOT_JSON and status not in {401, 429}:
        return errors.UnexpectedResponseError
    return _ERROR_CLASSES.get(status, errors.UnexpectedResponseError)


def _detail(content: object) -> str:
    """Return the message of a response.

    The services send ``{error, message}``, ``{detail, status}``, ``{error: {message}}`` or plain text. Lightdash's
    ``error.data`` repeats the request with its tokens, so it is not read.
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, Mapping):
        return ""
    error = content.get("error")
    inner = error.get("message") if isinstance(error, Mapping) else None
    for text in (inner, content.get("message"), content.get("detail"), error):
        if isinstance(text, str) and text:
            return text
    return ""


def _meaning(text: str) -> errors.Meaning:
    """Return what a message of a response means, before secrets are masked in it. All messages but one are Omni's."""
    words = text.lower()
    if "bearer token" in words:
        return "key_refused"
    if "not configured" in words and "not found" not in words:
        return "not_configured"
    return "no_such_path" if text in {"", "Not Found"} else "other"


def _shortened(text: str) -> str:
    return text if len(text) <= _DETAIL_LENGTH else f"{text[:_DETAIL_LENGTH]}…"


def _retry_after(header: str | None) -> float | None:
    """Return the seconds of a ``Retry-After`` header, which may be a date."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(header).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _advice(
    error_class: type[errors.ResponseError], status: int, detail: str, request: Request, retry_after: float | None
) -> str:
    """Return what the user can do."""
    if retry_after and error_class in {errors.RateLimitError, errors.ServerError}:
        return f"Run the command again after {_duration(retry_after)}."
    if error_class is errors.ConflictError and request.method == "DELETE":
        return "Remove what still uses the object, then run the command again."
    if status in _ADVICE_BY_STATUS:
        return _ADVICE_BY_STATUS[status]
    if error_class is errors.BadRequestError and not detail:
        return "Compare the values with the service's documentation."
    if error_class is errors.PermissionDeniedError:
        advice = [advice for pattern, advice in _REFUSALS if re.search(pattern, detail, re.IGNORECASE)]
        is_about_key = not advice or "permission" in detail.lower()
        return " ".join([*([_ADVICE[error_class]] if is_about_key else []), *advice[:1]])
    return _ADVICE[error_class]


def _duration(seconds: float) -> str:
    """Return a duration for people, rounded up: ``61 seconds``, ``60 minutes``, ``24 hours``."""
    for unit, name in ((3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{math.ceil(seconds / unit)} {name}"
    return f"{math.ceil(seconds)} seconds"


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""
