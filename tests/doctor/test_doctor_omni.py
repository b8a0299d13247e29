"""The checks of an Omni instance, in both dialects."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import pytest

from omni_pulumi.api.omni.client import OmniClient
from omni_pulumi.doctor.checks import MOST_PARENTS
from omni_pulumi.errors import ConnectError
from omni_pulumi.simulator import (
    CONNECTION_ID,
    CONNECTION_WITHOUT_DBT_ID,
    OTHER_CONNECTION_ID,
    STAGING_CONNECTION_ID,
    OmniSimulator,
    faults,
)
from tests.doctor.conftest import Diagnose
from tests.subcommand import Run

ATTRIBUTE = "environment user attribute"


def lost(path: str) -> faults.Fault:
    """Return a fault that closes the connection without a response."""
    return faults.Close(processed=False, path=path)


def failed(path: str) -> faults.Fault:
    """Return a fault that answers 500."""
    return faults.Status(500, processed=False, path=path)


def test_an_organization_key(run: Run, diagnose: Diagnose, omni: OmniSimulator) -> None:
    """An organization key has no problem. The table has a line for each check, and the result of ``--json``."""
    omni.configure_dbt(CONNECTION_ID)
    found = diagnose("omni")
    assert (found.status, found.problems, found.of("kind of key").status) == (0, [], "ok")
    assert found.of("dbt", CONNECTION_ID).status == "ok"
    assert found.of("dbt environments", CONNECTION_ID).result.startswith("1 ")
    text = run("omni")
    assert (text.status, text.err) == (0, "")
    assert omni.url in text.out
    for each in found.json["checks"]:
        assert each["result"] in text.out


def test_requests(run: Run, omni: OmniSimulator) -> None:
    """The command sends GET requests only: one for each connection, and four others."""
    omni.configure_dbt(CONNECTION_ID)
    connections = len(omni.snapshot().connections)
    assert run("omni").status == 0
    assert {request.method for request in omni.requests} == {"GET"}
    assert len(omni.requests) == connections + 4
    omni.clear_requests()
    assert run("omni", "--connection", "Warehouse").status == 0
    assert len(omni.requests) == 5


def test_many_connections(diagnose: Diagnose, omni: OmniSimulator) -> None:
    """Of many connections the first ten by name are checked, unless some are named."""
    last = [omni.add_connection(f"z {number}") for number in range(20)][-1]
    total = len(omni.snapshot().connections)
    found = diagnose("omni")
    assert sum(each["check"] == "dbt" for each in found.json["checks"]) == MOST_PARENTS
    assert len(omni.requests) == MOST_PARENTS + 3
    counts = [each["result"] for each in found.json["checks"] if each["check"] == "connections"]
    assert [str(total) in counts[0], str(total - MOST_PARENTS) in counts[1]] == [True, True]
    assert diagnose("omni", "--connection", last).of("dbt", last).status == "info"


def test_a_personal_access_token(diagnose: Diagnose, omni: OmniSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A personal access token may not list the users. What it may write stays unknown."""
    monkeypatch.setenv("OMNI_API_KEY", omni.personal_access_token)
    found = diagnose("omni").of("kind of key")
    assert (found.status, "personal" in found.result, "write" in found.result) == ("info", True, True)


