"""One instance of a service, and what every client of one has in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from omni_pulumi.api.known_failures import KnownFailures
    from omni_pulumi.api.read_cache import ReadCache


@dataclass(frozen=True)
class Instance:
    """One instance of a service, with the API key and the limits of its client.

    Attributes:
        url: address without ``/api`` and without a trailing slash.
        api_key: the API key.
        requests_per_minute: client-side rate limit of the API key, ``None`` for no limit.
        connect_timeout: seconds to connect.
        read_timeout: seconds to wait for a response.
        total_timeout: deadline in seconds for all retries of a request.
    """

    url: str
    api_key: str = field(repr=False)
    requests_per_minute: int | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    total_timeout: float = 300.0


class Client(Protocol):
    """Sends requests to one instance of a service.

    Attributes:
        failures: the failures that further requests would repeat.
        lookups: the lists that functions of a program have read. They do not expire.
    """

    failures: KnownFailures
    lookups: ReadCache[Any]

    def close(self) -> None:
        """Close the connections."""

    def invalidate_lists(self) -> None:
        """Read each list again before it is used."""
