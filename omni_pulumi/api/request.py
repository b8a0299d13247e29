"""A request to a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request to a service, and what retries and errors need to know about it.

    Attributes:
        method: HTTP method.
        path: path below the instance's URL.
        operation: what the request does, for errors: ``read the dbt configuration of connection <id>``.
        resource_id: ID of the object, for errors. ``None`` when it has none yet, or when there are many.
        parent_id: ID of the connection or project in the path, ``None`` when there is none.
        body: JSON body, ``None`` for no body.
        params: query parameters.
        secrets: values of the body. They are masked in errors, because a service may repeat them.
        idempotent: whether sending the request twice has the effect of sending it once.
    """

    method: str
    path: str
    operation: str
    resource_id: str | None = None
    parent_id: str | None = None
    body: object = field(default=None, repr=False)
    params: Mapping[str, str] | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    idempotent: bool = True

    @property
    def is_write(self) -> bool:
        """Whether the request may change something."""
        return self.method != "GET"
