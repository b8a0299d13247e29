"""Each fault as a client observes it over HTTP."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest

from omni_pulumi.simulator import GENERATED, PAGES, Dialect, Fault, LightdashSimulator, OmniSimulator, faults

StartOmni = Callable[[Dialect], OmniSimulator]
Connect = Callable[[str, str], httpx.Client]

ENVIRONMENTS = f"/api/v1/connections/{OmniSimulator.connection_id}/dbt/environments"
ENVIRONMENT = {"name": "CI", "targetSchema": "ci", "variables": [{"name": "DBT_A", "value": "1", "isSecret": False}]}
SOURCES = f"/api/v1/projects/{LightdashSimulator.project_id}/dbt-sources"
SOURCE = {
    "name": "finance",
    "dbtConnection": {
        "type": "github",
        "authorization_method": "personal_access_token",
        "personal_access_token": "github_pat_FAKE_one",
        "repository": "example/finance",
        "branch": "main",
        "project_sub_path": "/dbt",
    },
}

NOT_CREATED, CREATED = ["Production"], ["Production", "CI"]

processed_or_not = pytest.mark.parametrize(
    ("processed", "expected"), [(False, NOT_CREATED), (True, CREATED)], ids=["unprocessed", "processed"]
)


@pytest.fixture
def omni(start_omni: StartOmni) -> OmniSimulator:
    """An Omni simulator with the dialect PAGES and a dbt configuration."""
    simulator = start_omni(PAGES)
    simulator.configure_dbt(simulator.connection_id)
    return simulator


@pytest.fixture
def api(omni: OmniSimulator) -> Iterator[httpx.Client]:
    """A client of `omni` with its own connections."""
    headers = {"Authorization": f"Bearer {omni.api_key}"}
    with httpx.Client(base_url=omni.url, headers=headers, timeout=5) as client:
        yield client


def stored_names(omni: OmniSimulator) -> list[str]:
    return [environment["name"] for environment in omni.environments(omni.connection_id)]


def recorded(omni: OmniSimulator) -> list[tuple[str, int | None, bool]]:
    return [(request.method, request.status, request.processed) for request in omni.requests]


def create(api: httpx.Client) -> httpx.Response:
    return api.post(ENVIRONMENTS, json=ENVIRONMENT)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


# Matching requests


def test_a_fault_affects_one_request_by_default(omni: OmniSimulator, api: httpx.Client) -> None:
    """One request fails, the next one succeeds."""
    omni.inject(faults.Status(503, processed=False))
    assert [api.get(ENVIRONMENTS).status_code for _ in range(3)] == [503, 200, 200]


def test_after_and_times(omni: OmniSimulator, api: httpx.Client) -> None:
    """`after` requests succeed, `times` requests fail, all others succeed."""
    omni.inject(faults.Status(503, processed=False, after=1, times=2))
    assert [api.get(ENVIRONMENTS).status_code for _ in range(5)] == [200, 503, 503, 200, 200]


def test_times_none_lasts_until_the_faults_are_cleared(omni: OmniSimulator, api: httpx.Client) -> None:
    """With `times=None`, requests fail until the faults are cleared."""
    omni.inject(faults.Status(503, processed=False, times=None))
    assert [api.get(ENVIRONMENTS).status_code for _ in range(3)] == [503] * 3
    omni.clear_faults()
    assert api.get(ENVIRONMENTS).status_code == 200


def test_method_and_path(omni: OmniSimulator, api: httpx.Client) -> None:
    """A fault affects and counts only requests with its method and a path that its expression matches, without the
    query."""
    omni.inject(faults.Status(503, processed=False, method="GET", path=r"/environments$", after=1))
    responses = [
        create(api),
        api.get(ENVIRONMENTS),
        api.get(ENVIRONMENTS.removesuffix("/environments"), params={"x": "/environments"}),
        api.get(ENVIRONMENTS, params={"x": "1"}),
    ]
    assert [response.status_code for response in responses] == [201, 200, 200, 503]


def test_the_first_matching_fault_applies(omni: OmniSimulator, api: httpx.Client) -> None:
    """Faults apply in the order of injection. A request that one fault matches does not count for later ones."""
    omni.inject(faults.Status(502, processed=False), faults.Status(503, processed=False, after=1))
    assert [api.get(ENVIRONMENTS).status_code for _ in range(4)] == [502, 200, 503, 200]


def test_inject_rejects_an_invalid_path_expression(omni: OmniSimulator) -> None:
    """`inject` raises re.error for an invalid regular expression."""
    with pytest.raises(re.error):
        omni.inject(faults.Status(503, processed=False, path="["))


def test_a_reset_removes_faults(omni: OmniSimulator, api: httpx.Client) -> None:
    """A reset removes all faults."""
    omni.inject(faults.Status(503, processed=False))
    omni.reset()
    assert api.get(ENVIRONMENTS).status_code == 200


def test_a_recorded_request_has_its_fault(omni: OmniSimulator, api: httpx.Client) -> None:
    """A recorded request has the fault that matched it, or None."""
    fault = faults.Malformed(after=1)
    omni.inject(fault)
    for _ in range(2):
        api.get(ENVIRONMENTS)
    assert [request.fault for request in omni.requests] == [None, fault]


def test_faults_are_values(omni: OmniSimulator, api: httpx.Client) -> None:
    """Faults are compared by value, can be copied with changes, and injected twice with separate counters."""
    fault = replace(faults.Cut(), method="POST", times=2)
    assert fault == faults.Cut(method="POST", times=2)
    once = faults.Status(503, processed=False)
    omni.inject(once, once)
    assert [api.get(ENVIRONMENTS).status_code for _ in range(3)] == [503, 503, 200]


# Status codes


@pytest.mark.parametrize("code", [401, 403, 404, 429, 500, 502, 503, 504])
@processed_or_not
def test_an_error_status(
    omni: OmniSimulator, api: httpx.Client, *, code: int, processed: bool, expected: list[str]
) -> None:
    """The client receives the status, and the request is processed only if `processed` is set."""
    omni.inject(faults.Status(code, processed=processed))
    assert create(api).status_code == code
    assert stored_names(omni) == expected
    assert recorded(omni) == [("POST", code, processed)]


def test_the_error_format_of_omni(start_omni: StartOmni, connect: Connect) -> None:
    """Error responses have the dialect's format. Those of connection environments always have `detail` and `status`."""
    for dialect, expected in (
        (PAGES, {"error": "429", "message": "Rate limit exceeded (60 requests/minute)"}),
        (GENERATED, {"status": 429, "detail": "Rate limit exceeded (60 requests/minute)"}),
    ):
        omni = start_omni(dialect)
        omni.inject(faults.rate_limited(2))
        api = connect(omni.url, f"Bearer {omni.api_key}")
        assert api.get(ENVIRONMENTS).json() == expected
        assert set(api.get("/api/v1/connection-environments").json()) == {"status", "detail"}


