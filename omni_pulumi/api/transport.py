"""The one place through which requests leave: authentication, pace, time-outs, repetition; answer to value or error.

Redirects are not followed: both services answer without any, and a redirect would carry the key to another host.
TLS, proxies and certificates follow the environment (``HTTPS_PROXY``, ``NO_PROXY``, ``SSL_CERT_FILE``), as in httpx.
"""

from __future__ import annotations

import email.utils
import functools
import http
import importlib.metadata
import logging
import math
import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import httpx
import pydantic
import tenacity
from opentelemetry import propagate, trace

from omni_pulumi.api import errors, waiting
from omni_pulumi.api.budget import Budget
from omni_pulumi.api.known_failures import KnownFailures
from omni_pulumi.api.redact import redact

_log = logging.getLogger(__name__)

_DETAIL_LENGTH = 300

_NETWORK_VARIABLES = ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""The environment variables that httpx reads."""

_ATTEMPTS = 4
"""How often a request is sent that fails otherwise than by 429."""

_USER_AGENT = f"omni-pulumi/{importlib.metadata.version('omni-pulumi')} pulumi/{importlib.metadata.version('pulumi')}"

M = TypeVar("M", bound=pydantic.BaseModel)


@dataclass(frozen=True)
class Instance:
    """One instance of a service, the key that opens it, and how it wants to be asked.

    Attributes:
        url: address without ``/api`` and without a trailing slash.
        api_key: the key.
        requests_per_minute: budget of the key, ``None`` for no limit.
        connect_timeout: seconds for a connection.
        read_timeout: seconds for an answer.
        total_timeout: seconds after which a request is not tried again.
    """

    url: str
    api_key: str = field(repr=False)
    requests_per_minute: int | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    total_timeout: float = 300.0


class Client(Protocol):
    """Talks to one instance of a service.

    Attributes:
        failures: what is known to fail there.
    """

    failures: KnownFailures

    def close(self) -> None:
        """Close the connections."""

    def forget_lists(self) -> None:
        """Read each list again before it is used."""


_BY_STATUS: Mapping[int, type[errors.ResponseError]] = {
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

_ELSEWHERE = {301, 302, 303, 307, 308, 404}
"""Statuses with which a server that is not the service answers to the service's paths."""

_NOT_JSON = object()
"""Stands for an answer that is not JSON, which ``null`` is."""

_NEXT_STEP: Mapping[type[errors.ResponseError], str] = {
    errors.BadRequestError: "Correct the value that the message names.",
    errors.AuthenticationError: "Check that the key is right and has not expired.",
    errors.PermissionDeniedError: "Check that the key is right and that its owner may administer this object.",
    errors.NotFoundError: "Check the ID and that the URL points to the right instance.",
    errors.ConflictError: "Choose another name.",
    errors.RateLimitError: "Wait a minute, then run the same command again.",
    errors.ServerError: "Run the same command again. If the error stays, ask the service's support.",
    errors.UnexpectedResponseError: "Check that the URL is the instance's own and that no proxy answers in its place.",
}

_NEXT_STEP_BY_STATUS: Mapping[int, str] = {
    408: "The request did not arrive in time. Check the network, then run the same command again.",
    413: "The request is too large. Shorten the longest values.",
}
"""What to do, whoever answers: a proxy sends these statuses as well, with a page of its own."""


