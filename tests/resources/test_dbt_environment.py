"""A dbt environment, through Pulumi's servicer, in both dialects of Omni."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic.alias_generators import to_snake

from omni_pulumi.errors import AlreadyExistsError, BadRequestError, NotFoundError
from omni_pulumi.resources.dbt_environment import DbtEnvironmentProvider
from omni_pulumi.simulator import GENERATED, OTHER_USER_ID, PAGES, USER_ID, OmniSimulator, faults
from omni_pulumi.simulator.omni import dbt_environments
from tests.catalogue import SAMPLES
from tests.harness import ResourceHarness
from tests.logged import warnings
from tests.servicer import ProviderError, Stack

OTHER_VALUES = {
    "name": "QA",
    "targetSchema": "analytics_qa",
    "targetDatabase": "warehouse_qa",
    "targetName": "qa",
    "targetRole": "qa_role",
    "ownerId": OTHER_USER_ID,
}

Declared = tuple[dict[str, str], dict[str, str]]
"""Plain variables and secret variables, by name."""

VARIABLE_CHANGES: dict[str, tuple[Declared, Declared]] = {
    "added": (({}, {}), ({"A": "1"}, {"S": "hush"})),
    "value": (({"A": "1"}, {"S": "hush"}), ({"A": "2"}, {"S": "whisper"})),
    "removed": (({"A": "1", "B": "2"}, {"S": "hush", "T": "quiet"}), ({"B": "2"}, {"T": "quiet"})),
    "all removed": (({"A": "1"}, {"S": "hush"}), ({}, {})),
    "another name": (({"A": "1", "B": "2"}, {}), ({"B": "2", "C": "1"}, {})),
    "another name of a secret": (({}, {"S": "hush"}), ({}, {"T": "hush"})),
    "exchanged values": (({"A": "1", "B": "2"}, {}), ({"A": "2", "B": "1"}, {})),
    "becomes secret": (({"A": "1"}, {}), ({}, {"A": "1"})),
    "becomes plain": (({}, {"A": "1"}), ({"A": "1"}, {})),
    "exchanged kinds": (({"A": "1"}, {"B": "2"}), ({"B": "2"}, {"A": "1"})),
    "empty values": (({"A": "1"}, {"S": "hush"}), ({"A": ""}, {"S": ""})),
}


@pytest.fixture
def harness(omni: OmniSimulator, omni_stack: Stack) -> ResourceHarness:
    omni.configure_dbt(omni.connection_id)
    return environment_of(omni_stack)


@pytest.fixture
def personal(omni: OmniSimulator) -> ResourceHarness:
    """A dbt environment with a personal access token. Omni makes the token's user its owner."""
    omni.configure_dbt(omni.connection_id)
    return environment_of(stack_of(omni, omni.personal_access_token))


@pytest.fixture(params=[PAGES, GENERATED], ids=["pages", "generated"])
def keeping_omni(request: pytest.FixtureRequest) -> Iterator[OmniSimulator]:
    """An Omni that keeps variables that an update leaves out."""
    with OmniSimulator(dialect=replace(request.param, omitted_variables="kept")) as omni:
        omni.configure_dbt(omni.connection_id)
        yield omni


def stack_of(omni: OmniSimulator, key: str = OmniSimulator.api_key) -> Stack:
    return Stack({"omni:baseUrl": omni.url, "omni:apiKey": key, "omni:requestsPerMinute": "1000000"})


def environment_of(stack: Stack) -> ResourceHarness:
    return ResourceHarness(stack, DbtEnvironmentProvider(), SAMPLES["DbtEnvironment"].minimal)


def environments(omni: OmniSimulator, name: str = "Staging") -> list[dict[str, Any]]:
    """Return the environments with this name."""
    return [each for each in omni.environments(omni.connection_id) if each["name"] == name]


def environment(omni: OmniSimulator, name: str = "Staging") -> dict[str, Any]:
    """Return the only environment with this name."""
    (found,) = environments(omni, name)
    return found


