"""Renamed resources: an object that one resource adopts from another is not deleted with the other resource."""

from __future__ import annotations

from typing import Any

import pytest

from omni_pulumi.errors import AlreadyExistsError, PermissionDeniedError
from omni_pulumi.resources.dbt_environment import DbtEnvironmentProvider
from omni_pulumi.simulator import CONNECTION_ID, OTHER_USER_ID, USER_ID, LightdashSimulator, OmniSimulator, faults
from tests.catalogue import SAMPLES, Sample, every_sample
from tests.logged import warnings
from tests.resources.objects import objects
from tests.servicer import ProviderError, Stack

ENVIRONMENT = SAMPLES["DbtEnvironment"].minimal


def test_environment_gets_the_name_of_a_dropped_one(stack: Stack, omni_services: dict[str, OmniSimulator]) -> None:
    """An environment gets the name of one that the program drops only after that one is deleted.

    The engine deletes last, so Omni would have two environments of one name.
    """
    omni = omni_services["generated"]
    program = {**ENVIRONMENT, "adopt": True}
    stack.up("a", DbtEnvironmentProvider(), {**program, "name": "A"})
    stack.up("b", DbtEnvironmentProvider(), {**program, "name": "B"})
    dropped = stack.resources["b"].outputs["environmentId"]
    with stack.command():
        with pytest.raises(ProviderError, match="in an update before this one") as refused:
            stack.up("a", DbtEnvironmentProvider(), {**program, "name": "B"})
        assert isinstance(refused.value.error, AlreadyExistsError)
        assert refused.value.error.resource_id == dropped
        stack.destroy("b")
    assert [each["name"] for each in omni.environments(CONNECTION_ID)] == ["A"]
    assert stack.up("a", DbtEnvironmentProvider(), {**program, "name": "B"}) == "update"
    assert [each["id"] for each in omni.environments(CONNECTION_ID)] == [stack.resources["a"].outputs["environmentId"]]


@pytest.mark.parametrize("owner", ["shared", "declared", "undeclared"])
def test_update_refuses_the_name_of_another_environment(
    stack: Stack, omni_services: dict[str, OmniSimulator], owner: str
) -> None:
    """A changed name or owner that another environment has is refused. The name of another owner is free."""
    omni = omni_services["generated"]
    program = {**ENVIRONMENT, "name": "A"}
    wanted: dict[str, Any] = {"name": "B"} if owner != "declared" else {"name": "B", "ownerId": USER_ID}
    stack.up("a", DbtEnvironmentProvider(), program)
    environment = stack.resources["a"].outputs["environmentId"]
    if owner == "undeclared":  # Omni has another owner than the program knows
        omni.edit_environment(environment, owner_id=USER_ID)
    other = omni.add_environment(
        CONNECTION_ID, name="B", target_schema="s", owner_id=None if owner == "shared" else USER_ID
    )
    with pytest.raises(ProviderError) as refused:
        stack.up("a", DbtEnvironmentProvider(), {**program, **wanted})
    assert isinstance(refused.value.error, AlreadyExistsError)
    assert refused.value.error.resource_id == other
    assert {each["id"]: each["name"] for each in omni.environments(CONNECTION_ID)} == {environment: "A", other: "B"}
    omni.edit_environment(other, owner_id=OTHER_USER_ID)
    assert stack.up("a", DbtEnvironmentProvider(), {**program, **wanted}) == "update"


def test_environments_swap_names(stack: Stack, omni_services: dict[str, OmniSimulator]) -> None:
    """An environment gets the name of one that gives it up in the same command.

    The engine checks both at once, and this stack one after the other. So the first one is refused here.
    """
    omni, provider = omni_services["generated"], DbtEnvironmentProvider()
    for name in "AB":
        stack.up(name, provider, {**ENVIRONMENT, "name": name})
    with stack.command():
        with pytest.raises(ProviderError):
            stack.up("A", provider, {**ENVIRONMENT, "name": "B"})
        assert stack.up("B", provider, {**ENVIRONMENT, "name": "A"}) == "update"
    assert stack.up("A", provider, {**ENVIRONMENT, "name": "B"}) == "update"
    names = {each["id"]: each["name"] for each in omni.environments(CONNECTION_ID)}
    assert [names[stack.resources[name].outputs["environmentId"]] for name in "AB"] == ["B", "A"]


