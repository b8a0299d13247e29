"""A request limit per key, over a sliding window.

Omni's is 60 a minute, and its 429 says nothing about when to come back. Requests that were refused do not count.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque


class RateLimit:
    """How many requests a key may make in any stretch of time.

    Args:
        requests: how many; None for any number.
        seconds: the length of the stretch.
    """

    def __init__(self, requests: int | None = None, seconds: float = 60.0) -> None:
        self._requests = requests
        self._seconds = seconds
        self._granted: defaultdict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def exceeded(self, key: str) -> bool:
        """Whether a request that has just come is one too many; counts it if not."""
        if self._requests is None:
            return False
        now = time.monotonic()
        with self._lock:
            granted = self._granted[key]
            while granted and granted[0] <= now - self._seconds:
                granted.popleft()
            if len(granted) >= self._requests:
                return True
            granted.append(now)
            return False
