"""A simulator: a web server in its own thread, started and stopped by a `with` block."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from omni_pulumi.simulator.faults import Fault
from omni_pulumi.simulator.rate_limit import RateLimit
from omni_pulumi.simulator.recorder import RecordedRequest, Recorder
from omni_pulumi.simulator.request_context import Service

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

T = TypeVar("T")

HOST = "127.0.0.1"


class Simulator(Generic[T]):
    """Serves a service on a local port.

    Args:
        service: the service.
        port: the port to listen on; 0 chooses a free port at each start.
        requests_per_minute: rate limit per API key; None for unlimited.
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
        """Return the headers that the service adds to every response."""
        return []

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        if self._listener is None:
            raise RuntimeError(f"{type(self).__name__} has no URL before it is started: use it in a `with` block.")
        return f"http://{HOST}:{self._listener.getsockname()[1]}"

    @property
    def requests(self) -> list[RecordedRequest]:
        """A copy of the recorded requests, in the order of their arrival."""
        return self._recorder.requests

    def clear_requests(self) -> None:
        """Remove all recorded requests."""
        self._recorder.clear()

    def inject(self, *faults: Fault) -> None:
        """Add faults after those injected before."""
        self._recorder.rules.add(*faults)

    def clear_faults(self) -> None:
        """Remove all faults. Close the connections of requests that they delay; those requests are not processed."""
        self._recorder.rules.clear()

    def rate_limit(self, requests: int | None, *, seconds: float = 60.0) -> None:
        """Limit the requests per API key in a sliding window; more get 429. None removes the limit."""
        self._recorder.limit = RateLimit(requests, seconds)

    def reset(self) -> None:
        """Restore the initial state: data, records, faults and rate limit."""
        self.clear_faults()
        self.rate_limit(self._requests_per_minute)
        self._store.reset()
        self.clear_requests()

    def snapshot(self) -> T:
        """Return a copy of the data, for :meth:`restore` of this or another simulator."""
        return self._store.copy()

    def restore(self, snapshot: T) -> None:
        """Replace the data by a snapshot."""
        self._store.restore(snapshot)

    def start(self) -> None:
        """Start the server. Return when it accepts requests."""
        listener = socket.create_server((HOST, self._port))
        # Accepted connections inherit TCP_NODELAY. Without it a response body is delayed by 40 ms (Nagle's algorithm).
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
        """Remove all faults, complete the requests in progress, and close the port."""
        self.clear_faults()
        if self._server and self._thread and self._listener:
            self._server.stop()
            self._thread.join()
            self._listener.close()
        self._listener = self._server = self._thread = None

    def __enter__(self) -> Self:
        """Start the simulator."""
        self.start()
        return self

    def __exit__(
        self, error_class: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the simulator."""
        self.stop()


class _Server(uvicorn.Server):
    """A uvicorn server that sets `ready` when it is up, and stops at once without checking often whether it should."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    def stop(self) -> None:
        """Complete the requests in progress, and end the server's thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)

    async def main_loop(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self.ready.set()
        while not self._stopping.is_set():
            await self.on_tick(counter=0)  # sets the header Date
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), timeout=1)


class _Protocol(H11Protocol):
    """uvicorn's protocol with the transport in the state of each request, for faults that break the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # same as in uvicorn
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}
