"""Faults for a simulator: what goes wrong with which requests.

    omni.inject(faults.Status(503, processed=True, method="POST", path="/environments$"))
    omni.inject(faults.Missing("ownerId", after=2, times=None))

Rules are asked in the order of their injection, and the first that takes a request decides alone. A rule counts the
requests that concern it and reach it: those which an earlier rule took, or the rate limit refused, do not count.

Where a fault has a `processed`, it says whether the service carries the request out although the client does not learn
of it. Faults without one carry it out and spoil the answer, except for a redirect, which does not.
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

from omni_pulumi.simulator.exchange import Answer, Exchange, Outcome
from omni_pulumi.simulator.wire import compact_json, parse_json

_HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Fault(ABC):
    """A rule: these requests fail in this way.

    Args:
        method: only requests of this method; None for any.
        path: only requests in whose path, without its query, this regular expression is found; None for any.
        after: how many of them pass before.
        times: how many of them fail then; None for all until the faults are cleared.
    """

    method: str | None = None
    path: str | None = None
    after: int = 0
    times: int | None = 1

    def concerns(self, exchange: Exchange) -> bool:
        """Whether a request is one of those that the rule is about."""
        return self.method in (None, exchange.method) and re.search(self.path or "", exchange.path) is not None

    @abstractmethod
    async def outcome(self, exchange: Exchange) -> Outcome:
        """What becomes of a request."""


@dataclass(frozen=True, kw_only=True)
class _Instead(Fault):
    """Something else than the right answer.

    Args:
        processed: whether the service has carried the request out all the same.
    """

    processed: bool

    async def outcome(self, exchange: Exchange) -> Outcome:
        """The other thing, after the request's processing if there is any."""
        if self.processed:
            await exchange.process()
        return await self.instead(exchange)

    @abstractmethod
    async def instead(self, exchange: Exchange) -> Outcome:
        """What the client gets."""


class _Changed(Fault):
    """The request is carried out, and its answer changed on the way."""

    async def outcome(self, exchange: Exchange) -> Outcome:
        """The changed answer."""
        return self.changed(await exchange.process())

    @abstractmethod
    def changed(self, answer: Answer) -> Answer:
        """What becomes of the right answer."""


@dataclass(frozen=True)
class Status(_Instead):
    """An error status instead of the answer.

    Args:
        code: the status.
        retry_after: the `Retry-After` header, as it is sent.
        body: the service's own error document, a proxy's page, a line of text, or nothing.
    """

    code: int
    _: KW_ONLY
    retry_after: str | None = None
    body: Literal["vendor", "html", "text", "empty"] = "vendor"

    async def instead(self, exchange: Exchange) -> Outcome:
        """The error."""
        answer = self._answer(exchange)
        return answer if self.retry_after is None else answer.with_header("retry-after", self.retry_after)

    def _answer(self, exchange: Exchange) -> Answer:
        phrase = http.HTTPStatus(self.code).phrase
        if self.body == "vendor":
            return exchange.refusal(self.code)
        if self.body == "html":
            return _page(self.code, f"{self.code} {phrase}")
        if self.body == "text":
            return Answer(self.code, body=phrase.encode()).with_header("content-type", "text/plain; charset=utf-8")
        return Answer(self.code)


def storm(
    times: int,
    *,
    retry_after: str | None = None,
    method: str | None = None,
    path: str | None = None,
    after: int = 0,
) -> Status:
    """429 to `times` requests, of which none is carried out."""
    return Status(429, processed=False, retry_after=retry_after, method=method, path=path, after=after, times=times)


def expired(*, after: int, code: int = 401) -> Status:
    """The token ends: `after` requests pass, all others are refused. Omni answers some with 403."""
    return Status(code, processed=False, after=after, times=None)


@dataclass(frozen=True)
class Redirect(Fault):
    """The request is sent elsewhere and not carried out.

    Args:
        location: the `Location` header, as it is sent.
        code: the status.
    """

    location: str
    code: int = 307

    async def outcome(self, _: Exchange) -> Outcome:
        """The redirect."""
        return Answer(self.code).with_header("location", self.location)


@dataclass(frozen=True)
class Reset(_Instead):
    """No answer, and the connection ends with a TCP reset: httpx.ReadError."""

    async def instead(self, _: Exchange) -> Outcome:
        """The end."""
        return "reset"


@dataclass(frozen=True)
class Close(_Instead):
    """No answer, and the connection is closed in good order: httpx.RemoteProtocolError."""

    async def instead(self, _: Exchange) -> Outcome:
        """The end."""
        return "closed"


@dataclass(frozen=True)
class Slow(Fault):
    """The right answer, late. A client that has gone by then, and whoever waits when faults are cleared, gets none.

    Args:
        seconds: how late.
        processed: whether the service carries the request out at once, or only when the time is over and the client
            still waits.
    """

    seconds: float
    _: KW_ONLY
    processed: bool

    async def outcome(self, exchange: Exchange) -> Outcome:
        """The late answer."""
        answer = await exchange.process() if self.processed else None
        if not await exchange.hold(self.seconds):
            return "closed"
        return answer or await exchange.process()


