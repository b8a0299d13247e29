"""A connection environment, through Pulumi's servicer, in both dialects of Omni, with and without a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from omni_pulumi.api.instance import Instance
from omni_pulumi.api.omni.client import OmniClient
from omni_pulumi.errors import AlreadyExistsError, BadRequestError, PartlyCreatedError, ServerError
from omni_pulumi.resources.connection_environment import (
    ConnectionEnvironmentArgs,
    ConnectionEnvironmentProvider,
)
from omni_pulumi.simulator import GENERATED, PAGES, Dialect, OmniSimulator, faults
from tests.catalogue import SAMPLES
from tests.harness import ResourceHarness
from tests.logged import warnings
from tests.servicer import NoClaims, Stack

LIFECYCLE = ConnectionEnvironmentProvider.lifecycle

DIALECTS = {
    f"{form}, {'list' if has_list else 'no list'}": replace(base, connection_environment_list=has_list)
    for form, base in {"text": PAGES, "arrays": GENERATED}.items()
    for has_list in (True, False)
}
WITH_LIST = [name for name in DIALECTS if name.endswith(", list")]
WITHOUT_LIST = [name for name in DIALECTS if name.endswith("no list")]

PROGRAM = {**SAMPLES["ConnectionEnvironment"].minimal, "userAttributeValues": ["staging", "qa"]}
"""The state sorts the values, and the program does not."""


@pytest.fixture(scope="module")
def services() -> Iterator[Callable[[str], OmniSimulator]]:
    with ExitStack() as running:
        omnis = {name: running.enter_context(OmniSimulator(dialect=each)) for name, each in DIALECTS.items()}

        def reset_service(name: str) -> OmniSimulator:
            omnis[name].reset()
            return omnis[name]

        yield reset_service


@pytest.fixture(params=DIALECTS)
def omni(request: pytest.FixtureRequest, services: Callable[[str], OmniSimulator]) -> OmniSimulator:
    """An empty Omni of each dialect, or of those that a test selects."""
    return services(request.param)


@pytest.fixture
def harness(omni_stack: Stack) -> ResourceHarness:
    return ResourceHarness(omni_stack, ConnectionEnvironmentProvider(), PROGRAM)


with_list = pytest.mark.parametrize("omni", WITH_LIST, indirect=True)
without_list = pytest.mark.parametrize("omni", WITHOUT_LIST, indirect=True)


def values(omni: OmniSimulator) -> list[str]:
    """Return the values of the only connection environment, sorted."""
    (found,) = omni.connection_environments()
    return sorted(found["user_attribute_values"])


def arguments(**changes: Any) -> ConnectionEnvironmentArgs:
    """Return the validated arguments of the program with changes."""
    args = LIFECYCLE.validate({**PROGRAM, **changes})
    assert isinstance(args, ConnectionEnvironmentArgs)
    return args


def writes(omni: OmniSimulator) -> list[tuple[str, int | None]]:
    """Return the methods and statuses of the requests other than GET."""
    return [(request.method, request.status) for request in omni.requests if request.method != "GET"]


def test_create(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A create sends the connections, then the values, and the next preview shows no change."""
    assert harness.preview() == "create"
    assert harness.up() == "create"
    (created,) = omni.connection_environments()
    assert created["base_connection_id"] == omni.connection_id
    assert created["connection_id"] == omni.staging_connection_id
    assert values(omni) == ["qa", "staging"]
    assert harness.id == harness.outputs["connectionEnvironmentId"] == created["id"]
    assert [method for method, status in writes(omni) if status in {200, 201}] == ["POST", "PUT"]
    harness.assert_settled()


@pytest.mark.parametrize("changed", [["dev"], ["qa", "staging", "dev"], ["qa"], []], ids=str)
def test_update(omni: OmniSimulator, harness: ResourceHarness, changed: list[str]) -> None:
    """An update replaces the values."""
    harness.up()
    assert harness.preview(userAttributeValues=changed) == "update"
    assert harness.up(userAttributeValues=changed) == "update"
    assert values(omni) == sorted(changed)
    harness.assert_settled(userAttributeValues=changed)


@with_list
@pytest.mark.parametrize("changed", [["dev"], ["qa", "staging", "dev"], ["qa"], []], ids=str)
def test_drift(omni: OmniSimulator, harness: ResourceHarness, changed: list[str]) -> None:
    """A refresh detects values that were changed in the Omni UI, and the next `up` restores them."""
    harness.up()
    omni.edit_connection_environment(harness.id, changed)
    harness.assert_drifted_and_repaired()
    assert values(omni) == ["qa", "staging"]


@pytest.mark.parametrize("equivalent", [{"userAttributeValues": ["qa", "staging"]}, {"adopt": True}], ids=str)
def test_equivalent_values_are_no_change(harness: ResourceHarness, equivalent: dict[str, Any]) -> None:
    """Neither the order of the values nor ``adopt`` is a change."""
    harness.up()
    harness.assert_settled(**equivalent)


