"""The client-side rate limit: how many requests per minute it lets through, and what it logs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from omni_pulumi import errors
from omni_pulumi.api.rate_limiter import RateLimiter
from omni_pulumi.process import PROCESS
from tests.logged import warnings


@pytest.fixture
def _reset_process() -> Iterator[None]:
    """Undo a cancellation after the test."""
    yield
    PROCESS.reset()


@pytest.mark.usefixtures("_reset_process")
def test_threads_share_the_rate_limit(log: pytest.LogCaptureFixture) -> None:
    """With a limit of 5, 5 of 8 threads pass. The other 3 wait until Ctrl-C. One warning names the limit."""
    limiter = RateLimiter("Omni", 5)
    passed: list[int] = []
    cancelled: list[int] = []

    def wait() -> None:
        try:
            limiter.wait()
            passed.append(1)
        except errors.CancelledError:
            cancelled.append(1)

    threads = [threading.Thread(target=wait) for _ in range(8)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and not (len(passed) >= 5 and log.records):
        time.sleep(0.01)
    assert len(passed) == 5
    (warning,) = warnings(log)
    assert " 5 " in warning
    PROCESS.cancellation.cancel()
    for thread in threads:
        thread.join()
    assert len(cancelled) == 3


def test_a_limiter_starts_no_thread() -> None:
    """A provider process has one limiter for each key. Without its threads a command starts faster."""
    before = threading.active_count()
    RateLimiter("Omni", 60).wait()
    assert threading.active_count() == before


def test_each_reason_to_wait_is_logged_once(log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reached limit and a 429 are different reasons. The log has one warning a minute for each."""
    monkeypatch.setattr(PROCESS.cancellation, "wait_until", lambda _ready: None)
    limiter = RateLimiter("Omni", 1)
    limiter.wait()
    for _ in range(3):
        limiter.refuse(limiter.wait(), None)
    first, second = warnings(log)
    assert " 1 " in first
    assert "429" in second


def test_concurrent_requests_below_the_limit_log_no_warning(log: pytest.LogCaptureFixture) -> None:
    """Threads that wait for the limiter's lock have not reached the limit."""
    limiter = RateLimiter("Omni", 1_000_000)
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(limiter.wait) for _ in range(2_000)]:
            done.result()
    assert log.messages == []


def test_a_429_pauses_all_threads(sleeps: list[float]) -> None:
    """After a 429 every request waits, and one that was sent before the pause causes no other pause."""
    limiter = RateLimiter("Omni", 1_000_000)
    first, second = limiter.wait(), limiter.wait()
    seconds = limiter.refuse(first, 5.0)
    assert seconds == pytest.approx(5.0, abs=1)
    assert limiter.refuse(second, 50.0) == pytest.approx(5.0, abs=1)
    limiter.wait()
    assert sleeps == [pytest.approx(5.0, abs=1)]


def test_a_second_429_waits_for_the_end_of_the_minute(sleeps: list[float]) -> None:
    """A first 429 may be a mistake. After a second one, requests wait until the oldest one is a minute old."""
    limiter = RateLimiter("Omni", 1_000_000)
    assert limiter.refuse(limiter.wait(), None) < 2
    assert limiter.refuse(limiter.wait(), None) == pytest.approx(60, abs=2)
    limiter.accept()
    assert limiter.refuse(limiter.wait(), None) < 2
    assert len(sleeps) == 2


@pytest.mark.usefixtures("sleeps")
def test_without_a_limit_pauses_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows when a service without a known limit accepts requests again, so each pause is longer."""
    monkeypatch.setattr(PROCESS.cancellation, "wait_until", lambda _ready: None)
    limiter = RateLimiter("Lightdash", None)
    pauses = [limiter.refuse(limiter.wait(), None) for _ in range(8)]
    assert pauses[0] < pauses[3] < pauses[6] <= 31
