"""Waiting that Ctrl-C ends. Requests under way are not interrupted: what they do must not be lost sight of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from omni_pulumi.api import errors

_LOOK_SECONDS = 0.05
_LOOKS = (0, 1, 2)
"""Seconds before each look."""

_cancelled = threading.Event()


def pause(seconds: float) -> None:
    """Wait before another try.

    Raises:
        errors.CancelledError: the run was cancelled.
    """
    if _cancelled.wait(seconds):
        raise errors.CancelledError("Cancelled while a request waited to be sent.")


def looks() -> Iterator[None]:
    """A few looks at what may be behind for a moment: at once, after one second, and after two more.

    Raises:
        errors.CancelledError: the run was cancelled.
    """
    for seconds in _LOOKS:
        if seconds:
            pause(seconds)
        yield


def until(ready: Callable[[], bool]) -> None:
    """Wait until something is ready.

    Raises:
        errors.CancelledError: the run was cancelled.
    """
    while not ready():
        if _cancelled.wait(_LOOK_SECONDS):
            raise errors.CancelledError("Cancelled while a request waited to be sent.")


def cancel() -> None:
    """End all waiting in this process, now and from now on."""
    _cancelled.set()


def reset() -> None:
    """Forget a cancellation."""
    _cancelled.clear()
