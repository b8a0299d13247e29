"""Trying again: how often, how long to wait, and what counts as evidence that an object exists or is deleted.

Neither service has idempotency keys, and a list may lack a recent change for a moment. So a create is never sent twice
blindly, and an object counts as deleted only after several reads without it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from omni_pulumi import errors
from omni_pulumi.process import PROCESS

T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """How often this package tries, and how long it waits between two tries.

    Attributes:
        request: the most times that a request is sent. 429 does not count: ``totalTimeout`` ends those retries.
        create: how often :func:`create_once` sends a create.
        update: how often the update of a dbt environment is sent, built again from what Omni has then.
        poll_delays: seconds before each read of :func:`poll`, and each create of :func:`retry_while_parent_missing`.
        backoff: seconds before the second try. Each further wait is twice as long.
        longest_backoff: seconds.
        jitter: at most this many seconds are added at random, so that clients do not retry at the same moment.
    """

    request: int = 4
    create: int = 3
    update: int = 3
    poll_delays: tuple[float, ...] = (0.0, 1.0, 2.0)
    backoff: float = 0.5
    longest_backoff: float = 30.0
    jitter: float = 1.0


LIMITS: Final = Limits()


def backoff(failures: int) -> float:
    """Return the seconds to wait after a number of failures: exponential, with jitter."""
    seconds = LIMITS.backoff * 2.0 ** (failures - 1)
    return min(seconds, LIMITS.longest_backoff) + random.uniform(0.0, LIMITS.jitter)  # noqa: S311 - not for secrets


def may_resend(error: errors.Error, *, idempotent: bool) -> bool:
    """Return whether a request may be sent again: it was not processed, or processing it twice does no harm."""
    if isinstance(error, errors.ConnectError | errors.RateLimitError):
        return True
    if isinstance(error, errors.ServerError):
        return idempotent and error.status in {502, 503, 504}
    return idempotent and isinstance(error, errors.ResponseLostError)


def poll(find: Callable[[], T | None]) -> T | None:
    """Read until an object is found, and return ``None`` only after several reads without it.

    Raises:
        errors.Error: a read failed, which says nothing about the object.
        errors.CancelledError: the run is cancelled.
    """
    for seconds in LIMITS.poll_delays:
        if seconds:
            PROCESS.cancellation.sleep(seconds)
        found = find()
        if found is not None:
            return found
    return None


def create_once(create: Callable[[], T], find: Callable[[], T | None], *, advice: str) -> T:
    """Create an object exactly once, even when an answer is lost.

    Args:
        create: sends the request. The ``outcome_unknown`` of its error says whether the object may exist.
        find: reads the list again and returns the object if it is new there.
        advice: what the user can do if the object exists and the list cannot be read.

    Raises:
        errors.PartlyCreatedError: the object may exist, and reading the list failed too.
        errors.Error: the create failed, and several reads have not found the object.
    """
    for attempt in range(1, LIMITS.create + 1):
        try:
            return create()
        except errors.Error as error:
            if attempt == 1 and not error.outcome_unknown:
                raise
            try:
                found = poll(find)
            except errors.Error as failure:
                raise errors.PartlyCreatedError(
                    f"{error.message} Checking whether it was created also failed: {failure.message} {advice}",
                    operation=error.operation,
                    resource_id=None,
                ) from None
            if found is not None:
                return found
            if attempt == LIMITS.create or not may_resend(error, idempotent=True):
                raise error.replace(outcome_unknown=False) from None
    raise AssertionError("unreachable: the last attempt returns or raises")


def write_and_verify(write: Callable[[], object], is_applied: Callable[[], bool | None]) -> None:
    """Write an object. If the response is lost, read the object to see whether the write was applied.

    Args:
        write: sends the request.
        is_applied: reads the object, and returns ``None`` when it is not found.

    Raises:
        errors.ResponseLostError: the response was lost, and the read failed too.
        errors.Error: the write failed, and was not applied.
    """
    try:
        write()
    except errors.Error as error:
        if not error.outcome_unknown:
            raise
        try:
            applied = poll(is_applied)
        except errors.Error as failure:
            raise errors.ResponseLostError(
                f"{error.message} Checking whether it was applied also failed: {failure.message}",
                advice="Run the command again.",
                operation=error.operation,
                resource_id=error.resource_id,
                outcome_unknown=True,
            ) from None
        if not applied:
            raise error.replace(outcome_unknown=False) from None


def retry_while_parent_missing(create: Callable[[], T]) -> T:
    """Create an object whose connection or project may be so new that the service does not find it yet.

    Raises:
        errors.NotFoundError: the service did not find the connection or project in any try.
    """
    for seconds in LIMITS.poll_delays[1:]:
        try:
            return create()
        except errors.NotFoundError:
            PROCESS.cancellation.sleep(seconds)
    return create()
