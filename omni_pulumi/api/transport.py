"""Sends requests: authentication, rate limit, timeouts, retries and tracing.

Redirects are not followed: neither service answers with one, and a redirect would carry the API key to another host.
TLS, proxies and certificates follow the environment (``HTTPS_PROXY``, ``NO_PROXY``, ``SSL_CERT_FILE``), as in httpx.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 - the first request to a host name imports it
import functools
import http
import importlib.metadata
import logging
import os
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import httpx
import pydantic
from opentelemetry import propagate, trace

from omni_pulumi import errors
from omni_pulumi.api import environment, response
from omni_pulumi.api.exchange import Exchange, Observer
from omni_pulumi.api.instance import Instance
from omni_pulumi.api.known_failures import KnownFailures
from omni_pulumi.api.rate_limiter import RateLimiter
from omni_pulumi.api.request import Request
from omni_pulumi.api.retry import LIMITS, backoff, may_resend
from omni_pulumi.process import PROCESS

_log = logging.getLogger(__name__)

_STATUSES_OF_OTHER_SERVERS = {301, 302, 303, 307, 308, 404}
"""Statuses with which a server that is not the service answers to the paths of its API."""

_USER_AGENT = f"omni-pulumi/{importlib.metadata.version('omni-pulumi')} pulumi/{importlib.metadata.version('pulumi')}"

M = TypeVar("M", bound=pydantic.BaseModel)

ssl_context = functools.cache(httpx.create_ssl_context)
"""Loads the certificates once, because that takes longer than anything else here."""


def retry_delay(
    request: Request, failures: Sequence[errors.Error], *, pause: float, elapsed: float, total_timeout: float
) -> float | None:
    """Return the seconds to wait before a request is sent again, ``None`` when it is not sent again.

    Args:
        request: the request.
        failures: the errors of all attempts until now.
        pause: seconds until the rate limiter lets requests pass after a 429.
        elapsed: seconds since the first attempt.
        total_timeout: deadline in seconds for all attempts. Only it ends retries of 429.
    """
    error = failures[-1]
    counted = [failure for failure in failures if not isinstance(failure, errors.RateLimitError)]
    if not may_resend(error, idempotent=request.idempotent) or len(counted) >= LIMITS.request:
        return None
    if isinstance(error, errors.RateLimitError):
        delay = pause
    elif isinstance(error, errors.ResponseError) and error.retry_after is not None:
        delay = error.retry_after
    else:
        delay = backoff(len(failures))
    return delay if elapsed + delay < total_timeout else None


class Transport:
    """Sends JSON to one instance and returns JSON, or raises an error of :mod:`omni_pulumi.errors`."""

    def __init__(self, service: str, instance: Instance, scheme: str) -> None:
        """Prepare a client. No request is sent yet.

        Args:
            service: name of the service.
            instance: the instance.
            scheme: scheme of the ``Authorization`` header.

        Raises:
            errors.ConfigurationError: the proxies or certificates of the environment cannot be used.
        """
        self.service = service
        self.base_url = instance.url
        self.failures = KnownFailures(self._name)
        self._instance = instance
        self._rate_limiter = RateLimiter(self._name, instance.requests_per_minute)
        self._has_answered = False
        self._observers: list[Observer] = []
        self._tracer = trace.get_tracer("omni_pulumi")
        environment.check(instance.url)
        self._http = httpx.Client(
            base_url=instance.url,
            headers={
                "Authorization": f"{scheme} {instance.api_key}",
                "Accept": "application/json",
                "User-Agent": _USER_AGENT,
            },
            timeout=httpx.Timeout(instance.read_timeout, connect=instance.connect_timeout, pool=None),
            verify=ssl_context(),
            trust_env=instance.url.startswith("https:"),  # with http, a proxy would see the API key
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def observe(self, observer: Observer) -> None:
        """Call a function with each response, before it is parsed."""
        self._observers.append(observer)

    def send(self, request: Request) -> Any:
        """Send a request, again when that is safe, and return the JSON of the response.

        Raises:
            errors.RequestError: there was no response.
            errors.ResponseError: the response reports an error, or is not JSON.
            errors.CancelledError: the run is cancelled.
        """
        failures: list[errors.Error] = []
        try:
            return self._send_with_retries(request, failures)
        except errors.Error as error:
            if isinstance(error, errors.CancelledError):
                error = _cancelled(request, failures)
            raise error.replace(
                operation=request.operation,
                resource_id=request.resource_id,
                outcome_unknown=any(failure.outcome_unknown for failure in failures),
                scope=self._scope(request, error),
            ) from None

    def parse(self, model: type[M], content: object, request: Request) -> M:
        """Return the content of a response as a model.

        Raises:
            errors.UnexpectedResponseError: the content has another form.
        """
        return response.parse(model, content, request, sender=self._name)

    def _send_with_retries(self, request: Request, failures: list[errors.Error]) -> Any:
        started = time.monotonic()
        while True:
            pauses, pause = self._rate_limiter.wait(), 0.0
            try:
                return self._send_once(request, attempt=len(failures) + 1)
            except errors.Error as error:
                failures.append(error)
                if isinstance(error, errors.RateLimitError):
                    pause = self._rate_limiter.refuse(pauses, error.retry_after)
                delay = retry_delay(
                    request,
                    failures,
                    pause=pause,
                    elapsed=time.monotonic() - started,
                    total_timeout=self._instance.total_timeout,
                )
                if delay is None:
                    raise
            _log.debug("%s %s: retrying in %.1f s, attempt %d", request.method, request.path, delay, len(failures) + 1)
            if not pause:  # after a 429 the rate limiter waits
                PROCESS.cancellation.sleep(delay)

    def _send_once(self, request: Request, *, attempt: int) -> Any:
        """Send a request once, in a span of OpenTelemetry. The span has no error text, which may quote a value."""
        with self._tracer.start_as_current_span(
            f"{request.method} {self.service}",
            context=propagate.extract({"traceparent": os.environ.get("TRACEPARENT", "")}),
            kind=trace.SpanKind.CLIENT,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            span.set_attributes(
                {
                    "http.request.method": request.method,
                    "url.path": request.path,
                    "http.request.resend_count": attempt - 1,
                }
            )
            try:
                answer = self._exchange(request, attempt)
                if answer.status_code != http.HTTPStatus.TOO_MANY_REQUESTS:
                    self._rate_limiter.accept()
                span.set_attribute("http.response.status_code", answer.status_code)
                return self._content(answer, request)
            except errors.Error:
                span.set_status(trace.StatusCode.ERROR)
                raise

    def _exchange(self, request: Request, attempt: int) -> httpx.Response:
        started = time.monotonic()
        status = "no response"
        try:
            answer = self._http.request(request.method, request.path, json=request.body, params=request.params)
            status = str(answer.status_code)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.ProxyError) as error:
            raise errors.ConnectError(
                f"Cannot {request.operation}: {self._name} cannot be reached ({_reason(error)}).",
                advice="Check the URL, the network and the proxy settings.",
                cause=_cause(error),
            ) from None
        except httpx.HTTPError as error:
            raise errors.ResponseLostError(
                f"Cannot {request.operation}: {self._name} did not respond to {request.method} {request.path} "
                f"({_reason(error)}).",
                advice="Run the command again.",
                outcome_unknown=request.is_write,
            ) from None
        finally:
            _log.debug(
                "%s %s: %s in %.3f s, attempt %d",
                request.method,
                request.path,
                status,
                time.monotonic() - started,
                attempt,
            )
        return answer

    def _content(self, answer: httpx.Response, request: Request) -> Any:
        content = response.content_of(answer)
        for observer in self._observers:
            observer(Exchange(request, answer.status_code, answer.headers, content))
        if response.is_success(answer, content):
            self._has_answered = True
            return content
        hint = ""
        if answer.status_code == http.HTTPStatus.NOT_FOUND and self._path and not self._has_answered:
            hint = (
                f"The URL has the path {self._path}: leave it out, unless {self.service} answers at "
                f"{self.base_url}/api."
            )
        secrets = [*request.secrets, self._instance.api_key]
        raise response.error_of(answer, content, request, sender=self._name, secrets=secrets, hint=hint)

    def _scope(self, request: Request, error: errors.Error) -> errors.Scope:
        """Return what would fail in the same way as a request.

        A write may be refused because of its content, so only a read says something about other requests. Omni answers
        403 to an unknown key, and also to a write that a connection does not support.
        """
        if isinstance(error, errors.ConnectError | errors.AuthenticationError) or _refuses_key(error):
            return "instance"
        if request.parent_id is None or request.is_write or not isinstance(error, errors.ResponseError):
            return "request"
        if isinstance(error, errors.PermissionDeniedError):
            return "parent"
        if not self._has_answered and self._is_from_other_server(error):
            return "instance"
        is_about_parent = isinstance(error, errors.NotFoundError) and request.resource_id in {None, request.parent_id}
        return "parent" if is_about_parent else "request"

    def _is_from_other_server(self, error: errors.ResponseError) -> bool:
        """Return whether a response comes from a server that has no such API at this URL."""
        if isinstance(error, errors.NotFoundError):
            return bool(self._path) and error.meaning == "no_such_path"
        return isinstance(error, errors.UnexpectedResponseError) and error.status in _STATUSES_OF_OTHER_SERVERS

    @property
    def _name(self) -> str:
        return f"{self.service} at {self.base_url}"

    @property
    def _path(self) -> str:
        """The path of the instance's URL, empty when it has none."""
        return httpx.URL(self.base_url).path.rstrip("/")


