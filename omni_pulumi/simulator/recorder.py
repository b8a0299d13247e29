"""The ASGI middleware that every request to a simulator passes: records requests, applies rate limit and faults."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from omni_pulumi.simulator.faults import Fault, FaultRules
from omni_pulumi.simulator.rate_limit import RateLimit
from omni_pulumi.simulator.request_context import BufferedResponse, Outcome, RequestContext, Service

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


@dataclass(frozen=True)
class RecordedRequest:
    """A request that a simulator received, and the status of its response.

    `repr` omits body and headers: they contain tokens, and a failing test prints its values.

    Attributes:
        path: the path without the query.
        status: the status sent to the client; None if no response has been sent.
        body: the parsed JSON body, or None if the body is not JSON.
        headers: names in lower case.
        received_at: when the request arrived, in seconds of `time.monotonic()`.
        processed: whether the service has handled the request, successfully or not. False if a fault or the rate limit
            responded instead.
        fault: the fault that matched the request.
    """

    method: str
    path: str
    query: dict[str, str]
    status: int | None
    body: object = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    received_at: float
    processed: bool = True
    fault: Fault | None = None


class Recorder:
    """Wraps a service. Records a request when it has arrived, and its status before the response is sent.

    A test that has received a response, or has timed out waiting for it, therefore finds the request recorded.

    Attributes:
        rules: the injected faults.
        limit: the rate limit. Requests that it rejects reach no fault.
    """

    def __init__(
        self, service: Service[Any], limit: RateLimit, *, on_request: Callable[[RecordedRequest], None] | None = None
    ) -> None:
        self.rules = FaultRules()
        self.limit = limit
        self._service = service
        self._on_request = on_request
        self._requests: list[tuple[RequestContext, Fault | None]] = []
        self._lock = threading.Lock()

    @property
    def requests(self) -> list[RecordedRequest]:
        """The recorded requests, in the order of their arrival."""
        with self._lock:
            return [_record(*each) for each in sorted(self._requests, key=lambda each: each[0].received_at)]

    def clear(self) -> None:
        """Remove all records, including those of requests in progress."""
        with self._lock:
            self._requests.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        body = await _read_body(receive)
        if body is None:
            return
        request = RequestContext(self._service, scope, receive, body)
        limited = self.limit.exceeded(request.headers.get("authorization", ""))
        fault = None if limited else self.rules.match(request)
        with self._lock:
            self._requests.append((request, fault))

        outcome: Outcome
        if limited:
            outcome = request.error_response(429)
        else:
            outcome = await (fault.outcome(request) if fault else request.process())
        request.status = outcome.status if isinstance(outcome, BufferedResponse) else None
        if self._on_request:
            self._on_request(_record(request, fault))
        await request.finish(outcome, send)


def _record(request: RequestContext, fault: Fault | None) -> RecordedRequest:
    return RecordedRequest(
        method=request.method,
        path=request.path,
        query=request.query,
        status=request.status,
        body=request.json_body,
        headers=request.headers,
        received_at=request.received_at,
        processed=request.processed,
        fault=fault,
    )


async def _read_body(receive: Receive) -> bytes | None:
    """Return the request body, or None if the client disconnects before it is complete."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)
