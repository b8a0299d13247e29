"""How fast requests may follow each other: a budget per minute, and a slower pace for a while after a 429.

Omni allows 60 requests a minute for each key and answers 429 earlier at times, without saying when to come back.
"""

from __future__ import annotations

import functools
import logging
import threading
import time

from pyrate_limiter import Limiter, Rate

from omni_pulumi.api import waiting

_log = logging.getLogger(__name__)

_MINUTE = 60_000
"""In milliseconds."""

_SLOW_SECONDS = 60.0
_SLOW_PER_MINUTE = 30
"""The slower pace is half of the budget, and this where there is no budget."""


class Budget:
    """Lets a thread pass when the budget allows another request. Shared by all who use the same key."""

    def __init__(self, name: str, requests_per_minute: int | None) -> None:
        """Begin with a full budget of ``requests_per_minute``, unlimited when ``None``; ``name`` is for messages."""
        self._name = name
        self._per_minute = requests_per_minute
        self._usual = Limiter(Rate(requests_per_minute, _MINUTE)) if requests_per_minute else None
        self._slow_per_minute = max(1, requests_per_minute // 2) if requests_per_minute else _SLOW_PER_MINUTE
        self._slow = Limiter(Rate(1, max(1, _MINUTE // self._slow_per_minute)))
        self._slow_until = 0.0
        self._told_until: dict[str, float] = {}
        self._lock = threading.Lock()
        self._asking = threading.Lock()

    def wait(self) -> None:
        """Wait until another request may be sent.

        Raises:
            errors.CancelledError: the run was cancelled.
        """
        if self._usual and not self._passes(self._usual):
            self._tell(f"the rate limit of {self._per_minute} requests a minute is reached, so requests wait")
            waiting.until(functools.partial(self._passes, self._usual))
        if time.monotonic() < self._slow_until:
            waiting.until(functools.partial(self._passes, self._slow))

    def _passes(self, limiter: Limiter) -> bool:
        """Ask one thread after the other: to two at once the limiter says no, whatever is left."""
        with self._asking:
            return limiter.try_acquire(self._name, blocking=False) is True

    def slow_down(self) -> None:
        """Keep to the slower pace for a while: the service has answered 429."""
        with self._lock:
            self._slow_until = time.monotonic() + _SLOW_SECONDS
        self._tell(
            f"it answers 429 Too Many Requests, so requests wait, then go on at {self._slow_per_minute} a minute"
        )

    def _tell(self, reason: str) -> None:
        """Say why it is slow, at most once a minute for each reason."""
        now = time.monotonic()
        with self._lock:
            if now < self._told_until.get(reason, 0.0):
                return
            self._told_until[reason] = now + _SLOW_SECONDS
        _log.warning("%s: %s", self._name, reason)
