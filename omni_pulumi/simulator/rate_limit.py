"""A rate limit for each API key, over a sliding window.

Omni allows 60 requests a minute. Its 429 response has no Retry-After header. Rejected requests do not count.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque


class RateLimit:
    """Limits the requests of each API key.

    Args:
        requests: number of requests allowed per window; None for unlimited.
        seconds: the length of the window.
    """

    def __init__(self, requests: int | None = None, seconds: float = 60.0) -> None:
        self._requests = requests
        self._seconds = seconds
        self._accepted: defaultdict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def exceeded(self, key: str) -> bool:
        """Return whether a new request of this key exceeds the limit. Count the request if it does not."""
        if self._requests is None:
            return False
        now = time.monotonic()
        with self._lock:
            accepted = self._accepted[key]
            while accepted and accepted[0] <= now - self._seconds:
                accepted.popleft()
            if len(accepted) >= self._requests:
                return True
            accepted.append(now)
            return False
