"""What goes wrong on demand: each kind of fault as a client sees it, over real HTTP."""

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

OmniStart = Callable[[Dialect], OmniSimulator]
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

NONE, ONE = ["Production"], ["Production", "CI"]

processed_or_not = pytest.mark.parametrize(
    ("processed", "left"), [(False, NONE), (True, ONE)], ids=["unprocessed", "processed"]
)


@pytest.fixture
def omni(omni_with: OmniStart) -> OmniSimulator:
    """An Omni of the pages' dialect with dbt linked."""
    simulator = omni_with(PAGES)
    simulator.configure_dbt(simulator.connection_id)
    return simulator


@pytest.fixture
def api(omni: OmniSimulator) -> Iterator[httpx.Client]:
    """A client of `omni` with connections of its own."""
    headers = {"Authorization": f"Bearer {omni.api_key}"}
    with httpx.Client(base_url=omni.url, headers=headers, timeout=5) as client:
        yield client


def stored(omni: OmniSimulator) -> list[str]:
    return [environment["name"] for environment in omni.environments(omni.connection_id)]


def seen(omni: OmniSimulator) -> list[tuple[str, int | None, bool]]:
    return [(request.method, request.status, request.processed) for request in omni.requests]


def create(api: httpx.Client) -> httpx.Response:
    return api.post(ENVIRONMENTS, json=ENVIRONMENT)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


# Which requests


def test_a_fault_hits_once_unless_told_otherwise(omni: OmniSimulator, api: httpx.Client) -> None:
    """The next request fails, the one behind it does not."""
    omni.inject(faults.Status(503, processed=False))
    assert [api.get(ENVIRONMENTS).status_code for _ in range(3)] == [503, 200, 200]


def test_a_fault_has_a_schedule(omni: OmniSimulator, api: httpx.Client) -> None:
    """`after` requests pass, `times` fail, all others pass."""
    omni.inject(faults.Status(503, processed=False, after=1, times=2))
    assert [api.get(ENVIRONMENTS).status_code for _ in range(5)] == [200, 503, 503, 200, 200]


def test_a_fault_can_last(omni: OmniSimulator, api: httpx.Client) -> None:
    """Without a number of times, only clearing the faults ends it."""
    omni.inject(faults.Status(503, processed=False, times=None))
    assert [api.get(ENVIRONMENTS).status_code for _ in range(3)] == [503] * 3
    omni.clear_faults()
    assert api.get(ENVIRONMENTS).status_code == 200


def test_a_fault_has_a_route(omni: OmniSimulator, api: httpx.Client) -> None:
    """It concerns one method and the paths in which an expression is found, queries apart; others do not count."""
    omni.inject(faults.Status(503, processed=False, method="GET", path=r"/environments$", after=1))
    answers = [
        create(api),
        api.get(ENVIRONMENTS),
        api.get(ENVIRONMENTS.removesuffix("/environments"), params={"x": "/environments"}),
        api.get(ENVIRONMENTS, params={"x": "1"}),
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 200, 503]


def test_the_first_rule_decides(omni: OmniSimulator, api: httpx.Client) -> None:
    """Rules are asked in order; a request that one takes does not count for those behind it."""
    omni.inject(faults.Status(502, processed=False), faults.Status(503, processed=False, after=1))
    assert [api.get(ENVIRONMENTS).status_code for _ in range(4)] == [502, 200, 503, 200]


def test_a_bad_expression_is_refused_at_once(omni: OmniSimulator) -> None:
    """The mistake shows where it was made, not in the server's thread."""
    with pytest.raises(re.error):
        omni.inject(faults.Status(503, processed=False, path="["))


def test_a_reset_removes_faults(omni: OmniSimulator, api: httpx.Client) -> None:
    """The next test starts without them."""
    omni.inject(faults.Status(503, processed=False))
    omni.reset()
    assert api.get(ENVIRONMENTS).status_code == 200


