"""What every resource of a program would fail with is told in full once, and sends no further request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from omni_pulumi.api.errors import (
    AuthenticationError,
    ConnectError,
    Error,
    NotFoundError,
    PermissionDeniedError,
    ResponseError,
    UnexpectedResponseError,
)
from omni_pulumi.resources.connection_environment import ConnectionEnvironmentProvider
from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider
from omni_pulumi.resources.dbt_environment import DbtEnvironmentProvider
from omni_pulumi.resources.lightdash_dbt_source import LightdashDbtSourceProvider
from omni_pulumi.simulator import LightdashSimulator, OmniSimulator, faults
from tests.catalogue import SAMPLES
from tests.servicer import ProviderError, Stack

E = TypeVar("E", bound=Error)

ENVIRONMENT = SAMPLES["DbtEnvironment"].minimal
SOURCE = SAMPLES["LightdashDbtSource"].minimal
ROUTE = SAMPLES["ConnectionEnvironment"].minimal
UNKNOWN_ID = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be999"


@pytest.fixture
def omni(omni_services: dict[str, OmniSimulator], stack: Stack) -> OmniSimulator:
    """The empty Omni of the stack, with a dbt configuration."""
    assert stack.resources == {}
    omni = omni_services["generated"]
    omni.configure_dbt(omni.connection_id)
    return omni


def failure(kind: type[E], step: Callable[[], object]) -> E:
    """The error of this kind that a step ends with."""
    with pytest.raises(ProviderError) as caught:
        step()
    error = caught.value.error
    assert type(error) is kind, repr(error)
    assert not error.outcome_unknown
    return error


def environment(stack: Stack, name: str, **changes: Any) -> Callable[[], str]:
    return lambda: stack.up(name, DbtEnvironmentProvider(), {**ENVIRONMENT, "name": name, **changes})


def source(stack: Stack, name: str, **changes: Any) -> Callable[[], str]:
    return lambda: stack.up(name, LightdashDbtSourceProvider(), {**SOURCE, "name": name, **changes})


def route(stack: Stack) -> Callable[[], str]:
    return lambda: stack.up("route", ConnectionEnvironmentProvider(), ROUTE)


def assert_refers(error: Error, first: Error, url: str) -> None:
    """An error names the instance and the operation of the first error, which tells more."""
    assert first.operation in str(error)
    assert url in str(error)
    assert error.operation not in {"", first.operation}
    if isinstance(error, ResponseError) and isinstance(first, ResponseError):
        assert (error.status, error.detail) == (first.status, first.detail)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key(stack: Stack, omni: OmniSimulator, status: int) -> None:
    """A refused key is refused for every resource of the instance, and the next command asks again.

    Omni answers 403 with "Invalid bearer token" to a key that it does not know.
    """
    kind: type[ResponseError] = AuthenticationError if status == 401 else PermissionDeniedError
    omni.inject(faults.expired_token(after=0, code=status))
    with stack.command():
        first = failure(kind, environment(stack, "A"))
        omni.clear_requests()
        for step in (environment(stack, "B"), environment(stack, "C", connectionId=UNKNOWN_ID), route(stack)):
            assert_refers(failure(kind, step), first, omni.url)
        assert omni.requests == []
    omni.clear_faults()
    with stack.command():
        assert environment(stack, "B")() == "create"


def test_another_instance_is_asked(stack: Stack, omni: OmniSimulator) -> None:
    """What one instance refuses says nothing about another one."""
    omni.inject(faults.expired_token(after=0))
    with stack.command():
        failure(AuthenticationError, environment(stack, "A"))
        assert source(stack, "a")() == "create"


def test_an_unreachable_service(stack: Stack, omni: OmniSimulator, pauses: list[float]) -> None:
    """The attempts of the first resource are enough for all: the others do not wait."""
    stack.config = {**stack.config, "omni:baseUrl": "http://127.0.0.1:1"}
    with stack.command():
        first = failure(ConnectError, environment(stack, "A"))
        assert pauses
        pauses.clear()
        assert_refers(failure(ConnectError, environment(stack, "B")), first, "http://127.0.0.1:1")
    assert pauses == []
    assert omni.requests == []


@pytest.mark.parametrize("body", ["html", "vendor"])
def test_a_wrong_path(stack: Stack, omni: OmniSimulator, body: Any) -> None:
    """A server that has no such API at the URL's path answers 404 to everything: that is told once."""
    stack.config = {**stack.config, "omni:baseUrl": f"{omni.url}/bi"}
    kind: type[ResponseError] = UnexpectedResponseError if body == "html" else NotFoundError
    if body == "html":
        omni.inject(faults.Status(404, processed=False, body=body, times=None))
    with stack.command():
        first = failure(kind, environment(stack, "A"))
        omni.clear_requests()
        other = environment(stack, "B", connectionId=omni.other_connection_id)
        assert_refers(failure(kind, other), first, f"{omni.url}/bi")
    assert omni.requests == []