def variables(omni: OmniSimulator) -> Declared:
    """Return the variables of the environment "Staging"."""
    stored = environment(omni)["variables"]
    plain = {each["name"]: each["value"] for each in stored if not each["is_secret"]}
    return plain, {each["name"]: each["value"] for each in stored if each["is_secret"]}


def variable_ids(omni: OmniSimulator) -> dict[str, str]:
    return {each["name"]: each["id"] for each in environment(omni)["variables"]}


def program(declared: Declared) -> dict[str, Any]:
    """Return the arguments that declare variables."""
    return {"variables": declared[0], "secretVariables": declared[1]}


def test_create(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A create writes the fields and the variables, and the next preview shows no change."""
    declared = {
        "targetDatabase": "warehouse",
        "targetName": "staging",
        "targetRole": "transformer",
        "ownerId": USER_ID,
        "variables": {"A": "1"},
        "secretVariables": {"S": "hush"},
    }
    assert harness.preview(**declared) == "create"
    assert harness.up(**declared) == "create"
    stored = environment(omni)
    assert [stored[to_snake(name)] for name in ("targetDatabase", "targetName", "targetRole", "ownerId")] == [
        "warehouse",
        "staging",
        "transformer",
        USER_ID,
    ]
    assert variables(omni) == ({"A": "1"}, {"S": "hush"})
    assert harness.id == f"{omni.connection_id}/{stored['id']}"
    assert harness.outputs["environmentId"] == stored["id"]
    assert harness.outputs["isDefaultEnvironment"] is False
    harness.assert_settled(**declared)


def test_create_without_optional_fields(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A create leaves out optional fields that the program does not declare, and the next preview shows no change."""
    harness.up()
    (post,) = [request for request in omni.requests if request.method == "POST"]
    assert isinstance(post.body, dict)
    assert not {"ownerId", "variables", "isDeferralEnabled"} & post.body.keys()
    harness.assert_settled()


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_update_of_each_field(omni: OmniSimulator, harness: ResourceHarness, name: str) -> None:
    """An update changes one field and keeps the others, and so does the update back to the first value."""
    harness.up()
    before = environment(omni)
    change = {name: OTHER_VALUES[name]}
    assert harness.preview(**change) == "update"
    assert harness.up(**change) == "update"
    (after,) = [each for each in omni.environments(omni.connection_id) if each["id"] == before["id"]]
    assert after == {**before, to_snake(name): OTHER_VALUES[name]}
    harness.assert_settled(**change)
    assert harness.up() == "update"
    assert environment(omni) == before


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_drift_of_each_field(omni: OmniSimulator, harness: ResourceHarness, name: str) -> None:
    """A refresh detects a field that was changed in the Omni UI, and the next `up` restores it."""
    harness.up(ownerId=USER_ID)
    before = environment(omni)
    omni.edit_environment(before["id"], **{to_snake(name): OTHER_VALUES[name]})
    harness.assert_drifted_and_repaired(ownerId=USER_ID)
    assert environment(omni) == before


def test_deleted_outside_pulumi(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """An environment that was deleted in the Omni UI leaves the state. The next `up` creates it again."""
    harness.up()
    omni.delete_environment(environment(omni)["id"])
    assert not harness.refresh()
    assert harness.up() == "create"
    harness.assert_settled()


def test_missing_connection(harness: ResourceHarness) -> None:
    """A 404 for the list is an error, and the resource stays in the state."""
    harness.up()
    harness.outputs["connectionId"] = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be999"
    with pytest.raises(ProviderError) as caught:
        harness.refresh()
    assert isinstance(caught.value.error, NotFoundError)
    assert "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be999" in caught.value.error.operation
    assert harness.id


def test_update_recreates(omni: OmniSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture) -> None:
    """An update recreates an environment that was deleted outside Pulumi, and warns."""
    harness.up()
    omni.delete_environment(environment(omni)["id"])
    assert harness.up(targetRole="analyst") == "update"
    (warning,) = warnings(log)
    assert '"Staging"' in warning
    assert environment(omni)["target_role"] == "analyst"
    harness.assert_settled(targetRole="analyst")
    assert harness.id == f"{omni.connection_id}/{environment(omni)['id']}"


def test_destroy(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A destroy deletes one environment and keeps the others."""
    harness.up()
    harness.destroy()
    assert [each["name"] for each in omni.environments(omni.connection_id)] == ["Production"]


def test_destroy_when_deleted_already(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A destroy succeeds when the environment was deleted outside Pulumi."""
    harness.up()
    omni.delete_environment(environment(omni)["id"])
    harness.destroy()


def test_another_connection_replaces(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A changed connection replaces: one environment is created and the other deleted."""
    omni.configure_dbt(omni.other_connection_id)
    harness.up()
    assert harness.preview(connectionId=omni.other_connection_id) == "replace"
    assert harness.up(connectionId=omni.other_connection_id) == "replace"
    assert environments(omni) == []
    assert [each["name"] for each in omni.environments(omni.other_connection_id)] == ["Production", "Staging"]
    harness.assert_settled(connectionId=omni.other_connection_id)


@pytest.mark.parametrize(
    "equivalent",
    [
        {"targetDatabase": "", "targetName": "", "targetRole": ""},
        {"variables": {}, "secretVariables": {}},
        {"connectionId": OmniSimulator.connection_id.upper()},
        {"adopt": True},
        {"adopt": False},
    ],
    ids=str,
)
def test_equivalent_values_are_no_change(harness: ResourceHarness, equivalent: dict[str, Any]) -> None:
    """Two ways to write the same value are no change, in either direction."""
    harness.up()
    harness.assert_settled(**equivalent)
    harness.up(**equivalent)
    harness.assert_settled()


def test_the_order_of_variables_is_no_change(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """The order of the variables is no change, neither in the program nor in Omni."""
    harness.up(variables={"A": "1", "B": "2"})
    omni.remove_variable(environment(omni)["id"], "A")
    omni.set_variable(environment(omni)["id"], "A", "1")
    harness.assert_settled(variables={"B": "2", "A": "1"})


def test_empty_overrides_in_omni_are_no_drift(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Omni may return "" instead of null for an override, which is no drift."""
    harness.up()
    omni.edit_environment(environment(omni)["id"], target_database="", target_name="", target_role="")
    harness.assert_settled()


@pytest.mark.parametrize("change", VARIABLE_CHANGES.values(), ids=VARIABLE_CHANGES)
def test_update_of_variables(omni: OmniSimulator, harness: ResourceHarness, change: tuple[Declared, Declared]) -> None:
    """After an update Omni has exactly the declared variables, and those that existed keep their IDs."""
    before, after = change
    harness.up(**program(before))
    ids = variable_ids(omni)
    assert harness.preview(**program(after)) == "update"
    assert harness.up(**program(after)) == "update"
    assert variables(omni) == after
    remaining = {name: id_ for name, id_ in variable_ids(omni).items() if name in ids}
    assert remaining == {name: ids[name] for name in remaining}
    harness.assert_settled(**program(after))


@pytest.mark.parametrize(
    ("name", "value", "is_secret"),
    [
        pytest.param("A", "other", False, id="value"),
        pytest.param("NEW", "other", False, id="added"),
        pytest.param("NEW", "other", True, id="secret added"),
        pytest.param("A", "1", True, id="made secret"),
        pytest.param("S", "hush", False, id="made plain"),
        pytest.param("A", None, False, id="removed"),
        pytest.param("S", None, True, id="secret removed"),
    ],
)
def test_drift_of_variables(
    omni: OmniSimulator, harness: ResourceHarness, name: str, value: str | None, *, is_secret: bool
) -> None:
    """A refresh detects a change of variables in the Omni UI, and the next `up` restores them."""
    declared = ({"A": "1"}, {"S": "hush"})
    harness.up(**program(declared))
    if value is None:
        omni.remove_variable(environment(omni)["id"], name)
    else:
        omni.set_variable(environment(omni)["id"], name, value, is_secret=is_secret)
    harness.assert_drifted_and_repaired(**program(declared))
    assert variables(omni) == declared


def test_changed_secret_is_no_drift(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Omni returns no secrets, so a changed one is no drift. The next update restores it."""
    harness.up(secretVariables={"S": "hush"})
    omni.set_variable(environment(omni)["id"], "S", "other", is_secret=True)
    harness.assert_settled(secretVariables={"S": "hush"})
    harness.up(secretVariables={"S": "hush"}, targetRole="analyst")
    assert variables(omni) == ({}, {"S": "hush"})


def test_secret_that_becomes_plain_is_not_shown(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A secret becomes a plain variable in the Omni UI. Omni returns its value, and the state does not contain it."""
    harness.up(secretVariables={"S": "hush"})
    omni.set_variable(environment(omni)["id"], "S", "found-in-omni")
    harness.refresh()
    assert "found-in-omni" not in f"{harness.outputs}{harness.inputs}"
    assert harness.outputs["variables"] == {"S": "(was secret)"}
    harness.refresh()
    assert "found-in-omni" not in f"{harness.outputs}{harness.inputs}"


def test_retained_variables(keeping_omni: OmniSimulator, log: pytest.LogCaptureFixture) -> None:
    """A warning and an output name dropped variables that Omni keeps, and the next preview shows no change."""
    harness = environment_of(stack_of(keeping_omni))
    harness.up(variables={"A": "1", "B": "2"}, secretVariables={"S": "hush"})
    assert log.messages == []
    harness.up(variables={"A": "1"})
    (warning,) = warnings(log)
    assert '"Staging"' in warning
    assert "B, S" in warning
    assert harness.outputs["retainedVariables"] == ["B", "S"]
    assert harness.outputs["variables"] == {"A": "1"}
    harness.assert_settled(variables={"A": "1"})
    assert harness.outputs["retainedVariables"] == ["B", "S"]


def test_retained_variable_is_deleted_outside_pulumi(keeping_omni: OmniSimulator) -> None:
    """A refresh removes a deleted variable from the retained ones, which is no change."""
    harness = environment_of(stack_of(keeping_omni))
    harness.up(variables={"A": "1", "B": "2"})
    harness.up(variables={"A": "1"})
    keeping_omni.remove_variable(environment(keeping_omni)["id"], "B")
    harness.assert_settled(variables={"A": "1"})
    assert harness.outputs["retainedVariables"] == []


def test_retained_variable_is_declared_again(keeping_omni: OmniSimulator) -> None:
    """A retained variable that the program declares again is updated by its ID."""
    harness = environment_of(stack_of(keeping_omni))
    harness.up(variables={"A": "1", "B": "2"})
    ids = variable_ids(keeping_omni)
    harness.up(variables={"A": "1"})
    assert harness.up(variables={"A": "1", "B": "3"}) == "update"
    assert variables(keeping_omni) == ({"A": "1", "B": "3"}, {})
    assert variable_ids(keeping_omni) == ids
    harness.assert_settled(variables={"A": "1", "B": "3"})
    assert harness.outputs["retainedVariables"] == []


def test_added_variable_is_drift_where_omni_keeps_variables(
    keeping_omni: OmniSimulator, log: pytest.LogCaptureFixture
) -> None:
    """A variable that is added in the Omni UI is drift once.

    The next `up` cannot remove it and warns. After that, previews show no change.
    """
    harness = environment_of(stack_of(keeping_omni))
    harness.up()
    keeping_omni.set_variable(environment(keeping_omni)["id"], "NEW", "1")
    harness.assert_drifted_and_repaired()
    assert warnings(log)
    assert all("NEW" in warning for warning in warnings(log))


def test_create_of_an_existing_environment_fails(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A create changes nothing when an environment has the same name and owner.

    Its error shows what an adoption changes and removes.
    """
    existing = omni.add_environment(omni.connection_id, name="Staging", target_schema="old", target_role="analyst")
    omni.set_variable(existing, "A", "1")
    omni.set_variable(existing, "S", "stored-secret", is_secret=True)
    before = environment(omni)
    error = harness.refusal(AlreadyExistsError, secretVariables={"S": "hush"})
    assert error.operation == f'create dbt environment "Staging" of connection {omni.connection_id}'
    assert error.resource_id == existing
    assert error.changes == ("secret_variables.S", "target_role", "target_schema", "variables.A")
    assert error.undeclared == ("target_role", "variables.A")
    for fact in (existing, "aliases", "adopt=True", '"old"', "unmanaged_variables", "ignore_changes", *error.changes):
        assert fact in str(error)
    assert "hush" not in f"{error}{vars(error)}"
    assert environment(omni) == before


def test_adoption(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """An adoption writes the declared values. Removing ``adopt`` later is no change."""
    existing = omni.add_environment(omni.connection_id, name="Staging", target_schema="old")
    omni.set_variable(existing, "B", "1")
    omni.set_variable(existing, "S", "stored-secret", is_secret=True)
    declared = program(({"B": "2"}, {"S": "hush"}))
    assert harness.up(adopt=True, **declared) == "create"
    stored = environment(omni)
    assert (stored["id"], stored["target_schema"]) == (existing, "analytics_staging")
    assert variables(omni) == ({"B": "2"}, {"S": "hush"})
    harness.assert_settled(adopt=True, **declared)
    harness.assert_settled(**declared)


def test_adopt_creates(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """With ``adopt=True`` a create succeeds when there is nothing to adopt."""
    assert harness.up(adopt=True) == "create"
    assert environment(omni)["target_schema"] == "analytics_staging"


def test_another_owner_may_have_the_same_name(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A shared and a personal environment with the same name are two environments."""
    omni.add_environment(omni.connection_id, name="Staging", target_schema="other_schema", owner_id=USER_ID)
    assert harness.up() == "create"
    assert [each["owner_id"] for each in environments(omni)] == [USER_ID, None]
    harness.assert_settled()


def test_the_default_environment_is_adopted_and_stays(
    omni: OmniSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """The default environment is adopted by its name. A destroy does not delete it, and warns."""
    default = environment(omni, "Production")["id"]
    error = harness.refusal(AlreadyExistsError, name="Production")
    assert error.resource_id == default
    assert "adopt=True" in str(error)
    harness.up(name="Production", adopt=True)
    assert environment(omni, "Production")["target_schema"] == "analytics_staging"
    assert harness.outputs["isDefaultEnvironment"] is True
    harness.assert_settled(name="Production")
    harness.destroy()
    (warning,) = warnings(log)
    assert '"Production"' in warning
    assert omni.connection_id in warning
    assert environment(omni, "Production")["is_default_environment"]


def test_undeclared_owner_is_shown_and_kept(
    omni: OmniSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """A refresh shows that an undeclared owner was changed in the Omni UI. An update keeps it."""
    harness.up()
    assert harness.outputs["currentOwner"] == "shared"
    omni.edit_environment(environment(omni)["id"], owner_id=OTHER_USER_ID)
    log.clear()
    assert harness.refresh()
    assert harness.outputs["currentOwner"] == OTHER_USER_ID
    assert "current_owner changed outside Pulumi" in log.text
    harness.assert_settled()
    harness.up(targetRole="analyst")
    assert environment(omni)["owner_id"] == OTHER_USER_ID
    harness.assert_settled(targetRole="analyst")
    assert warnings(log) == []


@pytest.mark.parametrize("adopt", [False, True])
def test_a_shared_environment_stays_shared(
    omni: OmniSimulator, personal: ResourceHarness, log: pytest.LogCaptureFixture, *, adopt: bool
) -> None:
    """An update or an adoption with a personal access token keeps an environment shared, as the default one is.

    Regression: Omni made the token's user the owner where a field that a request leaves out gets its default.
    """
    if adopt:
        omni.add_environment(omni.connection_id, name="Staging", target_schema="old")
        personal.up(adopt=True)
    else:
        personal.up(name="Production", adopt=True)
        personal.up(name="Production", targetRole="analyst")
    assert [each["owner_id"] for each in omni.environments(omni.connection_id)] == [None] * (1 + adopt)
    assert personal.outputs["currentOwner"] == "shared"
    assert warnings(log) == []


def test_an_owner_that_a_write_changes(
    personal: ResourceHarness, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update warns when Omni changes the owner although it was sent back."""
    personal.up()
    monkeypatch.setattr(dbt_environments, "_owner", lambda *_, **__: OTHER_USER_ID)
    personal.up(targetRole="analyst")
    (warning,) = warnings(log)
    assert f"Omni has changed the owner from {USER_ID} to {OTHER_USER_ID}" in warning


def test_an_owner_that_the_list_lacks(omni: OmniSimulator, personal: ResourceHarness) -> None:
    """If the list lacks the owner, an update sends the one in the state."""
    personal.up()
    omni.inject(faults.Missing("ownerId", method="GET", times=None))
    personal.up(targetRole="analyst")
    (sent,) = [request.body for request in omni.requests if request.method == "PUT"]
    assert isinstance(sent, dict)
    assert sent["ownerId"] == USER_ID
    assert personal.outputs["currentOwner"] == USER_ID


def test_state_without_an_owner(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A refresh leaves the state of an earlier version as it is. The next update adds the owner."""
    harness.up()
    del harness.outputs["currentOwner"]
    assert harness.refresh()
    assert "currentOwner" not in harness.outputs
    harness.up(targetRole="analyst")
    assert harness.outputs["currentOwner"] == "shared"
    assert environment(omni)["owner_id"] is None


@pytest.mark.parametrize("command", ["refresh", "adopt"])
def test_what_a_new_environment_lacks(
    omni: OmniSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture, command: str
) -> None:
    """A refresh that finds the environment deleted, or a create in place of an adoption, names what a new one lacks."""
    program = {"unmanagedVariables": ["DBT_TOKEN"], "adopt": True}
    if command == "refresh":
        harness.up(**program)
        omni.delete_environment(environment(omni)["id"])
        assert not harness.refresh()
    else:
        harness.up(**program)
    assert "lacks" in log.text
    assert "DBT_TOKEN" in log.text.split("lacks")[1]


def test_removed_owner_makes_the_environment_shared(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Removing the owner from the program removes it in Omni."""
    harness.up(ownerId=USER_ID)
    assert harness.up() == "update"
    assert environment(omni)["owner_id"] is None
    harness.assert_settled()


def test_with_a_personal_access_token_the_owner_is_its_user(omni: OmniSimulator, personal: ResourceHarness) -> None:
    """The token's user owns the environment, also after an update, which is no drift."""
    personal.up()
    assert environment(omni)["owner_id"] == USER_ID
    personal.assert_settled()
    personal.up(targetRole="analyst")
    assert environment(omni)["owner_id"] == USER_ID
    personal.assert_settled(targetRole="analyst")


def test_with_a_personal_access_token_a_second_one_fails(omni: OmniSimulator, personal: ResourceHarness) -> None:
    """A create fails when the token's user has an environment with the same name.

    Only the response to the create has the owner, so the new environment is deleted again.
    """
    existing = omni.add_environment(omni.connection_id, name="Staging", target_schema="old", owner_id=USER_ID)
    error = personal.refusal(AlreadyExistsError)
    assert error.resource_id == existing
    assert [fact for fact in (existing, USER_ID, "adopt=True") if fact not in str(error)] == []
    assert environment(omni)["id"] == existing
    assert environment(omni)["target_schema"] == "old"


def test_with_a_personal_access_token_the_users_own_is_adopted(omni: OmniSimulator, personal: ResourceHarness) -> None:
    """With ``adopt`` the existing environment of the token's user is adopted, and no second one stays."""
    existing = omni.add_environment(omni.connection_id, name="Staging", target_schema="old", owner_id=USER_ID)
    personal.up(adopt=True)
    assert environment(omni)["id"] == existing
    assert environment(omni)["target_schema"] == "analytics_staging"
    personal.assert_settled()


def test_environment_on_a_later_page(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A refresh, an update and a create find an environment on a later page of the list."""
    for number in range(120):
        omni.add_environment(omni.connection_id, name=f"{'Z' if number % 2 else 'A'}{number}", target_schema="x")
    harness.up()
    harness.assert_settled()
    assert harness.up(targetRole="analyst") == "update"
    assert len(environments(omni)) == 1
    error = environment_of(Stack(harness.stack.config)).refusal(AlreadyExistsError)
    assert error.resource_id == environment(omni)["id"]


def test_refreshed_inputs_have_no_computed_output(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """The inputs after a refresh have only arguments, and no computed outputs."""
    harness.up(variables={"A": "1"}, ownerId=USER_ID)
    harness.refresh()
    assert harness.inputs == {
        "connectionId": omni.connection_id,
        "name": "Staging",
        "ownerId": USER_ID,
        "secretVariables": {},
        "targetSchema": "analytics_staging",
        "variables": {"A": "1"},
    }


def test_default_environment_when_the_response_lacks_the_field(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """The output stays true when the response to an update lacks ``isDefaultEnvironment``.

    So a destroy does not delete the environment.
    """
    harness.up(name="Production", adopt=True)
    omni.inject(faults.Missing("isDefaultEnvironment", method="PUT"))
    assert harness.up(name="Production", targetSchema="other") == "update"
    assert harness.outputs["isDefaultEnvironment"] is True
    harness.destroy()
    assert environment(omni, "Production")["is_default_environment"]


@pytest.mark.parametrize("adopt", [False, True])
def test_owner_when_the_response_lacks_it(omni: OmniSimulator, harness: ResourceHarness, *, adopt: bool) -> None:
    """When the response to a create lacks the owner, the declared owner counts.

    A shared environment with the same name does not conflict with it.
    """
    shared = omni.add_environment(omni.connection_id, name="Staging", target_schema="other_schema")
    omni.inject(faults.Missing("ownerId", method="POST"))
    assert harness.up(ownerId=USER_ID, adopt=adopt) == "create"
    assert harness.outputs["environmentId"] != shared
    assert {each["owner_id"]: each["target_schema"] for each in environments(omni)} == {
        None: "other_schema",
        USER_ID: "analytics_staging",
    }


def test_undeclared_owner_when_the_response_lacks_it(omni: OmniSimulator, personal: ResourceHarness) -> None:
    """When the response to a create lacks an undeclared owner, the list is read again.

    The token's user has an environment with the same name, so the new one is deleted and the create fails.
    """
    existing = omni.add_environment(omni.connection_id, name="Staging", target_schema="s", owner_id=USER_ID)
    omni.inject(faults.Missing("ownerId", method="POST"))
    error = personal.refusal(AlreadyExistsError)
    assert error.resource_id == existing
    assert USER_ID in str(error)
    assert [each["id"] for each in environments(omni)] == [existing]


def test_owner_when_the_list_fails(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """When the list that is read for the owner fails, the create succeeds and the environment is in the state."""
    omni.inject(
        faults.Missing("ownerId", method="POST"), faults.Status(403, processed=False, method="GET", after=1, times=None)
    )
    assert harness.up() == "create"
    assert environment(omni)["id"] == harness.outputs["environmentId"]


def test_lost_update_of_variables_and_stale_lists(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """After a lost response the update waits until the list has the new variables.

    The next request needs their IDs, or Omni creates them a second time.
    """
    harness.up()
    omni.inject(faults.Reset(processed=True, method="PUT"), faults.Stale(path="/dbt/environments$", after=1, times=2))
    assert harness.up(variables={"A": "1"}) == "update"
    (sent,) = [request.body for request in omni.requests if request.method == "PUT"][1:]
    assert isinstance(sent, dict)
    assert [each["id"] for each in sent["variables"]] == [*variable_ids(omni).values()]


def test_rejected_update_and_failed_list(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """The error of a rejected update is raised, even when the read after it fails.

    The read is for variables whose IDs changed.
    """
    harness.up()
    omni.inject(
        faults.Status(400, processed=False, method="PUT"),
        faults.Status(500, processed=False, method="GET", after=1, times=None),
    )
    assert harness.refusal(BadRequestError, targetSchema="other").status == 400


def test_lost_update_and_rejected_retry(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """When Omni rejects the retry after a lost response, the outcome is unknown: the first one may be applied."""
    harness.up()
    omni.inject(faults.Reset(processed=True, method="PUT"), faults.Status(400, processed=False, method="PUT"))
    error = harness.refusal(BadRequestError, targetSchema="other")
    assert (error.outcome_unknown, error.resource_id) == (True, environment(omni)["id"])
    assert environment(omni)["target_schema"] == "other"