def test_a_record_names_its_fault(omni: OmniSimulator, api: httpx.Client) -> None:
    """A test can count what it has really been through."""
    fault = faults.Malformed(after=1)
    omni.inject(fault)
    for _ in range(2):
        api.get(ENVIRONMENTS)
    assert [request.fault for request in omni.requests] == [None, fault]


def test_faults_are_values(omni: OmniSimulator, api: httpx.Client) -> None:
    """They compare, can be changed into others, and injected twice; a schedule belongs to the injection."""
    fault = replace(faults.Cut(), method="POST", times=2)
    assert fault == faults.Cut(method="POST", times=2)
    once = faults.Status(503, processed=False)
    omni.inject(once, once)
    assert [api.get(ENVIRONMENTS).status_code for _ in range(3)] == [503, 503, 200]


# Status codes


@pytest.mark.parametrize("code", [401, 403, 404, 429, 500, 502, 503, 504])
@processed_or_not
def test_an_error_status(
    omni: OmniSimulator, api: httpx.Client, *, code: int, processed: bool, left: list[str]
) -> None:
    """The client is told of an error, whether or not the change was made."""
    omni.inject(faults.Status(code, processed=processed))
    assert create(api).status_code == code
    assert stored(omni) == left
    assert seen(omni) == [("POST", code, processed)]


def test_omni_words_its_errors(omni_with: OmniStart, connect: Connect) -> None:
    """Each reading of Omni's pages has its error document; connection environments have theirs in both."""
    for dialect, expected in (
        (PAGES, {"error": "429", "message": "Rate limit exceeded (60 requests/minute)"}),
        (GENERATED, {"status": 429, "detail": "Rate limit exceeded (60 requests/minute)"}),
    ):
        omni = omni_with(dialect)
        omni.inject(faults.storm(2))
        api = connect(omni.url, f"Bearer {omni.api_key}")
        assert api.get(ENVIRONMENTS).json() == expected
        assert set(api.get("/api/v1/connection-environments").json()) == {"status", "detail"}


def test_lightdash_words_its_errors(lightdash: LightdashSimulator, admin: httpx.Client) -> None:
    """Its error document carries a name; a 500 carries an event id too."""
    lightdash.inject(faults.storm(1), faults.Status(500, processed=True))
    refused, failed = admin.get(SOURCES), admin.post(SOURCES, json=SOURCE)
    error = {"statusCode": 429, "name": "TooManyRequestsError", "message": "Too many requests", "data": {}}
    assert refused.json() == {"status": "error", "error": error}
    assert failed.json()["error"]["name"] == "UnexpectedServerError"
    assert "sentryEventId" in failed.json()["error"]
    assert [source["name"] for source in lightdash.sources(lightdash.project_id)] == ["finance"]


def test_errors_of_a_proxy(omni: OmniSimulator, api: httpx.Client) -> None:
    """An error may come as a page, as a line of text, or with nothing at all."""
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


def test_a_storm(omni: OmniSimulator, api: httpx.Client) -> None:
    """429 so many times, then peace. Nothing says when to come back unless that is asked for."""
    omni.inject(faults.storm(2), faults.storm(1, retry_after="7", method="POST"))
    assert [create(api).status_code for _ in range(2)] == [429] * 2
    assert create(api).headers["retry-after"] == "7"
    assert "retry-after" not in create(api).headers
    assert [request.status for request in omni.requests] == [429, 429, 429, 201]
    assert stored(omni) == ONE


def test_a_token_that_expires(omni: OmniSimulator, api: httpx.Client) -> None:
    """Half-way, every request begins to be refused, and so it stays."""
    omni.inject(faults.expired(after=1))
    assert [create(api).status_code for _ in range(3)] == [201, 401, 401]
    assert stored(omni) == ONE


@pytest.mark.parametrize("code", [302, 307])
def test_a_redirect(omni: OmniSimulator, api: httpx.Client, code: int) -> None:
    """The client is sent elsewhere, and nothing was done."""
    omni.inject(faults.Redirect("https://elsewhere.example/login", code=code))
    answer = create(api)
    assert (answer.status_code, answer.headers["location"]) == (code, "https://elsewhere.example/login")
    assert (stored(omni), seen(omni)) == (NONE, [("POST", code, False)])