def test_replacement_adopts_another_object(stack: Stack, omni_services: dict[str, OmniSimulator]) -> None:
    """When a replacement adopts another object, the object that the resource had before is deleted.

    The engine can replace a resource without calling `diff`, as `replacement_trigger` does.
    """
    omni = omni_services["generated"]
    program: dict[str, Any] = {**ENVIRONMENT, "adopt": True}
    stack.up("it", DbtEnvironmentProvider(), program)
    before = stack.resources["it"].outputs["environmentId"]
    omni.edit_environment(before, name="Renamed in the Omni UI")
    existing = omni.add_environment(CONNECTION_ID, name=program["name"], target_schema="other_schema")
    with stack.command():
        stack.replace("it", DbtEnvironmentProvider(), program)
    assert [each["id"] for each in omni.environments(CONNECTION_ID)] == [existing]


def test_failed_adoption_keeps_the_old_resource(stack: Stack, omni_services: dict[str, OmniSimulator]) -> None:
    """When the new resource cannot adopt the object, the old resource stays, in Omni and in the state.

    The deletion of the old resource fails too, when the engine goes on to it. Regression: the object was no longer in
    the state, and with two objects of the same name the next command adopted the other one.
    """
    omni = omni_services["generated"]
    program = {**ENVIRONMENT, "adopt": True}
    stack.up("old", DbtEnvironmentProvider(), program)
    omni.inject(faults.Status(403, processed=False, times=None))
    with stack.command():
        with pytest.raises(ProviderError) as adopting:
            stack.up("new", DbtEnvironmentProvider(), program)
        with pytest.raises(ProviderError) as deleting:
            stack.destroy("old")
    assert isinstance(adopting.value.error, PermissionDeniedError)
    assert deleting.value.error.resource_id == stack.resources["old"].outputs["environmentId"]
    omni.clear_faults()
    assert "old" in stack.resources
    with stack.command():
        assert stack.up("new", DbtEnvironmentProvider(), program) == "create"
        stack.destroy("old")
    assert [each["id"] for each in omni.environments(CONNECTION_ID)] == [
        stack.resources["new"].outputs["environmentId"]
    ]


@pytest.mark.parametrize("forced", [False, True])
def test_replacement_leaves_no_claim_behind(
    stack: Stack, omni_services: dict[str, OmniSimulator], *, forced: bool
) -> None:
    """After a replacement, a `diff` that no `check` precedes claims nothing, so it does not find a second resource.

    The engine makes such a `diff` in a refresh. A forced replacement has no `diff` of its own.
    """
    omni = omni_services["generated"]
    omni.configure_dbt(omni.other_connection_id)
    program = {**ENVIRONMENT, "adopt": True}
    stack.up("it", DbtEnvironmentProvider(), program)
    with stack.command():
        if forced:
            stack.replace("it", DbtEnvironmentProvider(), program)
        else:
            program["connectionId"] = omni.other_connection_id
            assert stack.up("it", DbtEnvironmentProvider(), program) == "replace"
        for _ in range(2):
            assert stack.refresh("it")


def test_dropped_resource_is_deleted_after_a_refresh(stack: Stack, omni_services: dict[str, OmniSimulator]) -> None:
    """A dropped resource is deleted although a refresh in the same command calls `diff` for it."""
    stack.up("it", DbtEnvironmentProvider(), {**ENVIRONMENT, "adopt": True})
    with stack.command():
        assert stack.refresh("it")
        stack.destroy("it")
    assert omni_services["generated"].environments(CONNECTION_ID) == []


@pytest.mark.parametrize("interrupted", [False, True])
@every_sample
def test_renamed_resource_keeps_its_object(
    stack: Stack,
    omni_services: dict[str, OmniSimulator],
    lightdash: LightdashSimulator,
    log: pytest.LogCaptureFixture,
    sample: Sample,
    *,
    interrupted: bool,
) -> None:
    """A resource that is renamed in the program adopts its object with ``adopt``, and the object is not deleted.

    The engine creates the new resource before it deletes the old one. The object also stays when the command is
    interrupted in between, and the next command does the deletion.
    """
    omni = omni_services["generated"]
    program = sample.complete
    stack.up("old", sample.provider(), program)
    with stack.command():
        assert stack.up("new", sample.provider(), {**program, "adopt": True}) == "create"
        if not interrupted:
            stack.destroy("old")
    if interrupted:
        with stack.command():
            assert stack.up("new", sample.provider(), {**program, "adopt": True}) == "same"
            stack.destroy("old")
    (warning,) = warnings(log)
    assert stack.resources["new"].id.rpartition("/")[2] in warning
    assert objects(omni, lightdash)
    assert stack.refresh("new")
    assert stack.preview("new", sample.provider(), program) == "same"
    with stack.command():
        stack.destroy("new")
    assert not objects(omni, lightdash)
