"""A simulator's life: a web server in a thread of its own, started and stopped with a `with` block."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from omni_pulumi.simulator.exchange import Service
from omni_pulumi.simulator.faults import Fault
from omni_pulumi.simulator.rate_limit import RateLimit
from omni_pulumi.simulator.recording import RecordedRequest, Recorder

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

T = TypeVar("T")

HOST = "127.0.0.1"


class Simulator(Generic[T]):
    """A service on a port of this machine.

    Args:
        service: what it serves.
        port: where to listen; 0 takes a free port, and another one on each start.
        requests_per_minute: how many requests a key may make; None for any number.
        on_request: called with each request, in the server's thread.
    """

    def __init__(
        self,
        service: Service[T],
        *,
        port: int = 0,
        requests_per_minute: int | None = None,
        on_request: Callable[[RecordedRequest], None] | None = None,
    ) -> None:
        self._port = port
        self._requests_per_minute = requests_per_minute
        self._store = service.store
        self._lock = service.store.lock
        self._recorder = Recorder(service, RateLimit(requests_per_minute), on_request=on_request)
        self._listener: socket.socket | None = None
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def _response_headers(self) -> list[tuple[str, str]]:
        """What the service adds to every answer."""
        return []

    @property
    def url(self) -> str:
        """The address, without a slash at its end."""
        if self._listener is None:
            raise RuntimeError(f"{type(self).__name__} has no address before it is started: use it in a `with` block.")
        return f"http://{HOST}:{self._listener.getsockname()[1]}"

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests so far, in the order of their arrival: a copy."""
        return self._recorder.requests

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        self._recorder.clear()

    def inject(self, *faults: Fault) -> None:
        """Let requests fail from now on, behind the faults that are at work already."""
        self._recorder.rules.add(*faults)

    def clear_faults(self) -> None:
        """Remove all faults. Requests that they hold back end without an answer, and without being carried out."""
        self._recorder.rules.clear()

    def rate_limit(self, requests: int | None, *, seconds: float = 60.0) -> None:
        """Refuse with 429 what a key asks beyond so many requests in any such stretch of time; None ends the limit."""
        self._recorder.limit = RateLimit(requests, seconds)

    def reset(self) -> None:
        """Forget everything stored and recorded, and every fault, as if freshly started."""
        self.clear_faults()
        self.rate_limit(self._requests_per_minute)
        self._store.reset()
        self.clear_requests()

    def snapshot(self) -> T:
        """Return a copy of everything stored, for :meth:`restore` of this simulator or of another one."""
        return self._store.copy()

    def restore(self, snapshot: T) -> None:
        """Store what a snapshot holds, in the place of what is stored now."""
        self._store.restore(snapshot)

    def start(self) -> None:
        """Listen and serve; returns when requests are answered."""
        listener = socket.create_server((HOST, self._port))
        # Connections take this over. Without it, an answer's body waits 40 ms for its head to be acknowledged.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            self._recorder,
            loop="asyncio",
            http=_Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            headers=self._response_headers(),
            timeout_graceful_shutdown=1,
        )
        self._listener, self._server = listener, _Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name=f"{type(self).__name__} on {self.url}", daemon=True
        )
        self._thread.start()
        self._server.ready.wait()

    def stop(self) -> None:
        """Remove all faults, finish the requests under way, then close the port."""
        self.clear_faults()
        if self._server and self._thread and self._listener:
            self._server.should_exit = True
            self._thread.join()
            self._listener.close()
        self._listener = self._server = self._thread = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


class _Server(uvicorn.Server):
    """uvicorn that tells when it is up and looks every few milliseconds whether it should stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def main_loop(self) -> None:
        self.ready.set()
        while not await self.on_tick(counter=0):
            await asyncio.sleep(0.01)


class _Protocol(H11Protocol):
    """uvicorn's protocol, except that each request comes with its connection, for the faults that break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}
