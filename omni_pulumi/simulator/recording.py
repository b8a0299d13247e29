"""The one layer through which every request of a simulator passes.

It stands around the service as an ASGI application, sees each request before the service does and each answer before
the client does, and keeps a record. Whatever must happen to requests in general belongs here, not in an endpoint.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from omni_pulumi.simulator.exchange import Answer, Exchange, Outcome, Service
from omni_pulumi.simulator.faults import Fault, Rules
from omni_pulumi.simulator.rate_limit import RateLimit

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


@dataclass(frozen=True)
class RecordedRequest:
    """A request that reached a simulator, and the status it was answered with.

    Body and headers stay out of the printed form: they hold tokens, and a failing test prints its values.

    Attributes:
        path: without the query.
        status: the status that the client saw; None where it saw none, or none yet.
        body: the parsed JSON, or None where the body was none.
        headers: names in lower case.
        at: when the request arrived, in seconds of `time.monotonic()`.
        processed: whether the service has dealt with it, be it to refuse it. False where a fault or the rate limit has
            answered in its place.
        fault: the fault that befell it.
    """

    method: str
    path: str
    query: dict[str, str]
    status: int | None
    body: object = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    at: float
    processed: bool = True
    fault: Fault | None = None


class Recorder:
    """An ASGI layer around a service that records each request when it has arrived, and its status before it is sent.

    So a test that has seen an answer, or given up waiting for one, never looks at the records too early.

    Attributes:
        rules: the faults at work.
        limit: how many requests a key may make. What it refuses reaches no fault.
    """

    def __init__(
        self, service: Service[Any], limit: RateLimit, *, on_request: Callable[[RecordedRequest], None] | None = None
    ) -> None:
        self.rules = Rules()
        self.limit = limit
        self._service = service
        self._on_request = on_request
        self._exchanges: list[tuple[Exchange, Fault | None]] = []
        self._lock = threading.Lock()

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests so far, in the order of their arrival."""
        with self._lock:
            return [_record(*each) for each in sorted(self._exchanges, key=lambda each: each[0].at)]

    def clear(self) -> None:
        """Forget the requests so far, also those that are under way."""
        with self._lock:
            self._exchanges.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request to its end."""
        body = await _whole_body(receive)
        if body is None:
            return
        exchange = Exchange(self._service, scope, receive, body)
        limited = self.limit.exceeded(exchange.headers.get("authorization", ""))
        fault = None if limited else self.rules.taking(exchange)
        with self._lock:
            self._exchanges.append((exchange, fault))

        outcome: Outcome
        if limited:
            outcome = exchange.refusal(429)
        else:
            outcome = await (fault.outcome(exchange) if fault else exchange.process())
        exchange.status = outcome.status if isinstance(outcome, Answer) else None
        if self._on_request:
            self._on_request(_record(exchange, fault))
        await exchange.finish(outcome, send)


def _record(exchange: Exchange, fault: Fault | None) -> RecordedRequest:
    return RecordedRequest(
        method=exchange.method,
        path=exchange.path,
        query=exchange.query,
        status=exchange.status,
        body=exchange.document,
        headers=exchange.headers,
        at=exchange.at,
        processed=exchange.processed,
        fault=fault,
    )


async def _whole_body(receive: Receive) -> bytes | None:
    """A request's body, or None when the client went away before its end: half a request changes nothing."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)