def test_an_api_that_has_answered_is_at_the_right_path(stack: Stack, omni: OmniSimulator) -> None:
    """A proxy's 404 among Omni's answers is one request's failure."""
    with stack.command():
        assert environment(stack, "A")() == "create"
        omni.inject(faults.Status(404, processed=False, body="html"))
        failure(UnexpectedResponseError, environment(stack, "B"))
        assert environment(stack, "B")() == "create"


def test_an_unknown_connection(stack: Stack, omni: OmniSimulator) -> None:
    """An unknown connection is told once, after the attempts that a fresh one needs; others are not concerned."""
    with stack.command():
        first = failure(NotFoundError, environment(stack, "A", connectionId=UNKNOWN_ID))
        assert len(omni.requests) == 3
        assert_refers(failure(NotFoundError, environment(stack, "B", connectionId=UNKNOWN_ID)), first, UNKNOWN_ID)
        unknown = {**SAMPLES["DbtConfiguration"].minimal, "connectionId": UNKNOWN_ID}
        dbt = failure(NotFoundError, lambda: stack.up("dbt", DbtConfigurationProvider(), unknown))
        assert_refers(dbt, first, UNKNOWN_ID)
        assert len(omni.requests) == 3
        assert environment(stack, "C")() == "create"


def test_a_fresh_connection_is_not_given_up(stack: Stack, omni: OmniSimulator) -> None:
    """A connection that is found by the last attempt leaves no failure behind."""
    omni.inject(faults.Status(404, processed=False, path="/environments$", times=2))
    with stack.command():
        assert environment(stack, "A")() == "create"
        assert environment(stack, "B")() == "create"


def test_a_missing_permission(stack: Stack, lightdash: LightdashSimulator) -> None:
    """A project that may not be read is told once, and another project is asked."""
    lightdash.inject(faults.Status(403, processed=False, path=SOURCE["projectUuid"], times=None))
    with stack.command():
        first = failure(PermissionDeniedError, source(stack, "a"))
        lightdash.clear_requests()
        assert_refers(failure(PermissionDeniedError, source(stack, "b")), first, SOURCE["projectUuid"])
        assert lightdash.requests == []
        assert source(stack, "c", projectUuid=lightdash.other_project_id)() == "create"


def test_a_refused_write_concerns_one_resource(stack: Stack, lightdash: LightdashSimulator) -> None:
    """A write may be refused because of what it writes, so the next resource is tried."""
    lightdash.inject(faults.Status(403, processed=False, method="POST"))
    with stack.command():
        failure(PermissionDeniedError, source(stack, "a"))
        assert source(stack, "b")() == "create"


def test_a_missing_object_is_no_missing_project(stack: Stack, lightdash: LightdashSimulator) -> None:
    """A 404 that names a source says nothing about the project's other sources."""
    source(stack, "a")()
    source(stack, "b")()
    lightdash.inject(faults.Status(404, processed=False, path="/dbt-sources/", times=1))
    with stack.command():
        failure(NotFoundError, lambda: stack.refresh("a"))
        assert stack.refresh("b")


def test_no_error_means_gone(stack: Stack, omni: OmniSimulator) -> None:
    """Resources that are not asked about stay in the state, whether they are refreshed, updated or deleted."""
    for name in ("A", "B", "C", "D"):
        environment(stack, name)()
    omni.inject(faults.Status(404, processed=False, path="/environments", times=None))
    with stack.command():
        first = failure(NotFoundError, lambda: stack.refresh("A"))
        for step in (
            lambda: stack.refresh("B"),
            environment(stack, "C", targetSchema="other"),
            lambda: stack.destroy("D"),
        ):
            assert_refers(failure(NotFoundError, step), first, ENVIRONMENT["connectionId"])
    assert {*stack.resources} == {"A", "B", "C", "D"}
    omni.clear_faults()
    with stack.command():
        stack.destroy("D")
    assert {e["name"] for e in omni.environments(omni.connection_id)} & {"A", "B", "C", "D"} == {"A", "B", "C"}
