"""The client-side rate limit of an API key, and what happens when the service refuses a request all the same.

Omni allows 60 requests a minute for each key, counts the requests of all processes that use it, and answers 429 without
a ``Retry-After`` header. So several stacks with one key must slow down without knowing of each other.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections import deque
from typing import Final

from pyrate_limiter import InMemoryBucket, Limiter, Rate, SingleBucketFactory

from omni_pulumi.api.retry import backoff
from omni_pulumi.process import PROCESS

_log = logging.getLogger(__name__)

_MINUTE: Final = 60.0
"""In seconds."""

_WINDOW: Final = 61.0
"""Seconds in which the limit applies here. The service counts requests when they arrive, and the first one of a process
takes longer. With a window of a minute, the first request of the next window could arrive too early."""

_THROTTLED_PER_MINUTE: Final = 30
"""The limit after a 429 when there is no other limit. Otherwise it is half of the limit."""


class RateLimiter:
    """Limits the requests of one API key. Safe to share between threads.

    After a 429 all threads pause. Then they send at half of the limit for a minute, one after the other, so that a
    further 429 stops them before they all have sent a request.
    """

    def __init__(self, name: str, requests_per_minute: int | None) -> None:
        """Begin with a full limit.

        Args:
            name: name of the instance, for warnings.
            requests_per_minute: the limit, ``None`` for none.
        """
        self._name = name
        self._per_minute = requests_per_minute
        self._limiter = _limiter(requests_per_minute, _WINDOW) if requests_per_minute else None
        self._throttled_per_minute = max(1, requests_per_minute // 2) if requests_per_minute else _THROTTLED_PER_MINUTE
        self._throttled = _limiter(1, _MINUTE / self._throttled_per_minute)
        self._sent: deque[float] = deque(maxlen=requests_per_minute or 1)
        self._pauses = 0
        self._consecutive_refusals = 0
        self._paused_until = 0.0
        self._throttled_until = 0.0
        self._silent_until: dict[str, float] = {}
        self._lock = threading.Lock()
        self._acquiring = threading.Lock()

    def wait(self) -> int:
        """Wait until another request may be sent, and return the number of pauses until then.

        Raises:
            CancelledError: the run is cancelled.
        """
        if self._limiter and not self._acquire(self._limiter):
            self._warn(f"rate limit of {self._per_minute} requests/min reached; waiting")
            PROCESS.cancellation.wait_until(functools.partial(self._acquire, self._limiter))
        while True:
            pauses, seconds = self._pauses, self._paused_until - time.monotonic()
            if seconds > 0:
                PROCESS.cancellation.sleep(seconds)
            if time.monotonic() < self._throttled_until:
                PROCESS.cancellation.wait_until(functools.partial(self._acquire, self._throttled))
            with self._lock:
                if pauses == self._pauses:
                    self._sent.append(time.monotonic())
                    return pauses

    def accept(self) -> None:
        """Note that the service accepted a request."""
        with self._lock:
            self._consecutive_refusals = 0

    def refuse(self, pauses: int, retry_after: float | None) -> float:
        """Pause because the service answered 429, and return the seconds until the end of the pause.

        The first pause is short. After a second refusal the key is used up, so the pause lasts until the oldest request
        of this process is a minute old: then the service accepts requests again.

        Args:
            pauses: what :meth:`wait` returned before the request. A request that was sent before the last pause began
                causes no other pause.
            retry_after: seconds of the ``Retry-After`` header, ``None`` when there is none.
        """
        now = time.monotonic()
        with self._lock:
            if pauses == self._pauses:
                self._pauses += 1
                self._consecutive_refusals += 1
                self._paused_until = now + (self._pause(now) if retry_after is None else retry_after)
                self._throttled_until = self._paused_until + _MINUTE
            seconds = max(0.0, self._paused_until - now)
        self._warn(
            "429 Too Many Requests. Another process may use the same API key. Requests pause, then continue at "
            f"{self._throttled_per_minute} requests/min"
        )
        return seconds

    def _pause(self, now: float) -> float:
        seconds = backoff(self._consecutive_refusals)
        if self._per_minute is None or self._consecutive_refusals == 1:
            return seconds
        while len(self._sent) > 1 and self._sent[0] < now - _MINUTE:
            self._sent.popleft()
        return max(seconds, self._sent[0] + _MINUTE - now)

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
            self._silent_until[reason] = now + _MINUTE
        _log.warning("%s: %s", self._name, reason)


def _limiter(requests: int, seconds: float) -> Limiter:
    """Return a limiter without the thread that forgets old requests: one command sends too few to need it."""
    bucket = InMemoryBucket([Rate(requests, max(1, int(seconds * 1000)))])
    return Limiter(SingleBucketFactory(bucket, schedule_leak=False))
