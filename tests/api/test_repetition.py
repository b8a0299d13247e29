"""What is sent again and what is not, how fast, and how long: the transport against real HTTP with faults."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from omni_pulumi.api import errors
from omni_pulumi.api.instance import Instance
from omni_pulumi.api.rate_limiter import RateLimiter
from omni_pulumi.api.read_cache import ReadCache
from omni_pulumi.api.request import Request
from omni_pulumi.api.transport import Transport
from omni_pulumi.process import PROCESS
from omni_pulumi.simulator import PAGES, OmniSimulator, faults
from tests.logged import warnings

SLEEP = PROCESS.cancellation.sleep
LOST = [faults.Reset, faults.Close]


@pytest.fixture
def _new_process() -> Iterator[None]:
    """The tests that follow know nothing of a cancellation in this one."""
    yield
    PROCESS.reset()


@pytest.fixture
def omni(omni_services: dict[str, OmniSimulator]) -> OmniSimulator:
    """An empty Omni of one dialect: requests are the same in both."""
    omni = omni_services["pages"]
    omni.reset()
    assert omni.dialect == PAGES
    return omni


@pytest.fixture
def asker(omni: OmniSimulator) -> Iterator[Transport]:
    """A transport to it."""
    made = Transport("Omni", Instance(omni.url, omni.api_key, requests_per_minute=6000), "Bearer")
    yield made
    made.close()


def read(asker: Transport, omni: OmniSimulator) -> Any:
    """A request that may be repeated."""
    return asker.send(Request(method="GET", path=f"/api/v1/connections/{omni.connection_id}/dbt", operation="read"))


def write(asker: Transport, omni: OmniSimulator) -> Any:
    """A write that may be repeated."""
    path = f"/api/v1/connections/{omni.connection_id}/dbt"
    return asker.send(Request(method="PUT", path=path, operation="write", resource_id=omni.connection_id, body={}))


def create(asker: Transport, omni: OmniSimulator) -> Any:
    """A request that may not."""
    path = f"/api/v1/connections/{omni.connection_id}/dbt/environments"
    body = {"name": "Staging", "targetSchema": "s"}
    return asker.send(Request(method="POST", path=path, operation="create", body=body, idempotent=False))


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_read_is_sent_again_when_a_gateway_fails(
    asker: Transport, omni: OmniSimulator, pauses: list[float], status: int
) -> None:
    """502, 503 and 504 to an idempotent request are tried again, after pauses that grow."""
    omni.inject(faults.Status(status, processed=True, times=3))
    assert read(asker, omni)["supportsDbt"] is True
    assert len(omni.requests) == 4
    assert len(pauses) == 3
    assert 0.5 <= pauses[0] <= 1.5
    assert 2 <= pauses[2] <= 3


@pytest.mark.parametrize("fault", LOST)
def test_a_read_is_sent_again_when_the_answer_is_lost(asker: Transport, omni: OmniSimulator, fault: Any) -> None:
    """A connection that ends before the answer makes an idempotent request be tried again."""
    omni.inject(fault(processed=True, times=2))
    assert read(asker, omni)["supportsDbt"] is True
    assert len(omni.requests) == 3


def test_attempts_are_bounded(asker: Transport, omni: OmniSimulator) -> None:
    """After four attempts the last error is told."""
    omni.inject(faults.Status(503, processed=False, times=None))
    with pytest.raises(errors.ServerError):
        read(asker, omni)
    assert len(omni.requests) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_other_errors_are_not_repeated(asker: Transport, omni: OmniSimulator, status: int) -> None:
    """A refusal is told at once; so is 500, which Lightdash also answers to plain mistakes."""
    omni.inject(faults.Status(status, processed=False, times=None))
    with pytest.raises(errors.ResponseError):
        read(asker, omni)
    assert len(omni.requests) == 1


@pytest.mark.parametrize("fault", [*LOST, lambda **given: faults.Status(503, **given)])
@pytest.mark.parametrize("processed", [True, False])
def test_a_create_is_not_repeated_when_nobody_knows(
    asker: Transport, omni: OmniSimulator, fault: Any, *, processed: bool
) -> None:
    """A POST whose answer got lost, or that a gateway answered, may have been processed: it is sent once."""
    omni.inject(fault(processed=processed, times=None))
    with pytest.raises(errors.Error) as caught:
        create(asker, omni)
    assert caught.value.outcome_unknown
    assert caught.value.operation == "create"
    assert len(omni.requests) == 1


@pytest.mark.parametrize("fault", [*LOST, lambda **given: faults.Status(503, **given)])
def test_a_read_leaves_no_outcome_unknown(asker: Transport, omni: OmniSimulator, fault: Any) -> None:
    """A read changes nothing, so a lost answer to it says nothing about a write."""
    omni.inject(fault(processed=True, times=None))
    with pytest.raises(errors.Error) as caught:
        read(asker, omni)
    assert not caught.value.outcome_unknown


def test_a_refused_repetition_keeps_the_outcome_unknown(asker: Transport, omni: OmniSimulator) -> None:
    """The first attempt may have been carried out, whatever the service answers to the second one."""
    omni.inject(faults.Reset(processed=True, method="PUT"), faults.Status(401, processed=False, method="PUT"))
    with pytest.raises(errors.AuthenticationError) as caught:
        write(asker, omni)
    assert (caught.value.outcome_unknown, caught.value.resource_id) == (True, omni.connection_id)
    omni.inject(faults.Status(401, processed=False, method="PUT"))
    with pytest.raises(errors.AuthenticationError) as caught:
        write(asker, omni)
    assert not caught.value.outcome_unknown


@pytest.mark.usefixtures("_new_process")
def test_a_cancelled_repetition_keeps_the_outcome_unknown(
    asker: Transport, omni: OmniSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C between two attempts ends in an error that says what was tried, and that it may be done."""
    monkeypatch.setattr(PROCESS.cancellation, "sleep", SLEEP)
    PROCESS.cancellation.cancel()
    omni.inject(faults.Reset(processed=True, method="PUT"))
    with pytest.raises(errors.CancelledError) as caught:
        write(asker, omni)
    assert (caught.value.outcome_unknown, caught.value.operation) == (True, "write")


