"""A connection environment, through Pulumi's servicer against a local Omni in all its forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from omni_pulumi.api.errors import AlreadyExistsError, BadRequestError, PartlyCreatedError, ServerError
from omni_pulumi.api.instance import Instance
from omni_pulumi.api.omni.client import OmniClient
from omni_pulumi.resources.connection_environment import (
    ConnectionEnvironmentArgs,
    ConnectionEnvironmentProvider,
)
from omni_pulumi.simulator import GENERATED, PAGES, Dialect, OmniSimulator, faults
from tests.catalogue import SAMPLES
from tests.harness import ResourceHarness
from tests.logged import warnings
from tests.servicer import Stack, claim_nothing

LIFECYCLE = ConnectionEnvironmentProvider.lifecycle

DIALECTS = {
    f"{form}, {'list' if has_list else 'no list'}": replace(base, connection_environment_list=has_list)
    for form, base in {"text": PAGES, "arrays": GENERATED}.items()
    for has_list in (True, False)
}
WITH_LIST = [name for name in DIALECTS if name.endswith(", list")]
WITHOUT_LIST = [name for name in DIALECTS if name.endswith("no list")]

PROGRAM = {**SAMPLES["ConnectionEnvironment"].minimal, "userAttributeValues": ["staging", "qa"]}
"""The values are not in the order of the state."""


@pytest.fixture(scope="module")
def services() -> Iterator[Callable[[str], OmniSimulator]]:
    with ExitStack() as running:
        omnis = {name: running.enter_context(OmniSimulator(dialect=each)) for name, each in DIALECTS.items()}

        def empty(name: str) -> OmniSimulator:
            omnis[name].reset()
            return omnis[name]

        yield empty


@pytest.fixture(params=DIALECTS)
def omni(request: pytest.FixtureRequest, services: Callable[[str], OmniSimulator]) -> OmniSimulator:
    """An empty Omni of any kind, unless a test asks for some kinds only."""
    return services(request.param)


@pytest.fixture
def harness(omni_stack: Stack) -> ResourceHarness:
    return ResourceHarness(omni_stack, ConnectionEnvironmentProvider(), PROGRAM)


with_list = pytest.mark.parametrize("omni", WITH_LIST, indirect=True)
without_list = pytest.mark.parametrize("omni", WITHOUT_LIST, indirect=True)


def values(omni: OmniSimulator) -> list[str]:
    (found,) = omni.connection_environments()
    return sorted(found["user_attribute_values"])


def parsed(**changes: Any) -> ConnectionEnvironmentArgs:
    args = LIFECYCLE.validate({**PROGRAM, **changes})
    assert isinstance(args, ConnectionEnvironmentArgs)
    return args


def writes(omni: OmniSimulator) -> list[tuple[str, int | None]]:
    """Methods and statuses of the requests that change something."""
    return [(request.method, request.status) for request in omni.requests if request.method != "GET"]


def test_creates_what_the_program_says(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A create makes the association, then sets its values, and nothing is left to change."""
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
def test_updates_the_values(omni: OmniSimulator, harness: ResourceHarness, changed: list[str]) -> None:
    """New values arrive at the service in place of the old ones."""
    harness.up()
    assert harness.preview(userAttributeValues=changed) == "update"
    assert harness.up(userAttributeValues=changed) == "update"
    assert values(omni) == sorted(changed)
    harness.assert_settled(userAttributeValues=changed)


@with_list
@pytest.mark.parametrize("changed", [["dev"], ["qa", "staging", "dev"], ["qa"], []], ids=str)
def test_finds_and_repairs_drift(omni: OmniSimulator, harness: ResourceHarness, changed: list[str]) -> None:
    """Values that somebody changed in the web page are seen by a refresh and set back by the next up."""
    harness.up()
    omni.edit_connection_environment(harness.id, changed)
    harness.assert_drifted_and_repaired()
    assert values(omni) == ["qa", "staging"]


@pytest.mark.parametrize("noise", [{"userAttributeValues": ["qa", "staging"]}, {"adopt": True}], ids=str)
def test_noise_is_no_change(harness: ResourceHarness, noise: dict[str, Any]) -> None:
    """Values in another order are no change, and neither is ``adopt``."""
    harness.up()
    harness.assert_settled(**noise)


