"""The one layer through which every request of a simulator passes.

It stands around the service as an ASGI application, sees each request before the service does and each answer before
the client does, and keeps a record. Whatever must happen to requests in general belongs here, not in an endpoint.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from omni_pulumi.simulator.wire import parse_json

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True)
class RecordedRequest:
    """A request that reached a simulator, and the status it was answered with.

    Body and headers stay out of the printed form: they hold tokens, and a failing test prints its values.

    Attributes:
        path: without the query.
        body: the parsed JSON, or None where the body was none.
        headers: names in lower case.
        at: when the request arrived, in seconds of `time.monotonic()`.
    """

    method: str
    path: str
    query: dict[str, str]
    status: int
    body: object = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    at: float


class Recorder:
    """An ASGI layer around a service that records each request the moment its answer begins.

    By then the client cannot have seen the answer, so a test never looks at the records too early.
    """

    def __init__(self, app: ASGIApp, *, on_request: Callable[[RecordedRequest], None] | None = None) -> None:
        self._app = app
        self._on_request = on_request
        self._requests: list[RecordedRequest] = []
        self._lock = threading.Lock()

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests so far, in the order of their arrival."""
        with self._lock:
            return sorted(self._requests, key=lambda request: request.at)

    def clear(self) -> None:
        """Forget the requests so far."""
        with self._lock:
            self._requests.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on to the service, and its answer back."""
        at = time.monotonic()
        body = await _whole_body(receive)
        if body is None:
            return

        async def replay() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def note_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(scope, body, message["status"], at)
            await send(message)

        await self._app(scope, replay, note_and_send)

    def _note(self, scope: Scope, body: bytes, status: int, at: float) -> None:
        request = RecordedRequest(
            method=scope["method"],
            path=scope["path"],
            query=dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
            status=status,
            body=_json_or_none(body),
            headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
            at=at,
        )
        with self._lock:
            self._requests.append(request)
        if self._on_request:
            self._on_request(request)


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


def _json_or_none(body: bytes) -> object:
    try:
        return parse_json(body)
    except ValueError:
        return None
