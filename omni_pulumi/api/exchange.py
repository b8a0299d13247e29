"""A request and the response to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from omni_pulumi.api.request import Request


@dataclass(frozen=True)
class Exchange:
    """A request and the response to it.

    Attributes:
        request: the request.
        status: HTTP status of the response.
        headers: headers of the response.
        content: its JSON, or ``NOT_JSON``.
    """

    request: Request
    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: Any = field(repr=False)

    @property
    def rate_limit_headers(self) -> dict[str, str]:
        """The headers of the response that are about a rate limit, with lower-case names."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        return {name: value for name, value in headers.items() if name == "retry-after" or "ratelimit" in name}


Observer = Callable[[Exchange], None]
"""Called with each exchange."""