@dataclass(frozen=True)
class Hang(_Instead):
    """No answer, but the connection stays until the client goes or the faults are cleared; then it is closed."""

    async def instead(self, exchange: Exchange) -> Outcome:
        """The end, when it comes."""
        await exchange.hold()
        return "closed"


@dataclass(frozen=True)
class Callback(Fault):
    """Something else happens while the request is under way. It may use the simulator, and even send it requests.

    Args:
        function: called without arguments in a thread of its own; the request waits for its end.
        processed: whether the service carries the request out before the call, or after it.
        answered: whether the client gets its answer. If not, the connection is closed after the call, and the service
            never sees a request that it has not carried out before.
    """

    function: Callable[[], object]
    _: KW_ONLY
    processed: bool
    answered: bool = True

    async def outcome(self, exchange: Exchange) -> Outcome:
        """The answer, if there is one, after the call."""
        answer = await exchange.process() if self.processed else None
        await asyncio.to_thread(self.function)
        if not self.answered:
            return "closed"
        return answer or await exchange.process()


@dataclass(frozen=True)
class Cut(_Changed):
    """The head and half of the body, then the connection is closed: httpx.RemoteProtocolError."""

    def changed(self, answer: Answer) -> Answer:
        """Its first half, announced as the whole."""
        half = len(answer.body) // 2
        return replace(answer, body=answer.body[:half], withheld=max(1, len(answer.body) - half))


@dataclass(frozen=True)
class Malformed(_Changed):
    """Half of the JSON, announced as such."""

    def changed(self, answer: Answer) -> Answer:
        """Its first half."""
        return replace(answer, body=answer.body[: len(answer.body) // 2])


@dataclass(frozen=True)
class Empty(_Changed):
    """The right status and no body."""

    def changed(self, answer: Answer) -> Answer:
        """Its head."""
        return replace(answer, body=b"")


@dataclass(frozen=True)
class WrongType(_Changed):
    """The right body under another Content-Type."""

    content_type: str = _HTML

    def changed(self, answer: Answer) -> Answer:
        """The same under another label."""
        return answer.with_header("content-type", self.content_type)


@dataclass(frozen=True)
class Missing(_Changed):
    """A field is taken from every object of the JSON answer, at any depth, that has it."""

    name: str

    def changed(self, answer: Answer) -> Answer:
        """The answer without the field."""
        return _with_objects(answer, lambda each: each.pop(self.name, None))


@dataclass(frozen=True)
class Extra(_Changed):
    """A field is added to every object of the JSON answer, at any depth, that does not have it."""

    name: str
    value: Any = field(default="extra", repr=False)

    def changed(self, answer: Answer) -> Answer:
        """The answer with the field."""
        return _with_objects(answer, lambda each: each.setdefault(self.name, self.value))


@dataclass(frozen=True)
class Html(_Instead):
    """A page of a proxy in between, with status 200."""

    async def instead(self, _: Exchange) -> Outcome:
        """The page."""
        return _page(200, "Please sign in")


@dataclass(frozen=True)
class Stale(Fault):
    """A GET shows what was stored before the last request that changed something. Other methods are not concerned."""

    def concerns(self, exchange: Exchange) -> bool:
        """Whether a request is a GET, and one of those that the rule is about."""
        return exchange.method == "GET" and super().concerns(exchange)

    async def outcome(self, exchange: Exchange) -> Outcome:
        """The old answer."""
        return await exchange.process(past=True)


class Rules:
    """The faults of a simulator. Safe to change while requests are served."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Put faults behind those that are there."""
        for fault in faults:
            re.compile(fault.path or "")
        with self._lock:
            self._rules += map(_Rule, faults)

    def clear(self) -> None:
        """Remove all, and let go of the requests that they hold."""
        with self._lock:
            for rule in self._rules:
                rule.withdrawn.set()
            self._rules.clear()

    def taking(self, exchange: Exchange) -> Fault | None:
        """The first fault that takes a request."""
        with self._lock:
            rule = next((rule for rule in self._rules if rule.takes(exchange)), None)
        if rule is None:
            return None
        exchange.withdrawn = rule.withdrawn
        return rule.fault


class _Rule:
    """A fault at work: how many requests have reached it, and whether it is over."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.withdrawn = threading.Event()
        self._seen = 0

    def takes(self, exchange: Exchange) -> bool:
        if not self.fault.concerns(exchange):
            return False
        self._seen += 1
        passed, times = self.fault.after, self.fault.times
        return self._seen > passed and (times is None or self._seen <= passed + times)


def _page(status: int, title: str) -> Answer:
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Answer(status, body=page.encode()).with_header("content-type", _HTML)


def _with_objects(answer: Answer, change: Callable[[dict[str, Any]], object]) -> Answer:
    try:
        document = parse_json(answer.body)
    except ValueError:
        return answer
    for each in list(_objects(document)):
        change(each)
    return replace(answer, body=compact_json(document).encode())


def _objects(document: object) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        yield document
    if isinstance(document, dict | list):
        for each in document.values() if isinstance(document, dict) else document:
            yield from _objects(each)
