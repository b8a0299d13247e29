"""Faults for a simulator: which requests fail, and how.

    omni.inject(faults.Status(503, processed=True, method="POST", path="/environments$"))
    omni.inject(faults.Missing("ownerId", after=2, times=None))

The simulator checks faults in the order in which they were injected. The first one that matches a request handles it. A
fault counts only requests that reach it: requests that an earlier fault matched or that the rate limit rejected do not
count.

`processed` says whether the service processes the request although the client does not receive its response. Faults
without this argument process the request and modify the response. A redirect does not process the request.
"""

from __future__ import annotations

import asyncio
import http
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, Literal

from omni_pulumi.simulator.json_codec import compact_json, parse_json
from omni_pulumi.simulator.request_context import BufferedResponse, Outcome, RequestContext

_HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Fault(ABC):
    """A kind of failure, and the requests that it affects.

    Args:
        method: affects only requests with this method; None for any.
        path: affects only requests whose path, without the query, contains a match of this regular expression; None
            for any.
        after: number of affected requests that succeed first.
        times: number of requests that fail after that; None for all until the faults are cleared.
    """

    method: str | None = None
    path: str | None = None
    after: int = 0
    times: int | None = 1

    def affects(self, request: RequestContext) -> bool:
        """Return whether method and path of a request match."""
        return self.method in (None, request.method) and re.search(self.path or "", request.path) is not None

    @abstractmethod
    async def outcome(self, request: RequestContext) -> Outcome:
        """Return what the client receives."""


@dataclass(frozen=True, kw_only=True)
class _ReplacedResponse(Fault):
    """The client receives something else instead of the response.

    Args:
        processed: whether the service processes the request first.
    """

    processed: bool

    async def outcome(self, request: RequestContext) -> Outcome:
        """Process the request if `processed` is set, and return the replacement."""
        if self.processed:
            await request.process()
        return await self.replacement(request)

    @abstractmethod
    async def replacement(self, request: RequestContext) -> Outcome:
        """Return what the client receives instead."""


class _ModifiedResponse(Fault):
    """The service processes the request, and the response is modified."""

    async def outcome(self, request: RequestContext) -> Outcome:
        """Process the request and return the modified response."""
        return self.modify(await request.process())

    @abstractmethod
    def modify(self, response: BufferedResponse) -> BufferedResponse:
        """Return the modified response."""


@dataclass(frozen=True)
class Status(_ReplacedResponse):
    """Another status instead of the response.

    Args:
        code: the status.
        retry_after: the value of the `Retry-After` header.
        body: the service's own error body, a proxy's HTML page, plain text, or no body.
    """

    code: int
    _: KW_ONLY
    retry_after: str | None = None
    body: Literal["vendor", "html", "text", "empty"] = "vendor"

    async def replacement(self, request: RequestContext) -> Outcome:
        """Return the response with the status."""
        response = self._response(request)
        return response if self.retry_after is None else response.with_header("retry-after", self.retry_after)

    def _response(self, request: RequestContext) -> BufferedResponse:
        phrase = http.HTTPStatus(self.code).phrase
        if self.body == "vendor":
            return request.error_response(self.code)
        if self.body == "html":
            title = "Please sign in" if self.code == 200 else f"{self.code} {phrase}"
            page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
            return BufferedResponse(self.code, body=page.encode()).with_header("content-type", _HTML)
        if self.body == "text":
            response = BufferedResponse(self.code, body=phrase.encode())
            return response.with_header("content-type", "text/plain; charset=utf-8")
        return BufferedResponse(self.code)


def rate_limited(
    times: int,
    *,
    retry_after: str | None = None,
    method: str | None = None,
    path: str | None = None,
    after: int = 0,
) -> Status:
    """Return a fault that rejects `times` requests with 429."""
    return Status(429, processed=False, retry_after=retry_after, method=method, path=path, after=after, times=times)


def expired_token(*, after: int, code: int = 401) -> Status:
    """Return a fault that rejects all requests after the first `after`. Omni sometimes uses 403 instead of 401."""
    return Status(code, processed=False, after=after, times=None)


def proxy_page(
    *, processed: bool, method: str | None = None, path: str | None = None, after: int = 0, times: int | None = 1
) -> Status:
    """Return a fault that responds with status 200 and a proxy's HTML sign-in page."""
    return Status(200, processed=processed, body="html", method=method, path=path, after=after, times=times)


@dataclass(frozen=True)
class Redirect(Fault):
    """A redirect. The service does not process the request.

    Args:
        location: the value of the `Location` header.
        code: the status.
    """

    location: str
    code: int = 307

    async def outcome(self, _: RequestContext) -> Outcome:
        """Return the redirect."""
        return BufferedResponse(self.code).with_header("location", self.location)


@dataclass(frozen=True)
class Reset(_ReplacedResponse):
    """A TCP reset instead of the response: httpx.ReadError."""

    async def replacement(self, _: RequestContext) -> Outcome:
        """Return the reset."""
        return "reset"


@dataclass(frozen=True)
class Close(_ReplacedResponse):
    """A closed connection instead of the response: httpx.RemoteProtocolError."""

    async def replacement(self, _: RequestContext) -> Outcome:
        """Return the closed connection."""
        return "closed"


