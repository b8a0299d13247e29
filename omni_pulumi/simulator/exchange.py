"""One request and what becomes of it: the service carries it out, or not, and an answer leaves, or none.

An answer is held as a whole before any of it is sent, so that a fault can take it, change it or break it.
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

from starlette.responses import Response

from omni_pulumi.simulator.wire import parse_json

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from omni_pulumi.simulator.store import Store

T = TypeVar("T")

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: closing the socket then sends a reset."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer.

    Attributes:
        headers: without Content-Length, which follows from the body; names in lower case.
        withheld: how many bytes more than those of the body are announced; they never come.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = field(default=b"", repr=False)
    withheld: int = 0

    @classmethod
    def of(cls, response: Response) -> Answer:
        """The answer that a response object describes."""
        return cls(response.status_code, _without_length(response.raw_headers), bytes(response.body))

    def with_header(self, name: str, value: str) -> Answer:
        """The same with one header set."""
        others = tuple(header for header in self.headers if header[0] != name.encode())
        return replace(self, headers=(*others, (name.encode(), value.encode())))


Outcome = Answer | Literal["closed", "reset"]
"""What the client gets: an answer, or the connection's end, announced (`closed`) or by a TCP reset."""


@dataclass(frozen=True)
class Service(Generic[T]):
    """What a simulator serves.

    Attributes:
        app: the API on what is stored.
        past: the same API on what was stored before the last change.
        refusal: the service's own answer to a request for this path that it does not carry out, by status.
    """

    app: ASGIApp
    past: ASGIApp
    store: Store[T]
    refusal: Callable[[str, int], Response]


class Exchange:
    """A request that has arrived whole.

    Attributes:
        headers: names in lower case.
        document: the parsed JSON of the body, or None where it is none.
        at: when the request arrived, in seconds of `time.monotonic()`.
        processed: whether the service has dealt with it, be it to refuse it.
        status: the status that the client gets; None until then, and where it gets none.
        withdrawn: set when nothing must hold the request any longer.
    """

    def __init__(self, service: Service[Any], scope: Scope, receive: Receive, body: bytes) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        self.document = _json_or_none(body)
        self.at = time.monotonic()
        self.processed = False
        self.status: int | None = None
        self.withdrawn = threading.Event()
        self._service = service
        self._scope = scope
        self._receive = receive
        self._body = body
        self._transport: asyncio.Transport = scope["state"]["transport"]

    async def process(self, *, past: bool = False) -> Answer:
        """Let the service carry the request out, if asked so on the past."""
        store = self._service.store
        before = None if self.method == "GET" else store.copy()
        answer = await self._ask(self._service.past if past else self._service.app)
        if before is not None and answer.status < 400:
            store.changed(before)
        self.processed = True
        return answer

    def refusal(self, status: int) -> Answer:
        """The service's own error answer of this status."""
        return Answer.of(self._service.refusal(self.path, status))

    async def hold(self, seconds: float = math.inf) -> bool:
        """Wait; False as soon as it is for nothing: the client has gone, or what holds the request is withdrawn."""
        end = time.monotonic() + seconds
        while not (self._transport.is_closing() or self.withdrawn.is_set()):
            left = end - time.monotonic()
            if left <= 0:
                return True
            await asyncio.sleep(min(0.01, left))
        return False

    async def finish(self, outcome: Outcome, send: Send) -> None:
        """Give the client what it gets."""
        if not isinstance(outcome, Answer):
            await self._hang_up(reset=outcome == "reset")
            return
        length = b"%d" % (len(outcome.body) + outcome.withheld)
        headers = [*outcome.headers, (b"content-length", length)]
        await send({"type": "http.response.start", "status": outcome.status, "headers": headers})
        await send({"type": "http.response.body", "body": outcome.body, "more_body": bool(outcome.withheld)})
        if outcome.withheld:
            await self._hang_up(reset=False)

    async def _ask(self, app: ASGIApp) -> Answer:
        messages: list[Message] = []

        async def replay() -> Message:
            return {"type": "http.request", "body": self._body, "more_body": False}

        async def collect(message: Message) -> None:
            messages.append(message)

        await app(dict(self._scope), replay, collect)
        start, *parts = messages
        body = b"".join(part.get("body", b"") for part in parts)
        return Answer(start["status"], _without_length(start["headers"]), body)

    async def _hang_up(self, *, reset: bool) -> None:
        if reset and not self._transport.is_closing():
            connection = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._transport.abort()
        else:
            self._transport.close()
        # The web server complains about a request without an answer unless it knows that the connection is gone.
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _without_length(headers: list[tuple[bytes, bytes]]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.lower(), value) for name, value in headers if name.lower() != b"content-length")


def _json_or_none(body: bytes) -> object:
    try:
        return parse_json(body)
    except ValueError:
        return None
