"""A failure that affects every resource is reported in full once. The next resources fail without a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from omni_pulumi.errors import (
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
CONNECTION_ENVIRONMENT = SAMPLES["ConnectionEnvironment"].minimal
UNKNOWN_ID = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be999"


@pytest.fixture
def omni(omni_services: dict[str, OmniSimulator], stack: Stack) -> OmniSimulator:
    """The empty Omni of the stack, with a dbt configuration."""
    assert stack.resources == {}
    omni = omni_services["generated"]
    omni.configure_dbt(omni.connection_id)
    return omni


def expect_error(error_class: type[E], step: Callable[[], object]) -> E:
    """Return the error with which a step fails. It has this class, and its outcome is known."""
    with pytest.raises(ProviderError) as caught:
        step()
    error = caught.value.error
    assert type(error) is error_class, repr(error)
    assert not error.outcome_unknown
    return error


def environment(stack: Stack, name: str, **changes: Any) -> Callable[[], str]:
    """Return a step that creates or updates a dbt environment."""
    return lambda: stack.up(name, DbtEnvironmentProvider(), {**ENVIRONMENT, "name": name, **changes})


def source(stack: Stack, name: str, **changes: Any) -> Callable[[], str]:
    """Return a step that creates or updates a dbt source of Lightdash."""
    return lambda: stack.up(name, LightdashDbtSourceProvider(), {**SOURCE, "name": name, **changes})


def connection_environment(stack: Stack) -> Callable[[], str]:
    """Return a step that creates a connection environment."""
    return lambda: stack.up("connection environment", ConnectionEnvironmentProvider(), CONNECTION_ENVIRONMENT)


def assert_refers_to(error: Error, first: Error, url: str) -> None:
    """Assert that an error names the instance and the operation of the first error, which has the details."""
    assert first.operation in str(error)
    assert url in str(error)
    assert error.operation not in {"", first.operation}
    if isinstance(error, ResponseError) and isinstance(first, ResponseError):
        assert (error.status, error.detail) == (first.status, first.detail)


@pytest.mark.parametrize("status", [401, 403])
def test_rejected_key(stack: Stack, omni: OmniSimulator, status: int) -> None:
    """A rejected key fails every resource of the instance without another request. The next command tries it again.

    Omni responds 403 with "Invalid bearer token" to an unknown key.
    """
    error_class: type[ResponseError] = AuthenticationError if status == 401 else PermissionDeniedError
    omni.inject(faults.expired_token(after=0, code=status))
    with stack.command():
        first = expect_error(error_class, environment(stack, "A"))
        omni.clear_requests()
        for step in (
            environment(stack, "B"),
            environment(stack, "C", connectionId=UNKNOWN_ID),
            connection_environment(stack),
        ):
            assert_refers_to(expect_error(error_class, step), first, omni.url)
        assert omni.requests == []
    omni.clear_faults()
    with stack.command():
        assert environment(stack, "B")() == "create"


@pytest.mark.parametrize("secret", ["e", "bearer", "Invalid bearer token"])
def test_rejected_key_is_known_before_secrets_are_masked(stack: Stack, omni: OmniSimulator, secret: str) -> None:
    """A write shows that the key is rejected, whatever its secrets mask in the message of Omni."""
    omni.inject(faults.expired_token(after=1, code=403))
    with stack.command():
        first = expect_error(PermissionDeniedError, environment(stack, "A", secretVariables={"S": secret}))
        omni.clear_requests()
        assert_refers_to(expect_error(PermissionDeniedError, environment(stack, "B")), first, omni.url)
    assert omni.requests == []


def test_rejected_key_does_not_affect_another_instance(stack: Stack, omni: OmniSimulator) -> None:
    """A key that one instance rejects does not affect the resources of another instance."""
    omni.inject(faults.expired_token(after=0))
    with stack.command():
        expect_error(AuthenticationError, environment(stack, "A"))
        assert source(stack, "a")() == "create"


def test_unreachable_service(stack: Stack, omni: OmniSimulator, sleeps: list[float]) -> None:
    """Only the first resource retries when the service is unreachable. The next one fails without waiting."""
    stack.config = {**stack.config, "omni:baseUrl": "http://127.0.0.1:1"}
    with stack.command():
        first = expect_error(ConnectError, environment(stack, "A"))
        assert sleeps
        sleeps.clear()
        assert_refers_to(expect_error(ConnectError, environment(stack, "B")), first, "http://127.0.0.1:1")
    assert sleeps == []
    assert omni.requests == []


@pytest.mark.parametrize("body", ["html", "vendor"])
def test_wrong_path_in_the_url(stack: Stack, omni: OmniSimulator, body: Any) -> None:
    """A URL with a wrong path gets a 404 to every request, so only the first resource sends requests."""
    stack.config = {**stack.config, "omni:baseUrl": f"{omni.url}/bi"}
    error_class: type[ResponseError] = UnexpectedResponseError if body == "html" else NotFoundError
    if body == "html":
        omni.inject(faults.Status(404, processed=False, body=body, times=None))
    with stack.command():
        first = expect_error(error_class, environment(stack, "A"))
        omni.clear_requests()
        other = environment(stack, "B", connectionId=omni.other_connection_id)
        assert_refers_to(expect_error(error_class, other), first, f"{omni.url}/bi")
    assert omni.requests == []


def test_404_of_a_proxy_after_a_success(stack: Stack, omni: OmniSimulator) -> None:
    """After a successful request the URL is right, so a 404 of a proxy fails one request only."""
    with stack.command():
        assert environment(stack, "A")() == "create"
        omni.inject(faults.Status(404, processed=False, body="html"))
        expect_error(UnexpectedResponseError, environment(stack, "B"))
        assert environment(stack, "B")() == "create"


def test_unknown_connection(stack: Stack, omni: OmniSimulator) -> None:
    """Only the first resource of an unknown connection sends requests, and other connections are not affected.

    It sends three, because Omni may need a moment to find a new connection.
    """
    with stack.command():
        first = expect_error(NotFoundError, environment(stack, "A", connectionId=UNKNOWN_ID))
        assert len(omni.requests) == 3
        assert_refers_to(
            expect_error(NotFoundError, environment(stack, "B", connectionId=UNKNOWN_ID)), first, UNKNOWN_ID
        )
        unknown = {**SAMPLES["DbtConfiguration"].minimal, "connectionId": UNKNOWN_ID}
        dbt = expect_error(NotFoundError, lambda: stack.up("dbt", DbtConfigurationProvider(), unknown))
        assert_refers_to(dbt, first, UNKNOWN_ID)
        assert len(omni.requests) == 3
        assert environment(stack, "C")() == "create"


def test_new_connection_is_found_by_the_last_attempt(stack: Stack, omni: OmniSimulator) -> None:
    """A new connection that only the third attempt finds does not count as unknown for the next resource."""
    omni.inject(faults.Status(404, processed=False, path="/environments$", times=2))
    with stack.command():
        assert environment(stack, "A")() == "create"
        assert environment(stack, "B")() == "create"


def test_project_without_permission(stack: Stack, lightdash: LightdashSimulator) -> None:
    """A 403 for a project is reported in full once, and does not affect another project."""
    lightdash.inject(faults.Status(403, processed=False, path=SOURCE["projectUuid"], times=None))
    with stack.command():
        first = expect_error(PermissionDeniedError, source(stack, "a"))
        lightdash.clear_requests()
        assert_refers_to(expect_error(PermissionDeniedError, source(stack, "b")), first, SOURCE["projectUuid"])
        assert lightdash.requests == []
        assert source(stack, "c", projectUuid=lightdash.other_project_id)() == "create"


def test_rejected_write_affects_one_resource(stack: Stack, lightdash: LightdashSimulator) -> None:
    """A 403 to a write may be about what it writes, so the next resource sends its own write."""
    lightdash.inject(faults.Status(403, processed=False, method="POST"))
    with stack.command():
        expect_error(PermissionDeniedError, source(stack, "a"))
        assert source(stack, "b")() == "create"


def test_404_for_a_source_does_not_affect_its_project(stack: Stack, lightdash: LightdashSimulator) -> None:
    """A 404 for one source does not affect the other sources of the project."""
    source(stack, "a")()
    source(stack, "b")()
    lightdash.inject(faults.Status(404, processed=False, path="/dbt-sources/", times=1))
    with stack.command():
        expect_error(NotFoundError, lambda: stack.refresh("a"))
        assert stack.refresh("b")


def test_shared_failure_keeps_the_state(stack: Stack, omni: OmniSimulator) -> None:
    """Resources that fail without a request stay in the state, during a refresh, an update and a destroy."""
    for name in ("A", "B", "C", "D"):
        environment(stack, name)()
    omni.inject(faults.Status(404, processed=False, path="/environments", times=None))
    with stack.command():
        first = expect_error(NotFoundError, lambda: stack.refresh("A"))
        for step in (
            lambda: stack.refresh("B"),
            environment(stack, "C", targetSchema="other"),
            lambda: stack.destroy("D"),
        ):
            assert_refers_to(expect_error(NotFoundError, step), first, ENVIRONMENT["connectionId"])
    assert {*stack.resources} == {"A", "B", "C", "D"}
    omni.clear_faults()
    with stack.command():
        stack.destroy("D")
    assert {e["name"] for e in omni.environments(omni.connection_id)} & {"A", "B", "C", "D"} == {"A", "B", "C"}