@dataclass(frozen=True)
class Slow(Fault):
    """A delayed response. If the client disconnects or the faults are cleared first, no response is sent.

    Args:
        seconds: the delay.
        processed: whether the service processes the request before the delay. Otherwise it does so after the delay, if
            the client still waits.
    """

    seconds: float
    _: KW_ONLY
    processed: bool

    async def outcome(self, request: RequestContext) -> Outcome:
        """Return the response after the delay."""
        response = await request.process() if self.processed else None
        if not await request.wait(self.seconds):
            return "closed"
        return response or await request.process()


@dataclass(frozen=True)
class Hang(_ReplacedResponse):
    """No response. The connection is closed when the client disconnects or the faults are cleared."""

    async def replacement(self, request: RequestContext) -> Outcome:
        """Wait, then return the closed connection."""
        await request.wait()
        return "closed"


@dataclass(frozen=True)
class Callback(Fault):
    """Calls a function during the request. The function may use the simulator, and may send requests to it.

    Args:
        function: called without arguments in another thread; the request waits until it returns.
        processed: whether the service processes the request before or after the call.
        answered: whether the client receives the response. If False, the connection is closed after the call, and the
            service does not process the request after the call.
    """

    function: Callable[[], object]
    _: KW_ONLY
    processed: bool
    answered: bool = True

    async def outcome(self, request: RequestContext) -> Outcome:
        """Call the function and return the response."""
        response = await request.process() if self.processed else None
        await asyncio.to_thread(self.function)
        if not self.answered:
            return "closed"
        return response or await request.process()


@dataclass(frozen=True)
class Cut(_ModifiedResponse):
    """The headers and half of the body, then a closed connection: httpx.RemoteProtocolError."""

    def modify(self, response: BufferedResponse) -> BufferedResponse:
        """Return half of the body with the Content-Length of the whole."""
        half = len(response.body) // 2
        return replace(response, body=response.body[:half], missing_bytes=max(1, len(response.body) - half))


@dataclass(frozen=True)
class Malformed(_ModifiedResponse):
    """Half of the JSON body, with a Content-Length that matches."""

    def modify(self, response: BufferedResponse) -> BufferedResponse:
        """Return the first half of the body."""
        return replace(response, body=response.body[: len(response.body) // 2])


@dataclass(frozen=True)
class Empty(_ModifiedResponse):
    """The right status without a body."""

    def modify(self, response: BufferedResponse) -> BufferedResponse:
        """Return the response without its body."""
        return replace(response, body=b"")


@dataclass(frozen=True)
class WrongType(_ModifiedResponse):
    """The right body with another Content-Type."""

    content_type: str = _HTML

    def modify(self, response: BufferedResponse) -> BufferedResponse:
        """Return the response with the other Content-Type."""
        return response.with_header("content-type", self.content_type)


@dataclass(frozen=True)
class Missing(_ModifiedResponse):
    """Removes a field from every object of the JSON response, at any depth."""

    name: str

    def modify(self, response: BufferedResponse) -> BufferedResponse:
        """Return the response without the field."""
        return _modify_objects(response, lambda each: each.pop(self.name, None))


@dataclass(frozen=True)
class Extra(_ModifiedResponse):
    """Adds a field to every object of the JSON response, at any depth, that does not have it."""

    name: str
    value: Any = field(default="extra", repr=False)

    def modify(self, response: BufferedResponse) -> BufferedResponse:
        """Return the response with the field."""
        return _modify_objects(response, lambda each: each.setdefault(self.name, self.value))


@dataclass(frozen=True)
class Stale(Fault):
    """A GET returns the data from before the last successful write request. Affects no other method."""

    def affects(self, request: RequestContext) -> bool:
        """Return whether the request is a GET whose path matches."""
        return request.method == "GET" and super().affects(request)

    async def outcome(self, request: RequestContext) -> Outcome:
        """Return the stale response."""
        return await request.process(use_previous_data=True)


class FaultRules:
    """The injected faults of a simulator. Thread-safe."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Add faults after the present ones."""
        for fault in faults:
            re.compile(fault.path or "")
        with self._lock:
            self._rules += map(_Rule, faults)

    def clear(self) -> None:
        """Remove all faults and cancel the requests that they delay."""
        with self._lock:
            for rule in self._rules:
                rule.cancelled.set()
            self._rules.clear()

    def match(self, request: RequestContext) -> Fault | None:
        """Return the first fault that matches a request."""
        with self._lock:
            rule = next((rule for rule in self._rules if rule.matches(request)), None)
        if rule is None:
            return None
        request.cancelled = rule.cancelled
        return rule.fault


class _Rule:
    """An injected fault with its request counter."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.cancelled = threading.Event()
        self._count = 0

    def matches(self, request: RequestContext) -> bool:
        if not self.fault.affects(request):
            return False
        self._count += 1
        after, times = self.fault.after, self.fault.times
        return self._count > after and (times is None or self._count <= after + times)


def _modify_objects(response: BufferedResponse, modify: Callable[[dict[str, Any]], object]) -> BufferedResponse:
    try:
        document = parse_json(response.body)
    except ValueError:
        return response
    for each in list(_objects(document)):
        modify(each)
    return replace(response, body=compact_json(document).encode())


def _objects(document: object) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        yield document
    if isinstance(document, dict | list):
        for each in document.values() if isinstance(document, dict) else document:
            yield from _objects(each)
