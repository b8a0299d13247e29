"""Known failures: a failure that concerns many operations is reported in full once. No requests are sent here."""

from __future__ import annotations

import pytest

from omni_pulumi.api.known_failures import KnownFailures
from omni_pulumi.errors import AuthenticationError, Error, NotFoundError, Scope


def error_401(
    scope: Scope, *, operation: str = "list the things", outcome_unknown: bool = False
) -> AuthenticationError:
    """Return an error as the transport raises it for a 401."""
    error = AuthenticationError(
        f"Cannot {operation}: Omni answered 401. Check the key.",
        status=401,
        detail="unauthorized",
        operation=operation,
        resource_id="thing",
        outcome_unknown=outcome_unknown,
    )
    error.scope = scope
    return error


def fail(
    failures: KnownFailures, error: Error, parent_id: str | None = "connection", *, meanwhile: Error | None = None
) -> Error:
    """Run an operation that fails with an error, and return the error that it raises.

    Args:
        failures: the known failures.
        error: the error of the operation.
        parent_id: the connection of the operation.
        meanwhile: the error of another operation, which starts after this one and fails before it.
    """

    def operation() -> None:
        with failures.report_once("write a thing", parent_id):
            if meanwhile is not None:
                assert fail(failures, meanwhile, parent_id) is meanwhile
            raise error

    with pytest.raises(Error) as caught:
        operation()
    return caught.value


def test_a_second_failure_refers_to_the_first() -> None:
    """The first error of an instance is raised unchanged. The error of a concurrent operation refers to it."""
    first, second = error_401("instance"), error_401("instance", operation="list other things")
    raised = fail(KnownFailures("Omni"), second, meanwhile=first)
    assert isinstance(raised, AuthenticationError)
    assert (raised.operation, raised.status, raised.detail) == ("write a thing", 401, "unauthorized")
    assert (raised.resource_id, raised.outcome_unknown) == (None, False)
    assert '"Cannot list the things"' in str(raised)


def test_an_unknown_outcome_is_reported_in_full() -> None:
    """An error of a write that may have been processed is raised unchanged, also when the failure is known."""
    lost = error_401("instance", outcome_unknown=True)
    assert fail(KnownFailures("Omni"), lost, meanwhile=error_401("instance")) is lost


def test_a_running_operation_continues() -> None:
    """A failure of another operation does not end one that has started, which may have written something."""
    failures, completed = KnownFailures("Omni"), []
    with failures.report_once("create a thing", "connection"):
        fail(failures, error_401("instance"))
        completed.append("the rest")
    assert completed == ["the rest"]


def test_each_scope() -> None:
    """A failure of scope "request" concerns no other operation, one of scope "parent" the operations of that parent."""
    failures = KnownFailures("Omni")
    first, second = error_401("request"), error_401("request")
    assert [fail(failures, first), fail(failures, second)] == [first, second]
    missing = NotFoundError("Cannot list: 404.", status=404, operation="list")
    missing.scope = "parent"
    assert fail(failures, missing) is missing
    with failures.report_once("write a thing", "another connection"), failures.report_once("write a thing", None):
        pass
    with pytest.raises(NotFoundError), failures.report_once("write a thing", "connection"):
        pytest.fail("the operation must not start")


def test_a_failure_without_a_parent() -> None:
    """A failure of scope "parent" concerns no operation that has no parent."""
    failures, error = KnownFailures("Omni"), error_401("parent")
    assert fail(failures, error, None) is error
    with failures.report_once("write a thing", None):
        pass
