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


Observer = Callable[[Exchange], None]
"""Called with each exchange."""
