"""The memory of failures, without requests."""

from __future__ import annotations

import pytest

from omni_pulumi.api.errors import AuthenticationError, Error, NotFoundError, Scope
from omni_pulumi.api.known_failures import KnownFailures


def refused(scope: Scope, *, operation: str = "list the things", outcome_unknown: bool = False) -> AuthenticationError:
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
    """The error with which an operation ends that fails with an error, after another one failed ``meanwhile``."""

    def operation() -> None:
        with failures.report_once("write a thing", parent_id):
            if meanwhile is not None:
                assert fail(failures, meanwhile, parent_id) is meanwhile
            raise error

    with pytest.raises(Error) as caught:
        operation()
    return caught.value


def test_the_first_failure_is_told_in_full() -> None:
    """The first one stays as it is; one that was on its way at the same time refers to it."""
    first, second = refused("instance"), refused("instance", operation="list others")
    told = fail(KnownFailures("Omni"), second, meanwhile=first)
    assert isinstance(told, AuthenticationError)
    assert (told.operation, told.status, told.detail) == ("write a thing", 401, "unauthorized")
    assert (told.resource_id, told.outcome_unknown) == (None, False)
    assert '"Cannot list the things"' in str(told)


def test_a_write_that_may_be_done_is_told_in_full() -> None:
    """Nobody must miss that a write may have been carried out."""
    lost = refused("instance", outcome_unknown=True)
    assert fail(KnownFailures("Omni"), lost, meanwhile=refused("instance")) is lost


def test_an_operation_that_has_begun_goes_on() -> None:
    """What another operation finds out does not end one that may have written something already."""
    failures, done = KnownFailures("Omni"), []
    with failures.report_once("create a thing", "connection"):
        fail(failures, refused("instance"))
        done.append("the rest")
    assert done == ["the rest"]


def test_each_scope() -> None:
    """A failure of one request concerns no other; that of a parent only what is below it."""
    failures = KnownFailures("Omni")
    first, second = refused("request"), refused("request")
    assert [fail(failures, first), fail(failures, second)] == [first, second]
    missing = NotFoundError("Cannot list: 404.", status=404, operation="list")
    missing.scope = "parent"
    assert fail(failures, missing) is missing
    with failures.report_once("write a thing", "another connection"), failures.report_once("write a thing", None):
        pass
    with pytest.raises(NotFoundError), failures.report_once("write a thing", "connection"):
        pytest.fail("it is known to fail")


def test_a_parent_that_nobody_names() -> None:
    """A failure about a connection concerns no operation that belongs to none."""
    failures, error = KnownFailures("Omni"), refused("parent")
    assert fail(failures, error, None) is error
    with failures.report_once("write a thing", None):
        pass
