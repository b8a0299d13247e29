"""Failures that every operation on an instance, a connection or a project would repeat, reported in full once.

When a key is refused, a program of fifty resources would otherwise send fifty requests and print fifty errors.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from omni_pulumi import errors


class KnownFailures:
    """The failures of one client. Safe to share between threads."""

    def __init__(self, service: str) -> None:
        """Begin without a failure.

        Args:
            service: name of the instance, for errors, such as ``Omni at https://...``.
        """
        self._service = service
        self._failures: dict[str, errors.Error] = {}
        """By ID of the connection or project. The failure of a whole instance has the empty text as its key."""
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def report_once(self, operation: str, parent_id: str | None) -> Iterator[None]:
        """Run an operation unless it is known to fail, and remember its failure.

        A failure does not end other operations that have begun.

        Args:
            operation: what the operation does, for errors.
            parent_id: ID of the connection or project whose endpoints the operation uses, ``None`` if there is none.

        Raises:
            errors.Error: the operation failed. If the failure is known, the error has its class and refers to the first
                error.
        """
        with self._lock:
            known = self._failures.get("") or self._failures.get(parent_id or "")
        if known is not None:
            raise self._reference(known, operation, parent_id)
        try:
            yield
        except errors.Error as error:
            first = self._remember(error, parent_id)
            if first is None or error.outcome_unknown:
                raise
            raise self._reference(first, operation, parent_id) from None

    def _remember(self, error: errors.Error, parent_id: str | None) -> errors.Error | None:
        """Return the known failure that an error repeats, ``None`` when it is the first one."""
        key = {"instance": "", "parent": parent_id, "request": None}[error.scope]
        if key is None:
            return None
        with self._lock:
            if key in self._failures:
                return self._failures[key]
            self._failures[key] = error
            return None

    def _reference(self, known: errors.Error, operation: str, parent_id: str | None) -> errors.Error:
        if isinstance(known, errors.ConnectError):
            reason = "cannot be reached"
        elif isinstance(known, errors.UnexpectedResponseError):
            reason = "does not answer as its API does"
        elif isinstance(known, errors.NotFoundError):
            reason = f"does not find {parent_id}" if known.scope == "parent" else "does not find its API"
        else:
            reason = f"refused access to {parent_id}" if known.scope == "parent" else "refused the key"
        return known.replace(
            f'Cannot {operation}: {self._service} {reason}, see the error that begins with "Cannot {known.operation}".',
            advice="",
            operation=operation,
            resource_id=None,
            outcome_unknown=False,
        )