def _cancelled(request: Request, failures: Sequence[errors.Error]) -> errors.CancelledError:
    applied = " An earlier attempt may have been applied." if any(f.outcome_unknown for f in failures) else ""
    return errors.CancelledError(
        f"Cannot {request.operation}: the run was cancelled before the request was sent{' again' if failures else ''}."
        f"{applied}",
        advice="Run the command again.",
    )


def _refuses_key(error: errors.Error) -> bool:
    return isinstance(error, errors.PermissionDeniedError) and error.meaning == "key_refused"


def _cause(error: httpx.HTTPError) -> errors.ConnectCause:
    """Return why the service was not reached. httpx chains the error of the operating system to its own."""
    if isinstance(error, httpx.ProxyError):
        return "proxy"
    if isinstance(error, httpx.ConnectTimeout):
        return "timeout"
    causes: tuple[tuple[type[BaseException], errors.ConnectCause], ...] = (
        (socket.gaierror, "name"),
        (ssl.SSLCertVerificationError, "certificate"),
        (ssl.SSLError, "tls"),
        (ConnectionRefusedError, "refused"),
    )
    return next((cause for each in _chain(error) for kind, cause in causes if isinstance(each, kind)), "other")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _reason(error: httpx.HTTPError) -> str:
    return response.one_line(str(error)) or type(error).__name__