# Connections that end


@processed_or_not
@pytest.mark.parametrize(
    ("kind", "error"), [(faults.Reset, httpx.ReadError), (faults.Close, httpx.RemoteProtocolError)]
)
def test_a_connection_that_ends(
    omni: OmniSimulator,
    api: httpx.Client,
    *,
    kind: type[faults.Reset | faults.Close],
    error: type[Exception],
    processed: bool,
    left: list[str],
) -> None:
    """No answer comes, by a reset or by a closed connection, before or after the change; the next request goes well."""
    api.get(ENVIRONMENTS)
    omni.inject(kind(processed=processed))
    with pytest.raises(error):
        create(api)
    assert stored(omni) == left
    assert seen(omni)[1:] == [("POST", None, processed)]
    assert api.get(ENVIRONMENTS).status_code == 200


def test_a_cut_answer(omni: OmniSimulator, api: httpx.Client) -> None:
    """The head comes, half of the body comes, and no more; the change was made."""
    omni.inject(faults.Cut())
    with api.stream("POST", ENVIRONMENTS, json=ENVIRONMENT) as answer:
        assert answer.status_code == 201
        with pytest.raises(httpx.RemoteProtocolError, match="body"):
            answer.read()
    assert (stored(omni), seen(omni)) == (ONE, [("POST", 201, True)])


def test_faults_keep_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    """Neither a broken connection nor a held one makes the web server print anything, not even at its stop."""
    with LightdashSimulator() as lightdash, httpx.Client(base_url=lightdash.url, timeout=0.05) as client:
        broken = (faults.Reset, faults.Close, faults.Hang)
        lightdash.inject(*(kind(processed=processed) for kind in broken for processed in (False, True)), faults.Cut())
        for _ in range(7):
            with pytest.raises(httpx.TransportError):
                client.get("/api/v1/health")
        assert client.get("/api/v1/health").status_code == 200
    assert capfd.readouterr() == ("", "")


# Answers that come late, or never


@pytest.mark.parametrize("processed", [False, True])
def test_a_slow_answer(omni: OmniSimulator, api: httpx.Client, *, processed: bool) -> None:
    """A patient client gets the right answer, late."""
    omni.inject(faults.Slow(0.1, processed=processed))
    start = time.monotonic()
    assert create(api).status_code == 201
    assert time.monotonic() - start >= 0.1
    assert (stored(omni), seen(omni)) == (ONE, [("POST", 201, True)])


@processed_or_not
@pytest.mark.parametrize("kind", ["slow", "hang"])
def test_a_client_that_gives_up(
    omni: OmniSimulator, api: httpx.Client, *, kind: str, processed: bool, left: list[str]
) -> None:
    """A client's time-out leaves the change made, or never made: a request is not carried out behind its back."""
    omni.inject(faults.Slow(0.15, processed=processed) if kind == "slow" else faults.Hang(processed=processed))
    with pytest.raises(httpx.ReadTimeout):
        api.post(ENVIRONMENTS, json=ENVIRONMENT, timeout=0.05)
    assert seen(omni) == [("POST", None, processed)]
    time.sleep(0.2)
    assert (stored(omni), seen(omni)) == (left, [("POST", None, processed)])


@pytest.mark.parametrize("fault", [faults.Slow(60, processed=False), faults.Hang(processed=False)])
@pytest.mark.parametrize("end", ["clear_faults", "reset", "stop"])
def test_a_held_request_is_let_go(fault: Fault, end: str) -> None:
    """Clearing the faults, a reset and a stop end held requests at once: without an answer, and without a change."""
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
        until(lambda: len(omni.requests) == 1)
        start = time.monotonic()
        getattr(omni, end)()
        client.join()
        assert time.monotonic() - start < 0.8
        assert len(errors) == 1
        assert len(omni.environments(omni.connection_id)) == (0 if end == "reset" else 1)
        assert end != "reset" or omni.requests == []


