"""A dbt environment, through Pulumi's servicer against a local Omni in both dialects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic.alias_generators import to_snake

from omni_pulumi.api.errors import AlreadyExistsError, BadRequestError, NotFoundError
from omni_pulumi.resources.dbt_environment import DbtEnvironmentProvider
from omni_pulumi.simulator import GENERATED, OTHER_USER_ID, PAGES, USER_ID, OmniSimulator, faults
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
"""What a program says: plain variables, secret variables."""

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
    """The same with a personal access token, whose environments belong to its user."""
    omni.configure_dbt(omni.connection_id)
    return environment_of(stack_of(omni, omni.personal_access_token))


@pytest.fixture(params=[PAGES, GENERATED], ids=["pages", "generated"])
def keeping_omni(request: pytest.FixtureRequest) -> Iterator[OmniSimulator]:
    """An Omni that keeps the variables which an update leaves out."""
    with OmniSimulator(dialect=replace(request.param, omitted_variables="kept")) as omni:
        omni.configure_dbt(omni.connection_id)
        yield omni


def stack_of(omni: OmniSimulator, key: str = OmniSimulator.api_key) -> Stack:
    return Stack({"omni:baseUrl": omni.url, "omni:apiKey": key, "omni:requestsPerMinute": "1000000"})


def environment_of(stack: Stack) -> ResourceHarness:
    return ResourceHarness(stack, DbtEnvironmentProvider(), SAMPLES["DbtEnvironment"].minimal)


def environments(omni: OmniSimulator, name: str = "Staging") -> list[dict[str, Any]]:
    return [each for each in omni.environments(omni.connection_id) if each["name"] == name]


def environment(omni: OmniSimulator, name: str = "Staging") -> dict[str, Any]:
    (found,) = environments(omni, name)
    return found


def variables(omni: OmniSimulator) -> Declared:
    stored = environment(omni)["variables"]
    plain = {each["name"]: each["value"] for each in stored if not each["is_secret"]}
    return plain, {each["name"]: each["value"] for each in stored if each["is_secret"]}


def variable_ids(omni: OmniSimulator) -> dict[str, str]:
    return {each["name"]: each["id"] for each in environment(omni)["variables"]}


def program(declared: Declared) -> dict[str, Any]:
    return {"variables": declared[0], "secretVariables": declared[1]}


def test_creates_what_the_program_says(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A create writes the fields and the variables, and nothing is left to change."""
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