@pytest.mark.parametrize(
    "fault",
    [*(faults.Status(status, processed=False, path="/scim/") for status in (404, 405, 500)), lost("/scim/")],
    ids=["404", "405", "500", "lost"],
)
def test_an_unknown_kind_of_key(diagnose: Diagnose, omni: OmniSimulator, fault: faults.Fault) -> None:
    """Without a list of users the kind of the key is unknown, which is no problem."""
    omni.inject(fault)
    found = diagnose("omni")
    assert (found.status, found.of("kind of key").status) == (0, "info")
    assert "personal" not in found.of("kind of key").result


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key(diagnose: Diagnose, omni: OmniSimulator, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """A refused key is one problem after one request. The advice names the setting."""
    monkeypatch.setenv("OMNI_API_KEY", "a-wrong-key")
    if status == 401:
        omni.inject(faults.expired_token(after=0))
    found = diagnose("omni")
    assert (found.problems, found.of("reached").status, len(omni.requests)) == (["key"], "ok", 1)
    assert str(status) in found.of("key").result
    assert "OMNI_API_KEY" in found.of("key").advice


def test_a_key_that_may_not_list_connections(
    diagnose: Diagnose, omni: OmniSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Omni accepts the key of a viewer, who may not list connections."""
    monkeypatch.setenv("OMNI_API_KEY", omni.viewer_token)
    found = diagnose("omni")
    assert (found.of("key").status, found.problems) == ("ok", ["connections"])


@pytest.mark.parametrize(
    ("options", "status"), [([], "warning"), (["--connection", CONNECTION_ID], "problem")], ids=["all", "named"]
)
def test_a_key_that_sees_part(diagnose: Diagnose, omni: OmniSimulator, options: list[str], status: str) -> None:
    """A connection whose dbt configuration the key may not read is a problem if it is named."""
    omni.inject(faults.Status(403, processed=False, path=f"{CONNECTION_ID}/dbt", times=None))
    omni.configure_dbt(OTHER_CONNECTION_ID)
    found = diagnose("omni", *options)
    assert found.of("dbt", CONNECTION_ID).status == status
    assert "Connection Admin" in found.of("dbt", CONNECTION_ID).advice


def test_an_unknown_connection(diagnose: Diagnose) -> None:
    """A connection that does not exist is a problem that names those that do. The others are checked."""
    found = diagnose("omni", "--connection", "Warehous", "--connection", OTHER_CONNECTION_ID)
    (problem,) = (each for each in found.json["checks"] if each["status"] == "problem")
    assert problem["check"] == "connections"
    assert '"Warehous"' in problem["result"]
    assert '"Warehouse"' in problem["result"]
    assert found.of("dbt", OTHER_CONNECTION_ID).status == "info"


def test_support_of_dbt(diagnose: Diagnose) -> None:
    """A connection without support of dbt is a warning if it is named. One without a configuration is none."""
    assert diagnose("omni").of("dbt", CONNECTION_WITHOUT_DBT_ID).status == "info"
    named = diagnose("--connection", CONNECTION_WITHOUT_DBT_ID, "--connection", CONNECTION_ID)
    assert (named.status, named.of("dbt", CONNECTION_WITHOUT_DBT_ID).status) == (0, "warning")
    assert named.of("dbt", CONNECTION_ID).status == "info"


def test_a_base_connection_without_a_user_attribute(diagnose: Diagnose, omni: OmniSimulator) -> None:
    """Connection environments of a connection that names no user attribute are a problem, if Omni lists them."""
    omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID, ["staging"])
    found = diagnose("omni")
    if not omni.dialect.connection_environment_list:
        assert (found.problems, found.of("connection environments").status) == ([], "info")
        return
    assert (found.problems, found.of(ATTRIBUTE, CONNECTION_ID).status) == ([ATTRIBUTE], "problem")
    assert "ConnectionEnvironmentAttribute" in found.of(ATTRIBUTE, CONNECTION_ID).advice
    omni.set_environment_user_attribute(CONNECTION_ID, "environment", ["production"])
    assert diagnose("omni").of(ATTRIBUTE, CONNECTION_ID).status == "ok"


def test_connection_environments_that_the_key_may_not_list(diagnose: Diagnose, omni: OmniSimulator) -> None:
    """A refused list of connection environments is a warning."""
    omni.inject(faults.Status(403, processed=False, path="/connection-environments$"))
    assert diagnose("omni").of("connection environments").status == "warning"


@pytest.mark.parametrize("fault", [failed, lost])
@pytest.mark.parametrize(
    ("path", "check"),
    [
        ("/connection-environments$", "connection environments"),
        (f"{CONNECTION_ID}/dbt$", "dbt"),
        ("/dbt/environments$", "dbt environments"),
    ],
)
def test_an_error_of_one_endpoint(
    diagnose: Diagnose, omni: OmniSimulator, path: str, check: str, fault: Callable[[str], faults.Fault]
) -> None:
    """An error of an endpoint, or a response that is lost, is a problem of that endpoint. The other checks follow."""
    omni.configure_dbt(CONNECTION_ID)
    omni.configure_dbt(OTHER_CONNECTION_ID)
    omni.inject(fault(path))
    found = diagnose("omni")
    assert (found.problems, found.of("reached").status) == ([check], "ok")
    assert found.of("dbt", OTHER_CONNECTION_ID).status == "ok"
    assert found.of("rate limit").status == "ok"


def test_a_response_of_another_form(diagnose: Diagnose, omni: OmniSimulator) -> None:
    """A response without a required field is a problem that names the field, and asks for a report."""
    omni.configure_dbt(CONNECTION_ID)
    omni.inject(faults.Missing("targetSchema", path="/dbt/environments$"))
    found = diagnose("omni").of("dbt environments", CONNECTION_ID)
    assert (found.status, "targetSchema" in found.result, "--report" in found.advice) == ("problem", True, True)


def test_the_rate_limit(diagnose: Diagnose, omni: OmniSimulator) -> None:
    """429 ends the checks without another request. The advice has the seconds of Retry-After."""
    omni.inject(faults.rate_limited(1, retry_after="7", after=2))
    found = diagnose("omni")
    assert (found.problems, len(omni.requests)) == (["rate limit"], 3)
    assert "7 seconds" in found.of("rate limit").advice


def test_a_network_that_fails_later(diagnose: Diagnose, omni: OmniSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """If Omni cannot be reached any more, the check that found it has the problem, and the others do not follow."""

    def refuse(*_: object) -> NoReturn:
        raise ConnectError("", cause="refused").replace(scope="instance")

    monkeypatch.setattr(OmniClient, "get_dbt_support", refuse)
    found = diagnose("omni")
    assert (found.problems, found.of("reached").status, len(omni.requests)) == (["dbt"], "ok", 2)


def test_a_key_that_is_revoked_later(diagnose: Diagnose, omni: OmniSimulator) -> None:
    """A key that Omni accepted and then refuses is one problem, of the check that found it."""
    omni.inject(faults.expired_token(after=2))
    found = diagnose("omni")
    assert (found.problems, found.of("key").status, len(omni.requests)) == (["dbt"], "ok", 3)
    (problem,) = (each for each in found.json["checks"] if each["status"] == "problem")
    assert "OMNI_API_KEY" in problem["advice"]


def test_a_lost_response_that_only_the_report_needs(run: Run, omni: OmniSimulator) -> None:
    """A response that only the report describes is no problem when it is lost."""
    path = f"/connections/{CONNECTION_ID}"
    omni.inject(lost(f"{path}$"))
    assert run("omni", "--connection", CONNECTION_ID, "--report").status == 0
    assert omni.requests[-1].path.endswith(path)


def test_a_lost_response(diagnose: Diagnose, omni: OmniSimulator) -> None:
    """A first request without a response ends the checks."""
    omni.inject(faults.Close(processed=False))
    found = diagnose("omni")
    assert (found.problems, len(omni.requests)) == (["reached"], 1)


def test_a_high_limit(diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit above that of Omni's documentation is a warning that names the setting."""
    monkeypatch.setenv("OMNI_REQUESTS_PER_MINUTE", "500")
    found = diagnose("omni").of("rate limit")
    assert (found.status, "500" in found.result, "OMNI_REQUESTS_PER_MINUTE" in found.advice) == ("warning", True, True)


def test_no_connections(diagnose: Diagnose, omni: OmniSimulator) -> None:
    """A key that sees no connection is a problem."""
    empty = omni.snapshot()
    empty.connections.clear()
    omni.restore(empty)
    assert diagnose("omni").problems == ["connections"]
