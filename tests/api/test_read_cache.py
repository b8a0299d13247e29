"""The read cache: threads share the result of one read, which writes change or invalidate."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from omni_pulumi import errors
from omni_pulumi.api.read_cache import ReadCache
from omni_pulumi.process import PROCESS


def test_concurrent_reads_share_one_result() -> None:
    """Eight threads that read one key at the same time cause one read. A later read of this key causes none."""
    cache: ReadCache[int] = ReadCache()
    calls: list[int] = []

    def fetch() -> int:
        calls.append(1)
        time.sleep(0.05)
        return len(calls)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: cache.get("list", fetch), range(8))) == [1] * 8
    assert cache.get("list", fetch) == 1
    assert cache.get("another list", fetch) == 2


def test_a_write_invalidates_the_cache() -> None:
    """After a write, also one that fails, no caller gets a result from before it.

    A read that began before the write returns its result to its own caller, and the cache does not keep it.
    """
    cache: ReadCache[str] = ReadCache()
    assert cache.get("list", lambda: "old") == "old"
    with pytest.raises(ValueError, match="refused"), cache.writing("list"):
        raise ValueError("refused")
    assert cache.get("list", lambda: "new") == "new"

    started, may_finish = threading.Event(), threading.Event()

    def slow_fetch() -> str:
        started.set()
        may_finish.wait()
        return "from before the write"

    cache.invalidate("list")
    with ThreadPoolExecutor(1) as threads:
        slow_read = threads.submit(cache.get, "list", slow_fetch)
        started.wait()
        cache.invalidate("list")
        assert cache.get("list", lambda: "from after the write") == "from after the write"
        may_finish.set()
        assert slow_read.result() == "from before the write"
    assert cache.get("list", lambda: "another") == "from after the write"


def test_a_write_changes_the_cached_result() -> None:
    """A write that knows what it changes spares the next read, also when a read is under way."""
    cache: ReadCache[list[str]] = ReadCache()
    cache.get("list", lambda: ["a"])
    with cache.writing("list") as apply:
        apply(lambda names: [*names, "b"])
    assert cache.get("list", list) == ["a", "b"]

    started, may_finish = threading.Event(), threading.Event()

    def slow_fetch() -> list[str]:
        started.set()
        may_finish.wait()
        return ["c"]

    cache.invalidate("list")
    with ThreadPoolExecutor(1) as threads:
        slow_read = threads.submit(cache.get, "list", slow_fetch)
        started.wait()
        with cache.writing("list") as apply:
            apply(lambda names: [*names, "d"])
        may_finish.set()
        assert slow_read.result() == ["c", "d"]
    assert cache.get("list", list) == ["c", "d"]


def test_a_write_does_not_make_a_result_younger(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 5 seconds the list is read again, because somebody else may have changed it."""
    now = 0.0
    monkeypatch.setattr(PROCESS, "clock", lambda: now)
    cache: ReadCache[list[str]] = ReadCache()
    cache.get("list", lambda: ["a"])
    now = 4.0
    with cache.writing("list") as apply:
        apply(lambda names: [*names, "b"])
    assert cache.get("list", list) == ["a", "b"]
    now = 5.0
    assert cache.get("list", lambda: ["c"]) == ["c"]


def test_an_error_is_not_cached() -> None:
    """A read that fails raises its error, and the next caller reads again."""
    cache: ReadCache[str] = ReadCache()

    def fail() -> str:
        raise errors.RequestError("no answer")

    with pytest.raises(errors.RequestError):
        cache.get("list", fail)
    assert cache.get("list", lambda: "found") == "found"
