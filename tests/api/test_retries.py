"""Retries, redirects and the log of the transport, against a real HTTP server with faults."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest

from omni_pulumi import errors
from omni_pulumi.api.instance import Instance
from omni_pulumi.api.request import Request
from omni_pulumi.api.transport import Transport
from omni_pulumi.process import PROCESS
from omni_pulumi.simulator import PAGES, OmniSimulator, faults
from tests.logged import warnings

REAL_SLEEP = PROCESS.cancellation.sleep
"""The method that the fixture `sleeps` replaces."""

LOST_RESPONSES = [faults.Reset, faults.Close]


@pytest.fixture
def _reset_process() -> Iterator[None]:
    """Undo a cancellation after the test."""
    yield
    PROCESS.reset()


@pytest.fixture
def omni(omni_services: dict[str, OmniSimulator]) -> OmniSimulator:
    """An empty Omni. Retries do not depend on the dialect, so the tests run with one."""
    omni = omni_services["pages"]
    omni.reset()
    assert omni.dialect == PAGES
    return omni


@pytest.fixture
def transport(omni: OmniSimulator) -> Iterator[Transport]:
    """A transport to the simulated Omni."""
    transport = Transport("Omni", Instance(omni.url, omni.api_key, requests_per_minute=6000), "Bearer")
    yield transport
    transport.close()


def read(transport: Transport, omni: OmniSimulator) -> Any:
    """Send a GET, which is idempotent."""
    return transport.send(Request(method="GET", path=f"/api/v1/connections/{omni.connection_id}/dbt", operation="read"))


def write(transport: Transport, omni: OmniSimulator) -> Any:
    """Send a PUT, which is idempotent."""
    path = f"/api/v1/connections/{omni.connection_id}/dbt"
    return transport.send(Request(method="PUT", path=path, operation="write", resource_id=omni.connection_id, body={}))


def create(transport: Transport, omni: OmniSimulator) -> Any:
    """Send a POST, which is not idempotent."""
    path = f"/api/v1/connections/{omni.connection_id}/dbt/environments"
    body = {"name": "Staging", "targetSchema": "s"}
    return transport.send(Request(method="POST", path=path, operation="create", body=body, idempotent=False))


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_read_is_retried_after_a_gateway_error(
    transport: Transport, omni: OmniSimulator, sleeps: list[float], status: int
) -> None:
    """An idempotent request is retried after 502, 503 and 504, with exponential backoff."""
    omni.inject(faults.Status(status, processed=True, times=3))
    assert read(transport, omni)["supportsDbt"] is True
    assert len(omni.requests) == 4
    assert len(sleeps) == 3
    assert 0.5 <= sleeps[0] <= 1.5
    assert 2 <= sleeps[2] <= 3


@pytest.mark.parametrize("fault", LOST_RESPONSES)
def test_a_read_is_retried_after_a_lost_response(transport: Transport, omni: OmniSimulator, fault: Any) -> None:
    """An idempotent request is retried when the connection ends before the response."""
    omni.inject(fault(processed=True, times=2))
    assert read(transport, omni)["supportsDbt"] is True
    assert len(omni.requests) == 3


def test_retries_end_after_four_attempts(transport: Transport, omni: OmniSimulator) -> None:
    """The fourth attempt is the last one, and its error is raised."""
    omni.inject(faults.Status(503, processed=False, times=None))
    with pytest.raises(errors.ServerError):
        read(transport, omni)
    assert len(omni.requests) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_other_statuses_are_not_retried(transport: Transport, omni: OmniSimulator, status: int) -> None:
    """An error status that is not temporary is raised at once. So is 500: Lightdash also sends it for invalid input."""
    omni.inject(faults.Status(status, processed=False, times=None))
    with pytest.raises(errors.ResponseError):
        read(transport, omni)
    assert len(omni.requests) == 1


@pytest.mark.parametrize("fault", [*LOST_RESPONSES, lambda **given: faults.Status(503, **given)])
@pytest.mark.parametrize("processed", [True, False])
def test_a_create_with_unknown_outcome_is_not_retried(
    transport: Transport, omni: OmniSimulator, fault: Any, *, processed: bool
) -> None:
    """A POST is sent once when its response is lost or comes from a gateway, because it may have been processed."""
    omni.inject(fault(processed=processed, times=None))
    with pytest.raises(errors.Error) as caught:
        create(transport, omni)
    assert caught.value.outcome_unknown
    assert caught.value.operation == "create"
    assert len(omni.requests) == 1


@pytest.mark.parametrize("fault", [*LOST_RESPONSES, lambda **given: faults.Status(503, **given)])
def test_a_read_has_no_unknown_outcome(transport: Transport, omni: OmniSimulator, fault: Any) -> None:
    """A read changes nothing, so its error does not report an unknown outcome."""
    omni.inject(fault(processed=True, times=None))
    with pytest.raises(errors.Error) as caught:
        read(transport, omni)
    assert not caught.value.outcome_unknown


def test_a_refused_retry_keeps_the_outcome_unknown(transport: Transport, omni: OmniSimulator) -> None:
    """The first attempt may have been processed, even when the service refuses the second one."""
    omni.inject(faults.Reset(processed=True, method="PUT"), faults.Status(401, processed=False, method="PUT"))
    with pytest.raises(errors.AuthenticationError) as caught:
        write(transport, omni)
    assert (caught.value.outcome_unknown, caught.value.resource_id) == (True, omni.connection_id)
    omni.inject(faults.Status(401, processed=False, method="PUT"))
    with pytest.raises(errors.AuthenticationError) as caught:
        write(transport, omni)
    assert not caught.value.outcome_unknown


@pytest.mark.usefixtures("_reset_process")
def test_a_cancelled_retry_keeps_the_outcome_unknown(
    transport: Transport, omni: OmniSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of a Ctrl-C between two attempts names the operation and reports an unknown outcome."""
    monkeypatch.setattr(PROCESS.cancellation, "sleep", REAL_SLEEP)
    PROCESS.cancellation.cancel()
    omni.inject(faults.Reset(processed=True, method="PUT"))
    with pytest.raises(errors.CancelledError) as caught:
        write(transport, omni)
    assert (caught.value.outcome_unknown, caught.value.operation) == (True, "write")