def test_the_error_format_of_lightdash(lightdash: LightdashSimulator, admin: httpx.Client) -> None:
    """Error responses have a name. A 500 also has a Sentry event ID."""
    lightdash.inject(faults.rate_limited(1), faults.Status(500, processed=True))
    rejected, failed = admin.get(SOURCES), admin.post(SOURCES, json=SOURCE)
    error = {"statusCode": 429, "name": "TooManyRequestsError", "message": "Too many requests", "data": {}}
    assert rejected.json() == {"status": "error", "error": error}
    assert failed.json()["error"]["name"] == "UnexpectedServerError"
    assert "sentryEventId" in failed.json()["error"]
    assert [source["name"] for source in lightdash.sources(lightdash.project_id)] == ["finance"]


def test_errors_of_a_proxy(omni: OmniSimulator, api: httpx.Client) -> None:
    """An error can have an HTML body, a text body or no body."""
    omni.inject(
        faults.Status(502, processed=False, body="html"),
        faults.Status(503, processed=False, body="text"),
        faults.Status(504, processed=False, body="empty"),
    )
    page, line, nothing = (api.get(ENVIRONMENTS) for _ in range(3))
    assert (page.status_code, page.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert page.text.startswith("<html>")
    assert (line.status_code, line.text) == (503, "Service Unavailable")
    assert (nothing.status_code, nothing.content, "content-type" in nothing.headers) == (504, b"", False)


def test_rate_limited(omni: OmniSimulator, api: httpx.Client) -> None:
    """`rate_limited` rejects a number of requests with 429, with a `Retry-After` header only if it is given."""
    omni.inject(faults.rate_limited(2), faults.rate_limited(1, retry_after="7", method="POST"))
    assert [create(api).status_code for _ in range(2)] == [429] * 2
    assert create(api).headers["retry-after"] == "7"
    assert "retry-after" not in create(api).headers
    assert [request.status for request in omni.requests] == [429, 429, 429, 201]
    assert stored_names(omni) == CREATED


def test_an_expired_token(omni: OmniSimulator, api: httpx.Client) -> None:
    """`expired_token` rejects all requests after the first `after`."""
    omni.inject(faults.expired_token(after=1))
    assert [create(api).status_code for _ in range(3)] == [201, 401, 401]
    assert stored_names(omni) == CREATED


@pytest.mark.parametrize("code", [302, 307])
def test_a_redirect(omni: OmniSimulator, api: httpx.Client, code: int) -> None:
    """The client receives the redirect, and the request is not processed."""
    omni.inject(faults.Redirect("https://elsewhere.example/login", code=code))
    response = create(api)
    assert (response.status_code, response.headers["location"]) == (code, "https://elsewhere.example/login")
    assert (stored_names(omni), recorded(omni)) == (NOT_CREATED, [("POST", code, False)])


# Lost connections


@processed_or_not
@pytest.mark.parametrize(
    ("fault_class", "error"), [(faults.Reset, httpx.ReadError), (faults.Close, httpx.RemoteProtocolError)]
)
def test_a_lost_connection(
    omni: OmniSimulator,
    api: httpx.Client,
    *,
    fault_class: type[faults.Reset | faults.Close],
    error: type[Exception],
    processed: bool,
    expected: list[str],
) -> None:
    """A reset or closed connection raises the documented httpx error. The next request succeeds."""
    api.get(ENVIRONMENTS)
    omni.inject(fault_class(processed=processed))
    with pytest.raises(error):
        create(api)
    assert stored_names(omni) == expected
    assert recorded(omni)[1:] == [("POST", None, processed)]
    assert api.get(ENVIRONMENTS).status_code == 200


def test_a_truncated_response(omni: OmniSimulator, api: httpx.Client) -> None:
    """The client receives the headers and a truncated body. The request is processed."""
    omni.inject(faults.Cut())
    with api.stream("POST", ENVIRONMENTS, json=ENVIRONMENT) as response:
        assert response.status_code == 201
        with pytest.raises(httpx.RemoteProtocolError, match="body"):
            response.read()
    assert (stored_names(omni), recorded(omni)) == (CREATED, [("POST", 201, True)])


def test_faults_print_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Lost and delayed connections print nothing, not even when the simulator stops."""
    with LightdashSimulator() as lightdash, httpx.Client(base_url=lightdash.url, timeout=0.05) as client:
        fault_classes = (faults.Reset, faults.Close, faults.Hang)
        lightdash.inject(
            *(fault_class(processed=processed) for fault_class in fault_classes for processed in (False, True)),
            faults.Cut(),
        )
        for _ in range(7):
            with pytest.raises(httpx.TransportError):
                client.get("/api/v1/health")
        assert client.get("/api/v1/health").status_code == 200
    assert capfd.readouterr() == ("", "")


# Delayed responses


@pytest.mark.parametrize("processed", [False, True])
def test_a_slow_response(omni: OmniSimulator, api: httpx.Client, *, processed: bool) -> None:
    """A client that waits receives the response after the delay."""
    omni.inject(faults.Slow(0.1, processed=processed))
    start = time.monotonic()
    assert create(api).status_code == 201
    assert time.monotonic() - start >= 0.1
    assert (stored_names(omni), recorded(omni)) == (CREATED, [("POST", 201, True)])


@processed_or_not
@pytest.mark.parametrize("kind", ["slow", "hang"])
def test_a_client_that_times_out(
    omni: OmniSimulator, api: httpx.Client, *, kind: str, processed: bool, expected: list[str]
) -> None:
    """After a client's timeout, a request is processed only if `processed` is set."""
    omni.inject(faults.Slow(0.15, processed=processed) if kind == "slow" else faults.Hang(processed=processed))
    with pytest.raises(httpx.ReadTimeout):
        api.post(ENVIRONMENTS, json=ENVIRONMENT, timeout=0.05)
    assert recorded(omni) == [("POST", None, processed)]
    time.sleep(0.2)
    assert (stored_names(omni), recorded(omni)) == (expected, [("POST", None, processed)])


@pytest.mark.parametrize("fault", [faults.Slow(60, processed=False), faults.Hang(processed=False)])
@pytest.mark.parametrize("end", ["clear_faults", "reset", "stop"])
def test_a_delayed_request_is_cancelled(fault: Fault, end: str) -> None:
    """Clearing the faults, a reset and a stop close a delayed connection at once. The request is not processed."""
    errors: list[Exception] = []

    def ask() -> None:
        try:
            httpx.post(omni.url + ENVIRONMENTS, json=ENVIRONMENT, headers=headers, timeout=10)
        except httpx.RemoteProtocolError as error:
            errors.append(error)

    with OmniSimulator() as omni:
        headers = {"Authorization": f"Bearer {omni.api_key}"}
        omni.configure_dbt(omni.connection_id)
        omni.inject(fault)
        client = threading.Thread(target=ask)
        client.start()
        wait_until(lambda: len(omni.requests) == 1)
        start = time.monotonic()
        getattr(omni, end)()
        client.join()
        assert time.monotonic() - start < 0.8
        assert len(errors) == 1
        assert len(omni.environments(omni.connection_id)) == (0 if end == "reset" else 1)
        assert end != "reset" or omni.requests == []


def test_a_delayed_request_does_not_delay_others(omni: OmniSimulator, api: httpx.Client) -> None:
    """Other requests are served while one is delayed."""
    omni.inject(faults.Hang(processed=False))
    held = f"GET {ENVIRONMENTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {omni.api_key}\r\n\r\n"
    with socket.create_connection((api.base_url.host, api.base_url.port or 80)) as connection:
        connection.sendall(held.encode())
        wait_until(lambda: len(omni.requests) == 1)
        assert api.get(ENVIRONMENTS).status_code == 200
        assert [request.status for request in omni.requests] == [None, 200]


# Modified responses


def test_a_wrong_content_type(omni: OmniSimulator, api: httpx.Client) -> None:
    """The response has the right body and another Content-Type."""
    omni.inject(faults.WrongType())
    response = create(api)
    assert response.headers.get_list("content-type") == ["text/html; charset=utf-8"]
    assert response.json()["name"] == "CI"


@processed_or_not
def test_a_proxy_page(omni: OmniSimulator, api: httpx.Client, *, processed: bool, expected: list[str]) -> None:
    """`proxy_page` responds with status 200 and an HTML page."""
    omni.inject(faults.proxy_page(processed=processed))
    response = create(api)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert response.text.startswith("<html>")
    assert (stored_names(omni), recorded(omni)) == (expected, [("POST", 200, processed)])


def test_malformed_json(omni: OmniSimulator, api: httpx.Client) -> None:
    """The body is half of the JSON and has a matching Content-Length. The request is processed."""
    omni.inject(faults.Malformed())
    response = create(api)
    assert (response.status_code, response.headers["content-type"]) == (201, "application/json")
    with pytest.raises(json.JSONDecodeError):
        response.json()
    assert stored_names(omni) == CREATED


def test_an_empty_response(omni: OmniSimulator, api: httpx.Client) -> None:
    """The response has the right status and no body. The request is processed."""
    omni.inject(faults.Empty())
    response = create(api)
    assert (response.status_code, response.content) == (201, b"")
    assert stored_names(omni) == CREATED


def test_a_missing_field(omni: OmniSimulator, api: httpx.Client) -> None:
    """The field is removed from every object of the response, at any depth, but not from the stored data."""
    create(api)
    omni.inject(faults.Missing("name"))
    environments = api.get(ENVIRONMENTS).json()
    assert [("name" in each, "targetSchema" in each) for each in environments] == [(False, True)] * 2
    assert [set(variable) for variable in environments[1]["variables"]] == [{"id", "value", "isSecret"}]
    assert stored_names(omni) == CREATED


def test_an_extra_field(lightdash: LightdashSimulator, admin: httpx.Client) -> None:
    """The field is added to every object of the response, at any depth, that does not have it."""
    lightdash.inject(faults.Extra("added", {"x": 1}), faults.Extra("status", "changed"))
    response = admin.get(SOURCES).json()
    assert response["added"] == {"x": 1}
    assert [source["added"] for source in response["results"]] == [{"x": 1}]
    again = admin.get(SOURCES).json()
    assert (again["status"], again["results"][0]["status"]) == ("ok", "changed")


def test_field_faults_do_not_change_a_text_response(lightdash: LightdashSimulator) -> None:
    """`Missing` and `Extra` do not change a response that is not JSON."""
    lightdash.inject(faults.Missing("x"), faults.Extra("x"))
    for _ in range(2):
        assert httpx.get(lightdash.url + SOURCES).text == "Unauthorized"


# Stale reads


def listed_names(api: httpx.Client) -> list[str]:
    return [environment["name"] for environment in api.get(ENVIRONMENTS).json()]


def test_a_stale_list(omni: OmniSimulator, api: httpx.Client) -> None:
    """A stale list lacks the change of the last write request, even if it was never read before."""
    create(api)
    omni.inject(faults.Stale(times=2))
    assert [sorted(listed_names(api)) for _ in range(3)] == [NOT_CREATED, NOT_CREATED, sorted(CREATED)]
    api.put(f"{ENVIRONMENTS}/{omni.environments(omni.connection_id)[1]['id']}", json={"name": "Later"})
    omni.inject(faults.Stale())
    assert [sorted(listed_names(api)) for _ in range(2)] == [sorted(CREATED), ["Later", "Production"]]


def test_only_successful_write_requests_make_a_read_stale(omni: OmniSimulator, api: httpx.Client) -> None:
    """Rejected requests and changes by the simulator's methods do not update the previous data. Writes use current
    data."""
    omni.inject(faults.Stale(times=None))
    assert listed_names(api) == NOT_CREATED
    create(api)
    api.post(ENVIRONMENTS, json={})
    omni.add_environment(omni.connection_id, name="Web", target_schema="web")
    assert listed_names(api) == NOT_CREATED
    assert api.delete(f"{ENVIRONMENTS}/{omni.environments(omni.connection_id)[1]['id']}").status_code == 200
    assert stored_names(omni) == ["Production", "Web"]
    assert sorted(listed_names(api)) == ["CI", "Production", "Web"]
    omni.reset()
    omni.configure_dbt(omni.connection_id)
    omni.inject(faults.Stale())
    assert listed_names(api) == NOT_CREATED


def test_a_stale_source(lightdash: LightdashSimulator, admin: httpx.Client) -> None:
    """A stale GET returns a source that was just deleted."""
    source = f"{SOURCES}/{admin.post(SOURCES, json=SOURCE).json()['results']['projectDbtSourceUuid']}"
    admin.delete(source)
    lightdash.inject(faults.Stale())
    assert [admin.get(source).status_code for _ in range(2)] == [200, 404]


# Callbacks


@processed_or_not
@pytest.mark.parametrize("answered", [True, False])
def test_a_callback(
    omni: OmniSimulator, api: httpx.Client, *, answered: bool, processed: bool, expected: list[str]
) -> None:
    """A callback runs before or after processing. With `answered=False`, no processing follows the callback."""
    found: list[list[str]] = []
    omni.inject(faults.Callback(lambda: found.append(stored_names(omni)), processed=processed, answered=answered))
    if answered:
        assert create(api).status_code == 201
    else:
        with pytest.raises(httpx.RemoteProtocolError):
            create(api)
    assert found == [expected]
    assert stored_names(omni) == (CREATED if answered else expected)
    assert recorded(omni) == [("POST", 201 if answered else None, processed or answered)]


def test_a_callback_can_send_requests(omni: OmniSimulator, api: httpx.Client) -> None:
    """A callback can delete the object of a PUT before the PUT is processed."""
    environment = f"{ENVIRONMENTS}/{create(api).json()['id']}"
    omni.inject(faults.Callback(lambda: api.delete(environment), processed=False, method="PUT"))
    assert api.put(environment, json={"name": "Later"}).status_code == 404
    assert [request.method for request in omni.requests] == ["POST", "PUT", "DELETE"]


# Rate limit


def test_a_rate_limit() -> None:
    """Requests over the limit of a key get 429 without `Retry-After`. Each key has its own limit."""
    with OmniSimulator(requests_per_minute=2) as omni:
        own, other = ({"Authorization": f"Bearer {key}"} for key in (omni.api_key, omni.viewer_token))

        def ask(headers: dict[str, str]) -> httpx.Response:
            return httpx.get(omni.url + ENVIRONMENTS, headers=headers)

        assert [ask(own).status_code for _ in range(3)] == [200, 200, 429]
        assert ask(other).status_code == 200
        rejected = ask(own)
        assert rejected.json()["message"] == "Rate limit exceeded (60 requests/minute)"
        assert "retry-after" not in rejected.headers
        assert [request.processed for request in omni.requests] == [True, True, False, True, False]
        omni.reset()
        assert [ask(own).status_code for _ in range(3)] == [200, 200, 429]
        omni.rate_limit(None)
        assert ask(own).status_code == 200


def test_the_rate_limit_window_slides(omni: OmniSimulator, api: httpx.Client) -> None:
    """Accepted requests count for the length of the window, rejected ones do not. Faults apply after the limit."""
    omni.inject(faults.Status(503, processed=False, after=1))
    omni.rate_limit(1, seconds=0.1)
    assert [api.get(ENVIRONMENTS).status_code for _ in range(3)] == [200, 429, 429]
    time.sleep(0.11)
    assert [api.get(ENVIRONMENTS).status_code for _ in range(2)] == [503, 429]
