"""One HTTP request: the service processes it, or a fault does something else, and a response is sent, or none.

The whole response is buffered before any of it is sent, so that a fault can replace, modify or truncate it.
"""

from __future__ import annotations

import asyncio
import math
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar
from urllib.parse import parse_qsl

from omni_pulumi.simulator.json_codec import parse_json

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from omni_pulumi.simulator.store import Store

T = TypeVar("T")

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""The value of SO_LINGER (on, zero seconds) that makes closing the socket send a TCP reset."""


@dataclass(frozen=True)
class BufferedResponse:
    """A complete HTTP response.

    Attributes:
        headers: all headers except Content-Length, which is computed; names in lower case.
        missing_bytes: number of bytes that Content-Length announces but that are never sent.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = field(default=b"", repr=False)
    missing_bytes: int = 0

    @classmethod
    def from_response(cls, response: Response) -> BufferedResponse:
        """Convert a Starlette response."""
        return cls(response.status_code, _without_content_length(response.raw_headers), bytes(response.body))

    def with_header(self, name: str, value: str) -> BufferedResponse:
        """Return a copy with one header set."""
        other_headers = tuple(header for header in self.headers if header[0] != name.encode())
        return replace(self, headers=(*other_headers, (name.encode(), value.encode())))


Outcome = BufferedResponse | Literal["closed", "reset"]
"""What the client receives: a response, a closed connection, or a TCP reset."""


@dataclass(frozen=True)
class Service(Generic[T]):
    """What a simulator serves.

    Attributes:
        app: the API on the current data.
        previous_app: the same API on the data from before the last write request.
        error_response: the service's own error response for a path and a status.
    """

    app: ASGIApp
    previous_app: ASGIApp
    store: Store[T]
    error_response: Callable[[str, int], Response]


class RequestContext:
    """A request whose body has arrived completely.

    Attributes:
        headers: names in lower case.
        json_body: the parsed JSON body, or None if the body is not JSON.
        received_at: when the request arrived, in seconds of `time.monotonic()`.
        processed: whether the service has handled the request, successfully or not.
        status: the status sent to the client; None if no response has been sent.
        cancelled: set when a fault must no longer delay the request.
    """

    def __init__(self, service: Service[Any], scope: Scope, receive: Receive, body: bytes) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        self.json_body = _json_or_none(body)
        self.received_at = time.monotonic()
        self.processed = False
        self.status: int | None = None
        self.cancelled = threading.Event()
        self._service = service
        self._scope = scope
        self._receive = receive
        self._body = body
        self._transport: asyncio.Transport = scope["state"]["transport"]

    async def process(self, *, use_previous_data: bool = False) -> BufferedResponse:
        """Let the service handle the request."""
        store = self._service.store
        before = None if self.method == "GET" else store.copy()
        response = await self._call(self._service.previous_app if use_previous_data else self._service.app)
        if before is not None and response.status < 400:
            store.set_previous(before)
        self.processed = True
        return response

    def error_response(self, status: int) -> BufferedResponse:
        """Return the service's own error response with this status."""
        return BufferedResponse.from_response(self._service.error_response(self.path, status))

    async def wait(self, seconds: float = math.inf) -> bool:
        """Wait. Return False early if the client disconnects or the request is cancelled."""
        deadline = time.monotonic() + seconds
        while not (self._transport.is_closing() or self.cancelled.is_set()):
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return True
            await asyncio.sleep(min(0.01, remaining))
        return False

    async def finish(self, outcome: Outcome, send: Send) -> None:
        """Send the response or end the connection."""
        if not isinstance(outcome, BufferedResponse):
            await self._disconnect(reset=outcome == "reset")
            return
        length = b"%d" % (len(outcome.body) + outcome.missing_bytes)
        headers = [*outcome.headers, (b"content-length", length)]
        await send({"type": "http.response.start", "status": outcome.status, "headers": headers})
        await send({"type": "http.response.body", "body": outcome.body, "more_body": bool(outcome.missing_bytes)})
        if outcome.missing_bytes:
            await self._disconnect(reset=False)

    async def _call(self, app: ASGIApp) -> BufferedResponse:
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": self._body, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        await app(dict(self._scope), receive, send)
        start, *parts = messages
        body = b"".join(part.get("body", b"") for part in parts)
        return BufferedResponse(start["status"], _without_content_length(start["headers"]), body)

    async def _disconnect(self, *, reset: bool) -> None:
        if reset and not self._transport.is_closing():
            connection = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._transport.abort()
        else:
            self._transport.close()
        # uvicorn logs an error if an application returns without a response before uvicorn has seen the disconnect.
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _without_content_length(headers: list[tuple[bytes, bytes]]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.lower(), value) for name, value in headers if name.lower() != b"content-length")


def _json_or_none(body: bytes) -> object:
    try:
        return parse_json(body)
    except ValueError:
        return None
