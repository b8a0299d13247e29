"""The client-side rate limit of an API key.

Omni allows 60 requests a minute for each key. It may answer 429 earlier, without a ``Retry-After`` header.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from typing import Final

from pyrate_limiter import Limiter, Rate

from omni_pulumi.process import PROCESS

_log = logging.getLogger(__name__)

_MINUTE: Final = 60_000
"""In milliseconds."""

_THROTTLE_SECONDS: Final = 60.0
_THROTTLED_PER_MINUTE: Final = 30
"""The limit after a 429 when there is no other limit. Otherwise it is half of the limit."""


class RateLimiter:
    """Limits the requests of one API key. Safe to share between threads."""

    def __init__(self, name: str, requests_per_minute: int | None) -> None:
        """Begin with a full limit.

        Args:
            name: name of the instance, for warnings.
            requests_per_minute: the limit, ``None`` for none.
        """
        self._name = name
        self._per_minute = requests_per_minute
        self._limiter = Limiter(Rate(requests_per_minute, _MINUTE)) if requests_per_minute else None
        self._throttled_per_minute = max(1, requests_per_minute // 2) if requests_per_minute else _THROTTLED_PER_MINUTE
        self._throttled = Limiter(Rate(1, max(1, _MINUTE // self._throttled_per_minute)))
        self._throttled_until = 0.0
        self._silent_until: dict[str, float] = {}
        self._lock = threading.Lock()
        self._acquiring = threading.Lock()

    def wait(self) -> None:
        """Wait until another request may be sent.

        Raises:
            CancelledError: the run is cancelled.
        """
        if self._limiter and not self._acquire(self._limiter):
            self._warn(f"rate limit of {self._per_minute} requests/min reached; waiting")
            PROCESS.cancellation.wait_until(functools.partial(self._acquire, self._limiter))
        if time.monotonic() < self._throttled_until:
            PROCESS.cancellation.wait_until(functools.partial(self._acquire, self._throttled))

    def throttle(self) -> None:
        """Halve the rate for a minute, because the service answered 429."""
        with self._lock:
            self._throttled_until = time.monotonic() + _THROTTLE_SECONDS
        self._warn(f"429 Too Many Requests; waiting, then sending {self._throttled_per_minute} requests/min")

    def _acquire(self, limiter: Limiter) -> bool:
        """Let one thread ask at a time: the limiter refuses both of two that ask at once."""
        with self._acquiring:
            return limiter.try_acquire(self._name, blocking=False) is True

    def _warn(self, reason: str) -> None:
        """Log a reason at most once a minute."""
        now = time.monotonic()
        with self._lock:
            if now < self._silent_until.get(reason, 0.0):
                return
            self._silent_until[reason] = now + _THROTTLE_SECONDS
        _log.warning("%s: %s", self._name, reason)