def test_others_are_served_meanwhile(omni: OmniSimulator, api: httpx.Client) -> None:
    """A held request holds nobody else."""
    omni.inject(faults.Hang(processed=False))
    held = f"GET {ENVIRONMENTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {omni.api_key}\r\n\r\n"
    with socket.create_connection((api.base_url.host, api.base_url.port or 80)) as connection:
        connection.sendall(held.encode())
        until(lambda: len(omni.requests) == 1)
        assert api.get(ENVIRONMENTS).status_code == 200
        assert [request.status for request in omni.requests] == [None, 200]


# Answers that are not what they should be


def test_a_wrong_content_type(omni: OmniSimulator, api: httpx.Client) -> None:
    """The right body under the wrong label."""
    omni.inject(faults.WrongType())
    answer = create(api)
    assert answer.headers.get_list("content-type") == ["text/html; charset=utf-8"]
    assert answer.json()["name"] == "CI"


@processed_or_not
def test_a_page_with_status_200(omni: OmniSimulator, api: httpx.Client, *, processed: bool, left: list[str]) -> None:
    """A proxy in between answers what looks like success."""
    omni.inject(faults.Html(processed=processed))
    answer = create(api)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<html>")
    assert (stored(omni), seen(omni)) == (left, [("POST", 200, processed)])


def test_malformed_json(omni: OmniSimulator, api: httpx.Client) -> None:
    """The answer is complete for HTTP, and half for JSON; the change was made."""
    omni.inject(faults.Malformed())
    answer = create(api)
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/json")
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert stored(omni) == ONE


def test_an_empty_answer(omni: OmniSimulator, api: httpx.Client) -> None:
    """Success, and nothing else; the change was made."""
    omni.inject(faults.Empty())
    answer = create(api)
    assert (answer.status_code, answer.content) == (201, b"")
    assert stored(omni) == ONE


def test_a_missing_field(omni: OmniSimulator, api: httpx.Client) -> None:
    """A field is gone from every object, at any depth, and from the answer only."""
    create(api)
    omni.inject(faults.Missing("name"))
    environments = api.get(ENVIRONMENTS).json()
    assert [("name" in each, "targetSchema" in each) for each in environments] == [(False, True)] * 2
    assert [set(variable) for variable in environments[1]["variables"]] == [{"id", "value", "isSecret"}]
    assert stored(omni) == ONE


def test_an_extra_field(lightdash: LightdashSimulator, admin: httpx.Client) -> None:
    """A field is added to every object that does not have it, at any depth."""
    lightdash.inject(faults.Extra("added", {"x": 1}), faults.Extra("status", "changed"))
    answer = admin.get(SOURCES).json()
    assert answer["added"] == {"x": 1}
    assert [source["added"] for source in answer["results"]] == [{"x": 1}]
    again = admin.get(SOURCES).json()
    assert (again["status"], again["results"][0]["status"]) == ("ok", "changed")


def test_fields_of_what_is_no_json(lightdash: LightdashSimulator) -> None:
    """An answer without fields stays as it is."""
    lightdash.inject(faults.Missing("x"), faults.Extra("x"))
    for _ in range(2):
        assert httpx.get(lightdash.url + SOURCES).text == "Unauthorized"


# Reads that lag behind


def listed(api: httpx.Client) -> list[str]:
    return [environment["name"] for environment in api.get(ENVIRONMENTS).json()]


def test_a_stale_list(omni: OmniSimulator, api: httpx.Client) -> None:
    """A list lacks what the last request created, even if nobody has listed before, and then has it."""
    create(api)
    omni.inject(faults.Stale(times=2))
    assert [sorted(listed(api)) for _ in range(3)] == [NONE, NONE, sorted(ONE)]
    api.put(f"{ENVIRONMENTS}/{omni.environments(omni.connection_id)[1]['id']}", json={"name": "Later"})
    omni.inject(faults.Stale())
    assert [sorted(listed(api)) for _ in range(2)] == [sorted(ONE), ["Later", "Production"]]


