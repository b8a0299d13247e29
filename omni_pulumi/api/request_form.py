"""Finds out which of two forms of a request an instance accepts, when the vendor documents both."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from omni_pulumi import errors

F = TypeVar("F")
T = TypeVar("T")

_REFUSED_FORM = {400, 422}


class RequestForm(Generic[F]):
    """Two forms of a request, and which one an instance has accepted. Safe to share between threads."""

    def __init__(self, first: F, second: F) -> None:
        """Try ``first`` before ``second``."""
        self._forms = (first, second)
        self._accepted: F | None = None
        self._lock = threading.Lock()

    def send(self, send: Callable[[F], T]) -> T:
        """Send a request in the form that the instance accepts.

        Until a form is accepted, a request that is refused with 400 or 422 is sent in the other form too. These
        statuses mean that nothing was written.

        Raises:
            errors.BadRequestError: the instance refused the request, in both forms when neither is known to be right.
        """
        if self._accepted is not None:
            return send(self._accepted)
        first, second = self._forms
        try:
            return self._send(send, first)
        except errors.BadRequestError as refusal:
            if refusal.status not in _REFUSED_FORM:
                raise
            try:
                return self._send(send, second)
            except errors.BadRequestError as error:
                raise _both(refusal, error) from None

    def _send(self, send: Callable[[F], T], form: F) -> T:
        answer = send(form)
        with self._lock:
            self._accepted = form
        return answer


def _both(first: errors.BadRequestError, second: errors.BadRequestError) -> errors.BadRequestError:
    """Return one error for both refusals, because either form may be the right one."""
    if first.detail == second.detail:
        return first
    return errors.BadRequestError(
        f"{first.message} Omni documents a second form of this request, and answered {second.status} to it: "
        f"{second.detail.rstrip('.')}.",
        advice=first.advice,
        status=first.status,
        detail=f"{first.detail} / {second.detail}",
        operation=first.operation,
        resource_id=first.resource_id,
        outcome_unknown=first.outcome_unknown or second.outcome_unknown,
    )