def test_a_create_is_repeated_when_it_was_not_processed(asker: Transport, omni: OmniSimulator) -> None:
    """429 means that nothing was processed, so even a POST is sent again, and makes one object."""
    omni.inject(faults.rate_limited(3))
    create(asker, omni)
    assert len(omni.environments(omni.connection_id)) == 1


def test_a_storm_is_waited_out(
    asker: Transport, omni: OmniSimulator, pauses: list[float], log: pytest.LogCaptureFixture
) -> None:
    """Eight times 429 is no error; the pauses grow to half a minute, and the user is told once why it is slow."""
    omni.inject(faults.rate_limited(8))
    assert read(asker, omni)["supportsDbt"] is True
    assert len(pauses) == 8
    assert pauses[0] < pauses[3] < pauses[6] <= 31
    (warning,) = warnings(log)
    assert "429" in warning


def test_retry_after_is_honoured(asker: Transport, omni: OmniSimulator, pauses: list[float]) -> None:
    """Where the service says when to come back, as seconds or as a date, it is asked again then."""
    omni.inject(faults.rate_limited(1, retry_after="7"))
    read(asker, omni)
    assert pauses == [7.0]
    omni.inject(faults.rate_limited(1, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"))
    read(asker, omni)
    assert pauses == [7.0, 0.0]


def test_the_total_time_ends_a_storm(omni: OmniSimulator) -> None:
    """A pause that would end after the total time limit is not begun: the 429 is told at once."""
    asker = Transport("Omni", Instance(omni.url, omni.api_key, total_timeout=60.0), "Bearer")
    omni.inject(faults.rate_limited(100, retry_after="61"))
    with pytest.raises(errors.RateLimitError) as caught:
        read(asker, omni)
    assert (caught.value.status, caught.value.retry_after) == (429, 61.0)
    assert len(omni.requests) == 1
    asker.close()


def test_a_late_answer_is_lost(omni: OmniSimulator) -> None:
    """The read time-out ends the wait for an answer, and a POST is not sent again."""
    asker = Transport("Omni", Instance(omni.url, omni.api_key, read_timeout=0.1), "Bearer")
    omni.inject(faults.Slow(5.0, processed=True))
    with pytest.raises(errors.ResponseLostError) as caught:
        create(asker, omni)
    assert caught.value.outcome_unknown
    omni.clear_faults()
    assert len(omni.requests) == 1
    asker.close()


def test_an_unreachable_service_is_tried_again_even_for_a_create(omni: OmniSimulator, pauses: list[float]) -> None:
    """Where no connection could be made nothing was processed, so every request is tried again."""
    asker = Transport("Omni", Instance("http://127.0.0.1:1", omni.api_key), "Bearer")
    with pytest.raises(errors.ConnectError) as caught:
        create(asker, omni)
    assert not caught.value.outcome_unknown
    assert "http://127.0.0.1:1" in str(caught.value)
    assert len(pauses) == 3
    asker.close()


def test_a_redirect_is_not_followed(asker: Transport, omni: OmniSimulator) -> None:
    """The key does not go to another host: a redirect is an error."""
    with OmniSimulator() as other:
        omni.inject(faults.Redirect(f"{other.url}/api/v1/connections/{omni.connection_id}/dbt"))
        with pytest.raises(errors.UnexpectedResponseError):
            read(asker, omni)
        assert other.requests == []


def test_who_asks(asker: Transport, omni: OmniSimulator) -> None:
    """The User-Agent names this package's version and Pulumi's."""
    read(asker, omni)
    agent = omni.requests[0].headers["user-agent"]
    assert agent.startswith("omni-pulumi/")
    assert " pulumi/3." in agent


def test_the_debug_log(asker: Transport, omni: OmniSimulator, log: pytest.LogCaptureFixture) -> None:
    """A line for each attempt with status and duration, and a line for each retry with its delay."""
    logging.getLogger("omni_pulumi").setLevel(logging.DEBUG)
    omni.inject(faults.Status(503, processed=False), faults.Close(processed=False))
    read(asker, omni)
    lines = [record.getMessage() for record in log.records if record.levelno == logging.DEBUG]
    path = f"GET /api/v1/connections/{omni.connection_id}/dbt: "
    texts = ["503", "retrying", "no response", "retrying", "200"]
    assert [line.split(" in ")[0] for line in lines] == [f"{path}{text}" for text in texts]
    assert [line.rpartition(", ")[2] for line in lines] == [f"attempt {number}" for number in (1, 2, 2, 3, 3)]
    assert omni.api_key not in log.text


@pytest.mark.usefixtures("_new_process")
def test_the_budget_is_shared_and_kept(log: pytest.LogCaptureFixture) -> None:
    """What exceeds the budget of a minute waits for the next one, whoever asks; the user is told; Ctrl-C ends it."""
    budget = RateLimiter("Omni", 5)
    passed: list[int] = []
    cancelled: list[int] = []

    def ask() -> None:
        try:
            budget.wait()
            passed.append(1)
        except errors.CancelledError:
            cancelled.append(1)

    threads = [threading.Thread(target=ask) for _ in range(8)]
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


def test_a_full_budget_does_not_hide_a_429(log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user is told once a minute of each reason why it is slow."""
    monkeypatch.setattr(PROCESS.cancellation, "wait_until", lambda _ready: None)
    budget = RateLimiter("Omni", 1)
    budget.wait()
    for _ in range(3):
        budget.wait()
        budget.throttle()
    first, second = warnings(log)
    assert " 1 " in first
    assert "429" in second


def test_one_read_serves_all_who_ask() -> None:
    """Threads that ask at the same time, and those that come a moment later, share one answer."""
    shared: ReadCache[int] = ReadCache()
    calls: list[int] = []

    def fetch() -> int:
        calls.append(1)
        time.sleep(0.05)
        return len(calls)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: shared.get("list", fetch), range(8))) == [1] * 8
    assert shared.get("list", fetch) == 1
    assert shared.get("another list", fetch) == 2


def test_a_write_ends_what_was_read() -> None:
    """After a write, failed or not, nobody gets an answer from before it, not even one that was under way."""
    shared: ReadCache[str] = ReadCache()
    assert shared.get("list", lambda: "old") == "old"
    with pytest.raises(ValueError, match="refused"), shared.invalidating("list"):
        raise ValueError("refused")
    assert shared.get("list", lambda: "new") == "new"

    begun, go = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        go.wait()
        return "from before the write"

    shared.invalidate("list")
    with ThreadPoolExecutor(1) as threads:
        under_way = threads.submit(shared.get, "list", slow)
        begun.wait()
        shared.invalidate("list")
        assert shared.get("list", lambda: "from after it") == "from after it"
        go.set()
        assert under_way.result() == "from before the write"
    assert shared.get("list", lambda: "another") == "from after it"


def test_an_error_is_not_kept() -> None:
    """A read that failed is told to all who waited for it, and the next one reads again."""
    shared: ReadCache[str] = ReadCache()

    def fail() -> str:
        raise errors.RequestError("no answer")

    with pytest.raises(errors.RequestError):
        shared.get("list", fail)
    assert shared.get("list", lambda: "there") == "there"


def test_pauses_are_real() -> None:
    """A pause waits; these tests only put something else in its place."""
    began = time.monotonic()
    SLEEP(0.02)
    assert time.monotonic() - began >= 0.02


def test_threads_that_meet_have_not_used_up_the_budget(log: pytest.LogCaptureFixture) -> None:
    """Who asks at the same moment as another one waits for its turn, and no warning speaks of the budget."""
    budget = RateLimiter("Omni", 1_000_000)
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(budget.wait) for _ in range(2_000)]:
            done.result()
    assert log.messages == []