def test_what_a_stale_list_goes_back_behind(omni: OmniSimulator, api: httpx.Client) -> None:
    """Only a request that changed something: not a refused one, and not the web page; and writes see what is there."""
    omni.inject(faults.Stale(times=None))
    assert listed(api) == NONE
    create(api)
    api.post(ENVIRONMENTS, json={})
    omni.add_environment(omni.connection_id, name="Web", target_schema="web")
    assert listed(api) == NONE
    assert api.delete(f"{ENVIRONMENTS}/{omni.environments(omni.connection_id)[1]['id']}").status_code == 200
    assert stored(omni) == ["Production", "Web"]
    assert sorted(listed(api)) == ["CI", "Production", "Web"]
    omni.reset()
    omni.configure_dbt(omni.connection_id)
    omni.inject(faults.Stale())
    assert listed(api) == NONE


def test_a_stale_source(lightdash: LightdashSimulator, admin: httpx.Client) -> None:
    """What was just deleted is there for a while."""
    source = f"{SOURCES}/{admin.post(SOURCES, json=SOURCE).json()['results']['projectDbtSourceUuid']}"
    admin.delete(source)
    lightdash.inject(faults.Stale())
    assert [admin.get(source).status_code for _ in range(2)] == [200, 404]


# Something happens in between


@processed_or_not
@pytest.mark.parametrize("answered", [True, False])
def test_a_callback(
    omni: OmniSimulator, api: httpx.Client, *, answered: bool, processed: bool, left: list[str]
) -> None:
    """A test acts at an exact point of a request; without an answer, what was not carried out before never is."""
    found: list[list[str]] = []
    omni.inject(faults.Callback(lambda: found.append(stored(omni)), processed=processed, answered=answered))
    if answered:
        assert create(api).status_code == 201
    else:
        with pytest.raises(httpx.RemoteProtocolError):
            create(api)
    assert found == [left]
    assert stored(omni) == (ONE if answered else left)
    assert seen(omni) == [("POST", 201 if answered else None, processed or answered)]


def test_a_change_behind_the_back(omni: OmniSimulator, api: httpx.Client) -> None:
    """What a client is about to change is deleted before its request is looked at. The callback may send requests."""
    environment = f"{ENVIRONMENTS}/{create(api).json()['id']}"
    omni.inject(faults.Callback(lambda: api.delete(environment), processed=False, method="PUT"))
    assert api.put(environment, json={"name": "Later"}).status_code == 404
    assert [request.method for request in omni.requests] == ["POST", "PUT", "DELETE"]


# The rate limit


def test_a_rate_limit() -> None:
    """A key's requests beyond the limit are refused without a word on when to come back; other keys have their own."""
    with OmniSimulator(requests_per_minute=2) as omni:
        own, other = ({"Authorization": f"Bearer {key}"} for key in (omni.api_key, omni.viewer_token))

        def ask(headers: dict[str, str]) -> httpx.Response:
            return httpx.get(omni.url + ENVIRONMENTS, headers=headers)

        assert [ask(own).status_code for _ in range(3)] == [200, 200, 429]
        assert ask(other).status_code == 200
        refused = ask(own)
        assert refused.json()["message"] == "Rate limit exceeded (60 requests/minute)"
        assert "retry-after" not in refused.headers
        assert [request.processed for request in omni.requests] == [True, True, False, True, False]
        omni.reset()
        assert [ask(own).status_code for _ in range(3)] == [200, 200, 429]
        omni.rate_limit(None)
        assert ask(own).status_code == 200


def test_a_rate_limit_slides(omni: OmniSimulator, api: httpx.Client) -> None:
    """What was granted longer ago than the window leaves room, and what was refused takes none. Faults come after."""
    omni.inject(faults.Status(503, processed=False, after=1))
    omni.rate_limit(1, seconds=0.1)
    assert [api.get(ENVIRONMENTS).status_code for _ in range(3)] == [200, 429, 429]
    time.sleep(0.11)
    assert [api.get(ENVIRONMENTS).status_code for _ in range(2)] == [503, 429]