class Transport:
    """Sends JSON to one instance and gives back JSON, or raises one of :mod:`omni_pulumi.api.errors`."""

    def __init__(self, service: str, instance: Instance, scheme: str) -> None:
        """Prepare for an instance of ``service`` with its ``Authorization`` scheme; no request is sent yet.

        Raises:
            errors.ConfigurationError: the environment's proxies or certificates cannot be used.
        """
        self.service = service
        self.base_url = instance.url
        self.failures = KnownFailures(f"{service} at {instance.url}")
        self._instance = instance
        self._budget = Budget(f"{service} at {instance.url}", instance.requests_per_minute)
        self._has_answered = False
        self._tracer = trace.get_tracer("omni_pulumi")
        try:
            self._http = httpx.Client(
                base_url=instance.url,
                headers={
                    "Authorization": f"{scheme} {instance.api_key}",
                    "Accept": "application/json",
                    "User-Agent": _USER_AGENT,
                },
                timeout=httpx.Timeout(instance.read_timeout, connect=instance.connect_timeout, pool=None),
                verify=ssl_context(),
                trust_env=instance.url.startswith("https:"),  # a proxy would see the key on its way to this machine
            )
        except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
            raise errors.ConfigurationError(
                f"Cannot prepare to ask {service} at {instance.url} ({type(error).__name__}). "
                f"Check {', '.join(_NETWORK_VARIABLES[:-1])} and {_NETWORK_VARIABLES[-1]} in the environment.",
                settings=_NETWORK_VARIABLES,
            ) from None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        resource_id: str | None = None,
        parent_id: str | None = None,
        body: object = None,
        params: Mapping[str, str] | None = None,
        secrets: Iterable[str] = (),
        idempotent: bool = True,
    ) -> Any:
        """Send a request, again where that is safe, and return the answer's JSON.

        Args:
            method: HTTP method.
            path: path below the instance's URL.
            operation: what is tried on what, for the errors: "read the dbt configuration of connection ...".
            resource_id: ID of the object concerned, for the errors.
            parent_id: ID of the connection or project below which the path is, ``None`` where there is none.
            body: JSON body, none when ``None``.
            params: query parameters.
            secrets: values of the body that an error text must not repeat, even when the service does.
            idempotent: whether sending it twice has the effect of sending it once.

        Raises:
            errors.RequestError: no answer.
            errors.ResponseError: an answer outside 2xx, or one that is not JSON.
            errors.CancelledError: the run was cancelled.
        """
        failures, outcome_unknown = 0, False

        def again(error: BaseException) -> bool:
            nonlocal failures, outcome_unknown
            outcome_unknown |= isinstance(error, errors.Error) and error.outcome_unknown
            if isinstance(error, errors.RateLimitError):
                self._budget.slow_down()
                return True
            failures += 1
            return failures < _ATTEMPTS and errors.may_repeat(error, idempotent=idempotent)

        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception(again),
            wait=_wait,
            stop=tenacity.stop_before_delay(self._instance.total_timeout),
            sleep=lambda seconds: waiting.pause(seconds),
            reraise=True,
        )
        try:
            for attempt in attempts:
                with attempt:
                    self._budget.wait()
                    number = attempt.retry_state.attempt_number
                    return self._send(method, path, operation, body, params, secrets, number)
        except errors.Error as error:
            error.operation, error.resource_id = operation, resource_id
            error.outcome_unknown = outcome_unknown
            error.scope = self._scope(error, method, resource_id, parent_id)
            raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _scope(self, error: errors.Error, method: str, resource_id: str | None, parent_id: str | None) -> errors.Scope:
        """What would fail in the same way as this request.

        A write may be refused because of what it writes, so only a read tells something about more than itself. Omni
        answers 403 to an unknown key, and 403 to a write that a connection does not support.
        """
        if isinstance(error, errors.ConnectError | errors.AuthenticationError) or _refuses_key(error):
            return "instance"
        if parent_id is None or _is_write(method) or not isinstance(error, errors.ResponseError):
            return "request"
        if isinstance(error, errors.PermissionDeniedError):
            return "parent"
        if not self._has_answered and self._is_elsewhere(error):
            return "instance"
        is_about_parent = isinstance(error, errors.NotFoundError) and resource_id in {None, parent_id}
        return "parent" if is_about_parent else "request"

    def _is_elsewhere(self, error: errors.ResponseError) -> bool:
        """Whether an answer is that of a server that has no such API at this path."""
        if isinstance(error, errors.NotFoundError):
            return bool(self._path) and error.detail in {"", "Not Found"}
        return isinstance(error, errors.UnexpectedResponseError) and error.status in _ELSEWHERE

    @property
    def _path(self) -> str:
        """The path of the instance's URL, empty when it has none."""
        return httpx.URL(self.base_url).path.rstrip("/")

    def _send(
        self,
        method: str,
        path: str,
        operation: str,
        body: object,
        params: Mapping[str, str] | None,
        secrets: Iterable[str],
        attempt: int,
    ) -> Any:
        prefix = f"Cannot {operation}: {self.service} at {self.base_url}"
        context = propagate.extract({"traceparent": os.environ.get("TRACEPARENT", "")})
        with self._tracer.start_as_current_span(
            f"{method} {self.service}",
            context=context,
            kind=trace.SpanKind.CLIENT,
            record_exception=False,
            set_status_on_exception=False,  # its text may quote a value
        ) as span:
            span.set_attributes(
                {"http.request.method": method, "url.path": path, "http.request.resend_count": attempt - 1}
            )
            try:
                response = self._exchange(method, path, prefix, body, params, attempt)
                span.set_attribute("http.response.status_code", response.status_code)
                return self._value(response, prefix, [*secrets, self._instance.api_key])
            except errors.Error:
                span.set_status(trace.StatusCode.ERROR)
                raise

    def _exchange(
        self, method: str, path: str, prefix: str, body: object, params: Mapping[str, str] | None, attempt: int
    ) -> httpx.Response:
        began = time.monotonic()
        status = "no answer"
        try:
            response = self._http.request(method, path, json=body, params=params)
            status = str(response.status_code)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.ProxyError) as error:
            raise errors.ConnectError(
                f"{prefix} cannot be reached ({_reason(error)}). Check the URL, the network and the proxy settings."
            ) from None
        except httpx.HTTPError as error:
            raise errors.ResponseLostError(
                f"{prefix} gave no answer to {method} {path} ({_reason(error)}), so nobody knows whether it was "
                "carried out. Run the same command again.",
                outcome_unknown=_is_write(method),
            ) from None
        finally:
            _log.debug("%s %s: %s in %.3f s, attempt %d", method, path, status, time.monotonic() - began, attempt)
        return response

    def _value(self, response: httpx.Response, prefix: str, secrets: list[str]) -> Any:
        content = _json(response)
        if response.is_success and content is not _NOT_JSON and not _is_refusal(content):
            self._has_answered = True
            return content
        error_class = _error_class(response, content)
        detail = _shown(_detail(content), secrets)
        request = response.request
        status = f"{response.status_code} {_phrase(response.status_code)}".strip()
        reason = f": {detail}" if detail else " with something that is not JSON" if content is _NOT_JSON else ""
        sentence = f"{prefix} answered {status} to {request.method} {request.url.path}{reason}".rstrip(".")
        retry_after = _retry_after(response.headers.get("Retry-After"))
        next_step = _next_step(error_class, response.status_code, request.method, retry_after)
        if response.status_code == http.HTTPStatus.NOT_FOUND and self._path and not self._has_answered:
            next_step = (
                f"The URL has the path {self._path}: leave it out, unless {self.service} answers at "
                f"{self.base_url}/api. {next_step}"
            )
        raise error_class(
            f"{sentence}. {next_step}",
            status=response.status_code,
            detail=detail,
            retry_after=retry_after,
            outcome_unknown=_is_write(request.method) and (response.is_success or error_class is errors.ServerError),
        )

    def parse(
        self,
        model: type[M],
        content: object,
        *,
        operation: str,
        resource_id: str | None = None,
        outcome_unknown: bool = False,
    ) -> M:
        """Read an answer's content as ``model``.

        Args:
            model: the answer's form.
            content: JSON of the answer.
            operation: what was tried on what, for the error.
            resource_id: ID of the object concerned, for the error.
            outcome_unknown: whether it is a write's answer, so that the write may have been carried out.

        Raises:
            errors.UnexpectedResponseError: naming the fields that are missing or of another type, never their values.
        """
        try:
            return model.model_validate(content)
        except pydantic.ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            fields = tuple(".".join(map(str, problem["loc"])) for problem in problems)
            reasons = "; ".join(
                f"{field or 'the whole'}: {problem['msg']}" for field, problem in zip(fields, problems, strict=True)
            )
            raise errors.UnexpectedResponseError(
                f"Cannot {operation}: {self.service} at {self.base_url} answered in an unexpected form ({reasons}). "
                "Please report this with the version of omni-pulumi.",
                status=200,
                fields=fields,
                operation=operation,
                resource_id=resource_id,
                outcome_unknown=outcome_unknown,
            ) from None