@with_list
def test_order_in_omni_is_no_drift(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """The order in which Omni lists the values is no drift."""
    harness.up()
    omni.edit_connection_environment(harness.id, ["staging", "qa"])
    harness.assert_settled()


def test_no_values(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """The values are optional, and an empty list is the same as none."""
    harness.up(userAttributeValues=None)
    assert values(omni) == []
    harness.assert_settled(userAttributeValues=None)
    harness.assert_settled(userAttributeValues=[])


@with_list
def test_deleted_outside_pulumi(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A connection environment that was deleted in the Omni UI leaves the state. The next `up` creates it again."""
    harness.up()
    omni.delete_connection_environment(harness.id)
    assert not harness.refresh()
    assert harness.up() == "create"
    harness.assert_settled()


@without_list
def test_without_a_list_the_state_is_kept(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Without a list a refresh changes nothing, even when the connection environment was deleted."""
    harness.up()
    before = dict(harness.outputs)
    omni.delete_connection_environment(harness.id)
    assert harness.refresh()
    assert harness.outputs == before


@pytest.mark.parametrize("dialect", [DIALECTS[name] for name in WITHOUT_LIST], ids=WITHOUT_LIST)
def test_without_a_list_a_warning_is_logged_once(dialect: Dialect, log: pytest.LogCaptureFixture) -> None:
    """Without a list the first read warns that drift cannot be detected, and the list is requested only once."""
    with OmniSimulator(dialect=dialect) as omni, closing(OmniClient(Instance(omni.url, omni.api_key))) as client:
        state = LIFECYCLE.create(client, arguments(), NoClaims())
        assert LIFECYCLE.read(client, state) == state
        assert LIFECYCLE.read(client, state) == state
        assert [request.method for request in omni.requests].count("GET") == 1
        (warning,) = log.messages
        assert [warning] == warnings(log)
        assert omni.url in warning


@pytest.mark.parametrize(
    ("dialect", "creating"),
    [
        pytest.param(PAGES, [("POST", 201), ("PUT", 200)], id="text"),
        pytest.param(GENERATED, [("POST", 400), ("POST", 201), ("PUT", 200)], id="arrays"),
    ],
)
def test_other_dialect_is_tried_once(dialect: Dialect, creating: list[tuple[str, int]]) -> None:
    """When Omni rejects the type of a field, the request is sent again in the other dialect.

    All later requests use that dialect.
    """
    with OmniSimulator(dialect=dialect) as omni, closing(OmniClient(Instance(omni.url, omni.api_key))) as client:
        state = LIFECYCLE.create(client, arguments(), NoClaims())
        assert writes(omni) == creating
        omni.clear_requests()
        LIFECYCLE.update_or_recreate(client, state, arguments(userAttributeValues=["dev"]), NoClaims())
        LIFECYCLE.delete(client, state)
        LIFECYCLE.create(client, arguments(), NoClaims())
        assert writes(omni) == [("PUT", 200), ("DELETE", 200), ("POST", 201), ("PUT", 200)]


def test_update_recreates(omni: OmniSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture) -> None:
    """An update recreates a connection environment that was deleted outside Pulumi, and warns."""
    harness.up()
    deleted = harness.id
    omni.delete_connection_environment(deleted)
    assert harness.up(userAttributeValues=["dev"]) == "update"
    assert len([warning for warning in warnings(log) if deleted in warning]) == 1
    assert values(omni) == ["dev"]
    harness.assert_settled(userAttributeValues=["dev"])


def test_destroy(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A destroy deletes one connection environment and keeps the others."""
    other = omni.add_connection_environment(omni.connection_id, omni.development_connection_id, ["dev"])
    harness.up()
    harness.destroy()
    assert [each["id"] for each in omni.connection_environments()] == [other]


def test_destroy_when_deleted_already(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A destroy succeeds when the connection environment was deleted outside Pulumi."""
    harness.up()
    omni.delete_connection_environment(harness.id)
    harness.destroy()


@pytest.mark.parametrize(
    "change",
    [
        {"environmentConnectionId": OmniSimulator.development_connection_id},
        {"baseConnectionId": OmniSimulator.other_connection_id},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_connection_replaces(omni: OmniSimulator, harness: ResourceHarness, change: dict[str, str]) -> None:
    """A change of either connection replaces.

    The old object is deleted first, because only one connection environment of a connection can have a value.
    """
    harness.up()
    omni.clear_requests()
    assert harness.preview(**change) == "replace"
    assert harness.up(**change) == "replace"
    assert [method for method, status in writes(omni) if status in {200, 201}] == ["DELETE", "POST", "PUT"]
    assert values(omni) == ["qa", "staging"]
    harness.assert_settled(**change)


def test_create_with_rejected_values_is_undone(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """When Omni rejects the values, the create deletes the new connection environment.

    The error has Omni's message. Omni rejects a value that another connection environment has.
    """
    other = omni.add_connection_environment(omni.connection_id, omni.development_connection_id, ["qa"])
    error = harness.refusal(BadRequestError)
    assert 'User attribute value "qa" is already in use' in error.detail
    assert error.detail in str(error)
    assert not error.outcome_unknown
    assert [each["id"] for each in omni.connection_environments()] == [other]


def test_create_that_cannot_be_undone() -> None:
    """When the deletion of a rejected create fails too, the error has both reasons, the ID and ``adopt=True``."""
    client = mock.create_autospec(OmniClient, instance=True, has_connection_environment_list=True)
    client.create_connection_environment.return_value = "c0ffee"
    client.update_connection_environment.side_effect = BadRequestError("The value is in use.", status=400)
    client.delete_connection_environment.side_effect = ServerError("Omni is down.", status=503)
    with pytest.raises(PartlyCreatedError) as caught:
        LIFECYCLE.create(client, arguments(), NoClaims())
    assert (caught.value.resource_id, caught.value.outcome_unknown) == ("c0ffee", True)
    for part in ("The value is in use.", "c0ffee", "Omni is down.", "adopt=True"):
        assert part in str(caught.value)


@with_list
def test_create_of_an_existing_object_fails(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A create changes nothing when the connection environment exists. Its error shows what an adoption changes."""
    existing = omni.add_connection_environment(omni.connection_id, omni.staging_connection_id, ["old"])
    error = harness.refusal(AlreadyExistsError)
    assert error.resource_id == existing
    assert error.changes == ("user_attribute_values",)
    assert omni.connection_id in error.operation
    assert [fact for fact in (existing, "adopt=True", "old") if fact not in str(error)] == []
    assert values(omni) == ["old"]


@with_list
def test_adoption(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """An adoption writes the declared values. Removing ``adopt`` later is no change."""
    existing = omni.add_connection_environment(omni.connection_id, omni.staging_connection_id, ["qa"])
    assert harness.up(adopt=True) == "create"
    assert harness.id == existing
    assert values(omni) == ["qa", "staging"]
    harness.assert_settled(adopt=True)
    harness.assert_settled()


@with_list
def test_a_failed_adoption_deletes_nothing(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A failed adoption does not delete the object, because the create did not create it."""
    omni.add_connection_environment(omni.connection_id, omni.development_connection_id, ["qa"])
    existing = omni.add_connection_environment(omni.connection_id, omni.staging_connection_id, ["staging"])
    error = harness.refusal(BadRequestError, adopt=True)
    assert error.resource_id == existing
    assert 'User attribute value "qa" is already in use' in error.detail
    assert existing in [each["id"] for each in omni.connection_environments()]


@pytest.mark.parametrize("adopt", [False, True])
@without_list
def test_without_a_list_nothing_can_be_adopted(omni: OmniSimulator, harness: ResourceHarness, *, adopt: bool) -> None:
    """Without a list the create of an existing object fails with Omni's message, with and without ``adopt``."""
    omni.add_connection_environment(omni.connection_id, omni.staging_connection_id, ["old"])
    error = harness.refusal(AlreadyExistsError, adopt=adopt)
    assert error.resource_id is None
    assert f"not valid for this connection: {omni.staging_connection_id}" in str(error)
    assert values(omni) == ["old"]


def test_adopt_creates(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """With ``adopt=True`` a create succeeds when there is nothing to adopt."""
    assert harness.up(adopt=True) == "create"
    assert values(omni) == ["qa", "staging"]


def test_connection_to_another_type_of_database(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Omni rejects a connection to another type of database, and the error has its message."""
    kind = BadRequestError if omni.dialect.connection_environment_list else AlreadyExistsError
    error = harness.refusal(kind, environmentConnectionId=omni.other_dialect_connection_id)
    assert f"not valid for this connection: {omni.other_dialect_connection_id}" in str(error)
    assert omni.connection_environments() == []


@without_list
def test_without_a_list_a_create_is_not_sent_again(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Without a list a create is not sent again after a lost response. The outcome of the error is unknown."""
    omni.inject(faults.Reset(processed=True, method="POST"))
    error = harness.refusal(PartlyCreatedError)
    assert error.outcome_unknown
    assert (error.resource_id, omni.staging_connection_id in error.operation) == (None, True)
    assert [method for method, _ in writes(omni)] == ["POST"]


@with_list
def test_404_of_a_proxy_for_the_list(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A 404 with a proxy's page does not mean that Omni has no list. The read is repeated and detects drift."""
    harness.up()
    omni.edit_connection_environment(harness.id, ["other"])
    omni.inject(faults.Status(404, processed=False, body="html", method="GET", times=2))
    assert harness.refresh()
    assert harness.preview() == "update"


@with_list
def test_create_is_undone_with_a_404(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A 404 to the deletion of a new object does not prove that it is deleted.

    The list still has the object, so the outcome of the error is unknown.
    """
    omni.inject(*(faults.Status(404, processed=False, method=method) for method in ("PUT", "DELETE")))
    error = harness.refusal(PartlyCreatedError)
    (created,) = omni.connection_environments()
    assert (error.resource_id, error.outcome_unknown) == (created["id"], True)
    assert "adopt=True" in str(error)
    assert harness.up(adopt=True) == "create"
    harness.assert_settled()


def test_undone_create_has_a_known_outcome(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """The outcome is known when the response to the values is lost and the create is undone."""
    omni.inject(faults.Status(500, processed=True, method="PUT"))
    assert not harness.refusal(ServerError).outcome_unknown
    assert omni.connection_environments() == []