def test_a_create_is_retried_after_429(transport: Transport, omni: OmniSimulator) -> None:
    """A request that is answered with 429 was not processed, so a POST is sent again and creates one object."""
    omni.inject(faults.rate_limited(3))
    create(transport, omni)
    assert len(omni.environments(omni.connection_id)) == 1


def test_429_is_retried_more_than_four_times(
    transport: Transport, omni: OmniSimulator, sleeps: list[float], log: pytest.LogCaptureFixture
) -> None:
    """Eight responses with 429 are no error. After the second one, a request waits until the limit of a minute ends."""
    omni.inject(faults.rate_limited(8))
    assert read(transport, omni)["supportsDbt"] is True
    assert len(sleeps) == 8
    assert 0.5 <= sleeps[0] <= 1.5
    assert [seconds for seconds in sleeps[1:] if not 50 < seconds <= 61] == []
    (warning,) = warnings(log)
    assert "429" in warning


@pytest.mark.parametrize(("retry_after", "seconds"), [("7", [7]), ("Wed, 21 Oct 2015 07:28:00 GMT", [])])
def test_retry_after_is_honoured(
    transport: Transport, omni: OmniSimulator, sleeps: list[float], retry_after: str, seconds: list[int]
) -> None:
    """``Retry-After`` is the delay before the next attempt, in seconds or as a date. A date in the past is no delay."""
    omni.inject(faults.rate_limited(1, retry_after=retry_after))
    read(transport, omni)
    assert [round(delay) for delay in sleeps if delay] == seconds


def test_total_timeout_ends_retries_of_429(omni: OmniSimulator) -> None:
    """The 429 is raised at once when the delay would end after ``total_timeout``."""
    transport = Transport("Omni", Instance(omni.url, omni.api_key, total_timeout=60.0), "Bearer")
    omni.inject(faults.rate_limited(100, retry_after="61"))
    with pytest.raises(errors.RateLimitError) as caught:
        read(transport, omni)
    assert (caught.value.status, caught.value.retry_after) == (429, 61.0)
    assert len(omni.requests) == 1
    transport.close()


def test_a_read_timeout_is_a_lost_response(omni: OmniSimulator) -> None:
    """A response that is slower than ``read_timeout`` is lost, and a POST is not sent again."""
    transport = Transport("Omni", Instance(omni.url, omni.api_key, read_timeout=0.1), "Bearer")
    omni.inject(faults.Slow(5.0, processed=True))
    with pytest.raises(errors.ResponseLostError) as caught:
        create(transport, omni)
    assert caught.value.outcome_unknown
    omni.clear_faults()
    assert len(omni.requests) == 1
    transport.close()


def test_a_create_is_retried_when_the_connection_fails(omni: OmniSimulator, sleeps: list[float]) -> None:
    """Without a connection no request was processed, so a POST is retried too."""
    transport = Transport("Omni", Instance("http://127.0.0.1:1", omni.api_key), "Bearer")
    with pytest.raises(errors.ConnectError) as caught:
        create(transport, omni)
    assert not caught.value.outcome_unknown
    assert "http://127.0.0.1:1" in str(caught.value)
    assert len(sleeps) == 3
    transport.close()


def test_a_redirect_is_not_followed(transport: Transport, omni: OmniSimulator) -> None:
    """A redirect is an error, so that the API key is not sent to another host."""
    with OmniSimulator() as other:
        omni.inject(faults.Redirect(f"{other.url}/api/v1/connections/{omni.connection_id}/dbt"))
        with pytest.raises(errors.UnexpectedResponseError):
            read(transport, omni)
        assert other.requests == []


def test_user_agent(transport: Transport, omni: OmniSimulator) -> None:
    """``User-Agent`` has the versions of this package and of Pulumi."""
    read(transport, omni)
    agent = omni.requests[0].headers["user-agent"]
    assert agent.startswith("omni-pulumi/")
    assert " pulumi/3." in agent


def test_debug_log(transport: Transport, omni: OmniSimulator, log: pytest.LogCaptureFixture) -> None:
    """Each attempt is a line with status and duration, and each retry a line with its delay."""
    logging.getLogger("omni_pulumi").setLevel(logging.DEBUG)
    omni.inject(faults.Status(503, processed=False), faults.Close(processed=False))
    read(transport, omni)
    lines = [record.getMessage() for record in log.records if record.levelno == logging.DEBUG]
    path = f"GET /api/v1/connections/{omni.connection_id}/dbt: "
    texts = ["503", "retrying", "no response", "retrying", "200"]
    assert [line.split(" in ")[0] for line in lines] == [f"{path}{text}" for text in texts]
    assert [line.rpartition(", ")[2] for line in lines] == [f"attempt {number}" for number in (1, 2, 2, 3, 3)]
    assert omni.api_key not in log.text


def test_sleep_waits() -> None:
    """The real ``sleep``, which the other tests replace, waits."""
    started = time.monotonic()
    REAL_SLEEP(0.02)
    assert time.monotonic() - started >= 0.02