ssl_context = functools.cache(httpx.create_ssl_context)
"""Certificates are loaded once, which takes longer than anything else here."""


_backoff = tenacity.wait_exponential(multiplier=0.5, max=30) + tenacity.wait_random(0, 1)


def _wait(state: tenacity.RetryCallState) -> float:
    """As long as the service asks for, and else longer each time."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, errors.ResponseError) else None
    return asked if asked is not None else _backoff(state)


def _retry_after(text: str | None) -> float | None:
    """Seconds of a ``Retry-After`` header, which may also be a date."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _next_step(error_class: type[errors.ResponseError], status: int, method: str, retry_after: float | None) -> str:
    """What to do about an answer."""
    if retry_after and error_class in {errors.RateLimitError, errors.ServerError}:
        return f"Run the same command again after {_duration(retry_after)}."
    if error_class is errors.ConflictError and method == "DELETE":
        return "Remove what still uses the object, then run the same command again."
    return _NEXT_STEP_BY_STATUS.get(status) or _NEXT_STEP[error_class]


def _duration(seconds: float) -> str:
    """A time for people to wait, rounded up: ``61 seconds``, ``60 minutes``, ``24 hours``."""
    for unit, name in ((3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{math.ceil(seconds / unit)} {name}"
    return f"{math.ceil(seconds)} seconds"


def _json(response: httpx.Response) -> Any:
    """The content, or `_NOT_JSON`. A write may be answered without any on purpose."""
    if response.status_code == http.HTTPStatus.NO_CONTENT and response.request.method != "GET":
        return {}
    try:
        return response.json()
    except (ValueError, RecursionError):
        return _NOT_JSON


def _is_write(method: str) -> bool:
    return method != "GET"


def _refuses_key(error: errors.Error) -> bool:
    return isinstance(error, errors.PermissionDeniedError) and "bearer token" in error.detail.lower()


def _is_refusal(content: object) -> bool:
    """Whether an answer takes back what its status says, in Omni's form or in Lightdash's."""
    return isinstance(content, Mapping) and (content.get("success") is False or content.get("status") == "error")


def _error_class(response: httpx.Response, content: object) -> type[errors.ResponseError]:
    """401 is the one status that Lightdash answers in plain text; every other error of the services is JSON."""
    if response.status_code >= 500:
        return errors.ServerError
    if content is _NOT_JSON and response.status_code not in {401, 429}:
        return errors.UnexpectedResponseError
    return _BY_STATUS.get(response.status_code, errors.UnexpectedResponseError)


def _detail(content: object) -> str:
    """The message of the forms in use: ``{error, message}``, ``{detail, status}``, ``{error: {message}}``, plain text.

    Lightdash's ``error.data`` repeats the request, tokens included, and is never looked at.
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


def _shown(text: str, secrets: Iterable[str]) -> str:
    """The service's message without secrets, in one line of bearable length."""
    text = _one_line(redact(text, secrets))
    return text if len(text) <= _DETAIL_LENGTH else f"{text[:_DETAIL_LENGTH]}…"


def _reason(error: httpx.HTTPError) -> str:
    return _one_line(str(error)) or type(error).__name__


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""