def test_creates_the_least(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Without overrides, owner and variables, nothing of them is in the first request, and nothing changes later."""
    harness.up()
    (post,) = [request for request in omni.requests if request.method == "POST"]
    assert isinstance(post.body, dict)
    assert not {"ownerId", "variables", "isDeferralEnabled"} & post.body.keys()
    harness.assert_settled()


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_updates_each_field(omni: OmniSimulator, harness: ResourceHarness, name: str) -> None:
    """A new value arrives at the service, the other fields stay, and going back is an update too."""
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
def test_finds_and_repairs_drift(omni: OmniSimulator, harness: ResourceHarness, name: str) -> None:
    """A field that somebody changed in the web page is seen by a refresh and set back by the next up."""
    harness.up(ownerId=USER_ID)
    before = environment(omni)
    omni.edit_environment(before["id"], **{to_snake(name): OTHER_VALUES[name]})
    harness.assert_drifted_and_repaired(ownerId=USER_ID)
    assert environment(omni) == before


def test_deleted_elsewhere_is_gone(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """An environment that was deleted in the web page is gone, and the next up makes it anew."""
    harness.up()
    omni.delete_environment(environment(omni)["id"])
    assert not harness.refresh()
    assert harness.up() == "create"
    harness.assert_settled()


def test_a_missing_connection_is_an_error(harness: ResourceHarness) -> None:
    """A list that fails says nothing about the environment, so the resource stays in the state."""
    harness.up()
    harness.outputs["connectionId"] = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be999"
    with pytest.raises(ProviderError) as caught:
        harness.refresh()
    assert isinstance(caught.value.error, NotFoundError)
    assert "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be999" in caught.value.error.operation
    assert harness.id


def test_update_makes_a_deleted_one_anew(
    omni: OmniSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """An update of an environment that was deleted meanwhile makes it anew in the same run, and says so."""
    harness.up()
    omni.delete_environment(environment(omni)["id"])
    assert harness.up(targetRole="analyst") == "update"
    (warning,) = warnings(log)
    assert '"Staging"' in warning
    assert environment(omni)["target_role"] == "analyst"
    harness.assert_settled(targetRole="analyst")
    assert harness.id == f"{omni.connection_id}/{environment(omni)['id']}"


def test_destroys(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A destroy deletes the environment and leaves the others."""
    harness.up()
    harness.destroy()
    assert [each["name"] for each in omni.environments(omni.connection_id)] == ["Production"]


def test_destroys_what_is_gone_already(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A destroy of an environment that was deleted meanwhile succeeds."""
    harness.up()
    omni.delete_environment(environment(omni)["id"])
    harness.destroy()


def test_another_connection_replaces(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """An environment cannot move to another connection: a new one is made and the old one deleted."""
    omni.configure_dbt(omni.other_connection_id)
    harness.up()
    assert harness.preview(connectionId=omni.other_connection_id) == "replace"
    assert harness.up(connectionId=omni.other_connection_id) == "replace"
    assert environments(omni) == []
    assert [each["name"] for each in omni.environments(omni.other_connection_id)] == ["Production", "Staging"]
    harness.assert_settled(connectionId=omni.other_connection_id)


@pytest.mark.parametrize(
    "noise",
    [
        {"targetDatabase": "", "targetName": "", "targetRole": ""},
        {"variables": {}, "secretVariables": {}},
        {"connectionId": OmniSimulator.connection_id.upper()},
        {"adopt": True},
        {"adopt": False},
    ],
    ids=str,
)
def test_noise_is_no_change(harness: ResourceHarness, noise: dict[str, Any]) -> None:
    """Another way to write the same is no change, whichever of the two comes first."""
    harness.up()
    harness.assert_settled(**noise)
    harness.up(**noise)
    harness.assert_settled()


def test_the_order_of_variables_is_no_change(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Variables are known by name, so neither the program's order nor the service's matters."""
    harness.up(variables={"A": "1", "B": "2"})
    omni.remove_variable(environment(omni)["id"], "A")
    omni.set_variable(environment(omni)["id"], "A", "1")
    harness.assert_settled(variables={"B": "2", "A": "1"})


def test_empty_overrides_of_the_service_are_no_drift(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """The service may answer "" instead of null."""
    harness.up()
    omni.edit_environment(environment(omni)["id"], target_database="", target_name="", target_role="")
    harness.assert_settled()


@pytest.mark.parametrize("change", VARIABLE_CHANGES.values(), ids=VARIABLE_CHANGES)
def test_changes_variables(omni: OmniSimulator, harness: ResourceHarness, change: tuple[Declared, Declared]) -> None:
    """After any change the service has exactly the program's variables, and those that stay keep their IDs."""
    before, after = change
    harness.up(**program(before))
    ids = variable_ids(omni)
    assert harness.preview(**program(after)) == "update"
    assert harness.up(**program(after)) == "update"
    assert variables(omni) == after
    stayed = {name: id_ for name, id_ in variable_ids(omni).items() if name in ids}
    assert stayed == {name: ids[name] for name in stayed}
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
def test_finds_and_repairs_drift_of_variables(
    omni: OmniSimulator, harness: ResourceHarness, name: str, value: str | None, *, is_secret: bool
) -> None:
    """What somebody did to variables in the web page is seen by a refresh and undone by the next up."""
    declared = ({"A": "1"}, {"S": "hush"})
    harness.up(**program(declared))
    if value is None:
        omni.remove_variable(environment(omni)["id"], name)
    else:
        omni.set_variable(environment(omni)["id"], name, value, is_secret=is_secret)
    harness.assert_drifted_and_repaired(**program(declared))
    assert variables(omni) == declared


def test_a_secret_of_another_value_cannot_be_seen(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Omni returns no secrets, so another value of one is no drift, and the next update sets the program's."""
    harness.up(secretVariables={"S": "hush"})
    omni.set_variable(environment(omni)["id"], "S", "other", is_secret=True)
    harness.assert_settled(secretVariables={"S": "hush"})
    harness.up(secretVariables={"S": "hush"}, targetRole="analyst")
    assert variables(omni) == ({}, {"S": "hush"})


def test_a_secret_that_was_made_plain_is_not_shown(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Omni returns the value of a secret that somebody made plain, and the state must not show it."""
    harness.up(secretVariables={"S": "hush"})
    omni.set_variable(environment(omni)["id"], "S", "found-in-omni")
    harness.refresh()
    assert "found-in-omni" not in f"{harness.outputs}{harness.inputs}"
    assert harness.outputs["variables"] == {"S": "(was secret)"}
    harness.refresh()
    assert "found-in-omni" not in f"{harness.outputs}{harness.inputs}"


def test_kept_variables_are_told(keeping_omni: OmniSimulator, log: pytest.LogCaptureFixture) -> None:
    """Where Omni keeps dropped variables, a warning and an output name them, and no change is reported for ever."""
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


def test_kept_variables_that_others_delete_are_forgotten(keeping_omni: OmniSimulator) -> None:
    """Once somebody has deleted a kept variable in the web page, a refresh forgets it, and that is no change."""
    harness = environment_of(stack_of(keeping_omni))
    harness.up(variables={"A": "1", "B": "2"})
    harness.up(variables={"A": "1"})
    keeping_omni.remove_variable(environment(keeping_omni)["id"], "B")
    harness.assert_settled(variables={"A": "1"})
    assert harness.outputs["retainedVariables"] == []


def test_kept_variables_can_be_declared_again(keeping_omni: OmniSimulator) -> None:
    """A kept variable that the program declares again is updated under its ID."""
    harness = environment_of(stack_of(keeping_omni))
    harness.up(variables={"A": "1", "B": "2"})
    ids = variable_ids(keeping_omni)
    harness.up(variables={"A": "1"})
    assert harness.up(variables={"A": "1", "B": "3"}) == "update"
    assert variables(keeping_omni) == ({"A": "1", "B": "3"}, {})
    assert variable_ids(keeping_omni) == ids
    harness.assert_settled(variables={"A": "1", "B": "3"})
    assert harness.outputs["retainedVariables"] == []


def test_variables_that_others_add_are_drift_where_omni_keeps_variables(
    keeping_omni: OmniSimulator, log: pytest.LogCaptureFixture
) -> None:
    """A variable from the web page is seen once; the up that cannot remove it tells, and then all is quiet."""
    harness = environment_of(stack_of(keeping_omni))
    harness.up()
    keeping_omni.set_variable(environment(keeping_omni)["id"], "NEW", "1")
    harness.assert_drifted_and_repaired()
    assert warnings(log)
    assert all("NEW" in warning for warning in warnings(log))


def test_refuses_a_second_one_of_the_same_name(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """An environment of the same name and owner is left alone, and the message says what taking over would change."""
    existing = omni.add_environment(omni.connection_id, name="Staging", target_schema="old", target_role="analyst")
    omni.set_variable(existing, "A", "1")
    omni.set_variable(existing, "S", "their-secret", is_secret=True)
    before = environment(omni)
    error = harness.refusal(AlreadyExistsError, secretVariables={"S": "hush"})
    assert error.operation == f'create dbt environment "Staging" of connection {omni.connection_id}'
    assert error.resource_id == existing
    assert error.changes == ("secretVariables.S", "targetRole", "targetSchema", "variables.A")
    assert error.undeclared == ("targetRole", "variables.A")
    for fact in (existing, "adopt=True", '"old"', *error.changes):
        assert fact in str(error)
    assert "hush" not in f"{error}{vars(error)}"
    assert environment(omni) == before


def test_adopts(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """With ``adopt`` the environment becomes what the program says, and taking ``adopt`` out later is no change."""
    existing = omni.add_environment(omni.connection_id, name="Staging", target_schema="old")
    omni.set_variable(existing, "B", "1")
    omni.set_variable(existing, "S", "their-secret", is_secret=True)
    declared = program(({"B": "2"}, {"S": "hush"}))
    assert harness.up(adopt=True, **declared) == "create"
    stored = environment(omni)
    assert (stored["id"], stored["target_schema"]) == (existing, "analytics_staging")
    assert variables(omni) == ({"B": "2"}, {"S": "hush"})
    harness.assert_settled(adopt=True, **declared)
    harness.assert_settled(**declared)


def test_adopts_nothing(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """``adopt`` is harmless where nothing of the name exists."""
    assert harness.up(adopt=True) == "create"
    assert environment(omni)["target_schema"] == "analytics_staging"


def test_another_owner_may_have_the_same_name(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A shared and a personal environment of one name are two environments."""
    omni.add_environment(omni.connection_id, name="Staging", target_schema="theirs", owner_id=USER_ID)
    assert harness.up() == "create"
    assert [each["owner_id"] for each in environments(omni)] == [USER_ID, None]
    harness.assert_settled()


def test_the_default_environment_is_adopted_and_stays(
    omni: OmniSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """The default environment is taken over by its name and never deleted, which a warning says."""
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


def test_an_owner_that_omni_chose_is_its_own_business(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """An undeclared owner that somebody sets in the web page is no drift, and an update does not take it away."""
    harness.up()
    omni.edit_environment(environment(omni)["id"], owner_id=OTHER_USER_ID)
    harness.assert_settled()
    harness.up(targetRole="analyst")
    assert environment(omni)["owner_id"] == OTHER_USER_ID
    harness.assert_settled(targetRole="analyst")


def test_an_owner_that_is_removed_from_the_program_makes_it_shared(
    omni: OmniSimulator, harness: ResourceHarness
) -> None:
    """Taking the owner out of the program gives the environment to all."""
    harness.up(ownerId=USER_ID)
    assert harness.up() == "update"
    assert environment(omni)["owner_id"] is None
    harness.assert_settled()


def test_with_a_personal_access_token_the_owner_is_its_user(omni: OmniSimulator, personal: ResourceHarness) -> None:
    """A token's environment belongs to its user, through updates too, and nothing is reported as changed."""
    personal.up()
    assert environment(omni)["owner_id"] == USER_ID
    personal.assert_settled()
    personal.up(targetRole="analyst")
    assert environment(omni)["owner_id"] == USER_ID
    personal.assert_settled(targetRole="analyst")


def test_with_a_personal_access_token_a_second_one_is_refused(omni: OmniSimulator, personal: ResourceHarness) -> None:
    """Which owner Omni chooses shows only in its answer: what was just made is undone, and the refusal is the same."""
    existing = omni.add_environment(omni.connection_id, name="Staging", target_schema="old", owner_id=USER_ID)
    error = personal.refusal(AlreadyExistsError)
    assert error.resource_id == existing
    assert [fact for fact in (existing, USER_ID, "adopt=True") if fact not in str(error)] == []
    assert environment(omni)["id"] == existing
    assert environment(omni)["target_schema"] == "old"


def test_with_a_personal_access_token_ones_own_is_adopted(omni: OmniSimulator, personal: ResourceHarness) -> None:
    """With ``adopt`` the token's user takes over what is theirs, and no second one stays behind."""
    existing = omni.add_environment(omni.connection_id, name="Staging", target_schema="old", owner_id=USER_ID)
    personal.up(adopt=True)
    assert environment(omni)["id"] == existing
    assert environment(omni)["target_schema"] == "analytics_staging"
    personal.assert_settled()


def test_finds_one_among_many(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """An environment on a later page is found: by a refresh, by an update and by an adoption."""
    for number in range(120):
        omni.add_environment(omni.connection_id, name=f"{'Z' if number % 2 else 'A'}{number}", target_schema="x")
    harness.up()
    harness.assert_settled()
    assert harness.up(targetRole="analyst") == "update"
    assert len(environments(omni)) == 1
    error = environment_of(Stack(harness.stack.config)).refusal(AlreadyExistsError)
    assert error.resource_id == environment(omni)["id"]


def test_neither_state_nor_inputs_have_more_than_the_program(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """What a refresh hands back as inputs is what a program would write: no computed output is among it."""
    harness.up(variables={"A": "1"}, ownerId=USER_ID)
    harness.refresh()
    assert harness.inputs == {
        "adopt": False,
        "connectionId": omni.connection_id,
        "name": "Staging",
        "ownerId": USER_ID,
        "secretVariables": {},
        "targetSchema": "analytics_staging",
        "variables": {"A": "1"},
    }


def test_the_default_environment_stays_after_an_answer_that_lacks_the_field(
    omni: OmniSimulator, harness: ResourceHarness
) -> None:
    """What was known to be the default environment still is when the answer to an update does not say so."""
    harness.up(name="Production", adopt=True)
    omni.inject(faults.Missing("isDefaultEnvironment", method="PUT"))
    assert harness.up(name="Production", targetSchema="other") == "update"
    assert harness.outputs["isDefaultEnvironment"] is True
    harness.destroy()
    assert environment(omni, "Production")["is_default_environment"]


@pytest.mark.parametrize("adopt", [False, True])
def test_an_owner_that_the_answer_lacks_is_the_program_s(
    omni: OmniSimulator, harness: ResourceHarness, *, adopt: bool
) -> None:
    """A shared environment of the name is not the twin of one with an owner, whatever the answer leaves out."""
    shared = omni.add_environment(omni.connection_id, name="Staging", target_schema="theirs")
    omni.inject(faults.Missing("ownerId", method="POST"))
    assert harness.up(ownerId=USER_ID, adopt=adopt) == "create"
    assert harness.outputs["environmentId"] != shared
    assert {each["owner_id"]: each["target_schema"] for each in environments(omni)} == {
        None: "theirs",
        USER_ID: "analytics_staging",
    }


def test_an_owner_that_the_answer_lacks_is_looked_up(omni: OmniSimulator, personal: ResourceHarness) -> None:
    """With a personal access token the new one belongs to the key's user, who has one of the name: it is removed."""
    existing = omni.add_environment(omni.connection_id, name="Staging", target_schema="s", owner_id=USER_ID)
    omni.inject(faults.Missing("ownerId", method="POST"))
    error = personal.refusal(AlreadyExistsError)
    assert error.resource_id == existing
    assert USER_ID in str(error)
    assert [each["id"] for each in environments(omni)] == [existing]


def test_an_owner_that_cannot_be_looked_up_loses_nothing(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """The environment is in the state, whatever becomes of the look."""
    omni.inject(
        faults.Missing("ownerId", method="POST"), faults.Status(403, processed=False, method="GET", after=1, times=None)
    )
    assert harness.up() == "create"
    assert environment(omni)["id"] == harness.outputs["environmentId"]


def test_variables_are_not_made_twice_while_the_list_is_behind(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """After a lost answer an update waits until the list shows the new variables, whose IDs the next one needs."""
    harness.up()
    omni.inject(faults.Reset(processed=True, method="PUT"), faults.Stale(path="/dbt/environments$", after=1, times=2))
    assert harness.up(variables={"A": "1"}) == "update"
    (sent,) = [request.body for request in omni.requests if request.method == "PUT"][1:]
    assert isinstance(sent, dict)
    assert [each["id"] for each in sent["variables"]] == [*variable_ids(omni).values()]


def test_a_refused_update_says_why_also_when_the_list_fails(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """The look after a refusal is only for variables that moved: its own failure does not hide the refusal."""
    harness.up()
    omni.inject(
        faults.Status(400, processed=False, method="PUT"),
        faults.Status(500, processed=False, method="GET", after=1, times=None),
    )
    assert harness.refusal(BadRequestError, targetSchema="other").status == 400


def test_a_refusal_after_a_lost_update_keeps_the_outcome_unknown(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """The first request may have been carried out, although Omni refuses the second one."""
    harness.up()
    omni.inject(faults.Reset(processed=True, method="PUT"), faults.Status(400, processed=False, method="PUT"))
    error = harness.refusal(BadRequestError, targetSchema="other")
    assert (error.outcome_unknown, error.resource_id) == (True, environment(omni)["id"])
    assert environment(omni)["target_schema"] == "other"