@with_list
def test_the_order_of_the_service_is_no_drift(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """The service may list the values in any order."""
    harness.up()
    omni.edit_connection_environment(harness.id, ["staging", "qa"])
    harness.assert_settled()


def test_no_values_are_settled(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Values may be left out, and an empty list is the same."""
    harness.up(userAttributeValues=None)
    assert values(omni) == []
    harness.assert_settled(userAttributeValues=None)
    harness.assert_settled(userAttributeValues=[])


@with_list
def test_deleted_elsewhere_is_gone(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """One that was deleted in the web page is gone, and the next up makes it anew."""
    harness.up()
    omni.delete_connection_environment(harness.id)
    assert not harness.refresh()
    assert harness.up() == "create"
    harness.assert_settled()


@without_list
def test_without_a_list_the_state_is_kept(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Where nothing can be read, a refresh changes nothing, not even when the object is gone."""
    harness.up()
    before = dict(harness.outputs)
    omni.delete_connection_environment(harness.id)
    assert harness.refresh()
    assert harness.outputs == before


@pytest.mark.parametrize("dialect", [DIALECTS[name] for name in WITHOUT_LIST], ids=WITHOUT_LIST)
def test_without_a_list_a_warning_comes_once(dialect: Dialect, log: pytest.LogCaptureFixture) -> None:
    """What cannot be seen is said by the first read, and the list is not asked for again."""
    with OmniSimulator(dialect=dialect) as omni, closing(OmniClient(Instance(omni.url, omni.api_key))) as client:
        state = LIFECYCLE.create(client, parsed(), claim_nothing)
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
def test_the_other_wire_form_is_tried_once(dialect: Dialect, creating: list[tuple[str, int]]) -> None:
    """A refusal of the field's type is answered with the other form, which is remembered for all requests after."""
    with OmniSimulator(dialect=dialect) as omni, closing(OmniClient(Instance(omni.url, omni.api_key))) as client:
        state = LIFECYCLE.create(client, parsed(), claim_nothing)
        assert writes(omni) == creating
        omni.clear_requests()
        LIFECYCLE.update_or_recreate(client, state, parsed(userAttributeValues=["dev"]), claim_nothing)
        LIFECYCLE.delete(client, state)
        LIFECYCLE.create(client, parsed(), claim_nothing)
        assert writes(omni) == [("PUT", 200), ("DELETE", 200), ("POST", 201), ("PUT", 200)]


def test_update_makes_a_deleted_one_anew(
    omni: OmniSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """An update of one that was deleted meanwhile makes it anew in the same run, and says so."""
    harness.up()
    deleted = harness.id
    omni.delete_connection_environment(deleted)
    assert harness.up(userAttributeValues=["dev"]) == "update"
    assert len([warning for warning in warnings(log) if deleted in warning]) == 1
    assert values(omni) == ["dev"]
    harness.assert_settled(userAttributeValues=["dev"])


def test_destroys(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A destroy deletes the association and leaves those of others."""
    others = omni.add_connection_environment(omni.connection_id, omni.development_connection_id, ["dev"])
    harness.up()
    harness.destroy()
    assert [each["id"] for each in omni.connection_environments()] == [others]


def test_destroys_what_is_gone_already(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A destroy of one that was deleted meanwhile succeeds."""
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
    """Neither connection can be changed in place; the old one goes first, since a value serves one only."""
    harness.up()
    omni.clear_requests()
    assert harness.preview(**change) == "replace"
    assert harness.up(**change) == "replace"
    assert [method for method, status in writes(omni) if status in {200, 201}] == ["DELETE", "POST", "PUT"]
    assert values(omni) == ["qa", "staging"]
    harness.assert_settled(**change)


def test_a_create_is_undone_when_its_values_are_refused(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """When another environment has the value already, nothing stays behind, and the service's reason is shown."""
    others = omni.add_connection_environment(omni.connection_id, omni.development_connection_id, ["qa"])
    error = harness.refusal(BadRequestError)
    assert 'User attribute value "qa" is already in use' in error.detail
    assert error.detail in str(error)
    assert not error.outcome_unknown
    assert [each["id"] for each in omni.connection_environments()] == [others]


def test_a_create_that_cannot_be_undone_says_so() -> None:
    """When the undo fails too, both reasons are told, and how to take over what stayed."""
    client = mock.create_autospec(OmniClient, instance=True)
    client.create_connection_environment.return_value = "c0ffee"
    client.update_connection_environment.side_effect = BadRequestError("The value is in use.", status=400)
    client.delete_connection_environment.side_effect = ServerError("Omni is down.", status=503)
    with pytest.raises(PartlyCreatedError) as caught:
        LIFECYCLE.create(client, parsed(), claim_nothing)
    assert (caught.value.resource_id, caught.value.outcome_unknown) == ("c0ffee", True)
    for part in ("The value is in use.", "c0ffee", "Omni is down.", "adopt=True"):
        assert part in str(caught.value)


@with_list
def test_refuses_what_exists(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """An association that exists is left alone, and the message says what taking over would change."""
    existing = omni.add_connection_environment(omni.connection_id, omni.staging_connection_id, ["old"])
    error = harness.refusal(AlreadyExistsError)
    assert error.resource_id == existing
    assert error.changes == ("userAttributeValues",)
    assert omni.connection_id in error.operation
    assert [fact for fact in (existing, "adopt=True", "old") if fact not in str(error)] == []
    assert values(omni) == ["old"]


@with_list
def test_adopts(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """With ``adopt`` the association becomes what the program says, and taking ``adopt`` out later is no change."""
    existing = omni.add_connection_environment(omni.connection_id, omni.staging_connection_id, ["qa"])
    assert harness.up(adopt=True) == "create"
    assert harness.id == existing
    assert values(omni) == ["qa", "staging"]
    harness.assert_settled(adopt=True)
    harness.assert_settled()


@with_list
def test_a_failed_adoption_deletes_nothing(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Only what a create has just made is undone: an association that existed before stays as it was."""
    omni.add_connection_environment(omni.connection_id, omni.development_connection_id, ["qa"])
    existing = omni.add_connection_environment(omni.connection_id, omni.staging_connection_id, ["staging"])
    error = harness.refusal(BadRequestError, adopt=True)
    assert error.resource_id == existing
    assert 'User attribute value "qa" is already in use' in error.detail
    assert existing in [each["id"] for each in omni.connection_environments()]


@pytest.mark.parametrize("adopt", [False, True])
@without_list
def test_without_a_list_nothing_can_be_adopted(omni: OmniSimulator, harness: ResourceHarness, *, adopt: bool) -> None:
    """Where nothing can be looked up, the service's refusal is what is shown, and nothing changes."""
    omni.add_connection_environment(omni.connection_id, omni.staging_connection_id, ["old"])
    error = harness.refusal(AlreadyExistsError, adopt=adopt)
    assert error.resource_id is None
    assert f"not valid for this connection: {omni.staging_connection_id}" in str(error)
    assert values(omni) == ["old"]


def test_adopts_nothing(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """``adopt`` is harmless where nothing exists."""
    assert harness.up(adopt=True) == "create"
    assert values(omni) == ["qa", "staging"]


def test_another_kind_of_database_is_refused(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """The service's own rules come through with its message."""
    kind = BadRequestError if omni.dialect.connection_environment_list else AlreadyExistsError
    error = harness.refusal(kind, environmentConnectionId=omni.other_dialect_connection_id)
    assert f"not valid for this connection: {omni.other_dialect_connection_id}" in str(error)
    assert omni.connection_environments() == []


@without_list
def test_without_a_list_a_lost_create_is_not_repeated(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Nobody can tell whether it is there, so the error says that it may be; a second request would be blind."""
    omni.inject(faults.Reset(processed=True, method="POST"))
    error = harness.refusal(PartlyCreatedError)
    assert error.outcome_unknown
    assert (error.resource_id, omni.staging_connection_id in error.operation) == (None, True)
    assert [method for method, _ in writes(omni)] == ["POST"]


@with_list
def test_a_proxy_s_page_does_not_end_the_list(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """One page with 404 is looked at again: the list is there, and what others change is seen."""
    harness.up()
    omni.edit_connection_environment(harness.id, ["other"])
    omni.inject(faults.Status(404, processed=False, body="html", method="GET", times=2))
    assert harness.refresh()
    assert harness.preview() == "update"


@with_list
def test_a_create_whose_undo_is_answered_404_says_so(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A 404 to what was made a moment ago is no evidence that the undo has worked: the list shows it."""
    omni.inject(*(faults.Status(404, processed=False, method=method) for method in ("PUT", "DELETE")))
    error = harness.refusal(PartlyCreatedError)
    (created,) = omni.connection_environments()
    assert (error.resource_id, error.outcome_unknown) == (created["id"], True)
    assert "adopt=True" in str(error)
    assert harness.up(adopt=True) == "create"
    harness.assert_settled()


def test_a_create_that_was_undone_has_a_known_outcome(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Nothing is left of a create whose values got no answer, so the error does not say that there may be."""
    omni.inject(faults.Status(500, processed=True, method="PUT"))
    assert not harness.refusal(ServerError).outcome_unknown
    assert omni.connection_environments() == []
