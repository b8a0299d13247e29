"""Adoption, and the rule that only one resource of a program manages an object. The engine is not needed here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from omni_pulumi.dynamic.provider import Provider
from omni_pulumi.errors import AlreadyExistsError, AlreadyManagedError, NothingToAdoptError
from omni_pulumi.resources.connection_environment import ConnectionEnvironmentProvider
from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider
from omni_pulumi.resources.dbt_environment import DbtEnvironmentProvider
from omni_pulumi.simulator import CONNECTION_ID, OTHER_USER_ID, PAGES, USER_ID, OmniSimulator
from tests.catalogue import SAMPLES, Sample, every_sample
from tests.harness import ResourceHarness
from tests.logged import warnings
from tests.servicer import ProviderError, Stack

PROVIDER = DbtEnvironmentProvider()
PROGRAM = {**SAMPLES["DbtEnvironment"].minimal, "variables": {"DBT_TARGET": "staging"}}


@pytest.fixture
def omni(omni_services: dict[str, OmniSimulator]) -> OmniSimulator:
    """The Omni service of ``stack``."""
    return omni_services["generated"]


def edit_configuration(omni: OmniSimulator) -> None:
    omni.configure_dbt(CONNECTION_ID, project_root_path="dbt")


def edit_environment(omni: OmniSimulator) -> None:
    (environment,) = omni.environments(CONNECTION_ID)
    omni.edit_environment(environment["id"], target_role="set_in_omni")


def edit_connection_environment(omni: OmniSimulator) -> None:
    (environment,) = omni.connection_environments()
    omni.edit_connection_environment(environment["id"], ["qa", "set_in_omni"])


UNKNOWN_FIELDS: list[tuple[Provider[Any, Any, Any], dict[str, Any], Callable[[OmniSimulator], None], str]] = [
    (DbtConfigurationProvider(), {"branch": "other"}, edit_configuration, "project_root_path"),
    (DbtEnvironmentProvider(), {"targetSchema": "other"}, edit_environment, "target_role"),
    (ConnectionEnvironmentProvider(), {"userAttributeValues": ["prod"]}, edit_connection_environment, "set_in_omni"),
]
"""A provider, a change of the program, a change in Omni, and its name in the warning.

Neither the program nor the state has what changes in Omni.
"""


@pytest.mark.parametrize(
    ("provider", "change", "edit", "name"), UNKNOWN_FIELDS, ids=[field[-1] for field in UNKNOWN_FIELDS]
)
def test_unknown_fields_are_kept(
    stack: Stack,
    omni: OmniSimulator,
    log: pytest.LogCaptureFixture,
    provider: Provider[Any, Any, Any],
    change: dict[str, Any],
    edit: Callable[[OmniSimulator], None],
    name: str,
) -> None:
    """An update keeps what neither the program nor the state has, and a warning names it.

    After a refresh it is a change, and the next `up` removes it.
    """
    program = dict(SAMPLES[type(provider).__name__.removesuffix("Provider")].minimal)
    if "environmentConnectionId" in program:
        program["userAttributeValues"] = ["qa"]
    harness = ResourceHarness(stack, provider, program)
    harness.up()
    edit(omni)
    assert harness.up(**change) == "update"
    (warning,) = warnings(log)
    assert name in warning
    assert harness.preview(**change) == "same"
    assert harness.refresh()
    assert harness.up(**change) == "update"
    assert len(warnings(log)) == 1
    harness.assert_settled(**change)


@pytest.mark.parametrize("dialect", ["generated", "pages"])
def test_nothing_to_adopt(omni_services: dict[str, OmniSimulator], dialect: str) -> None:
    """``adopt="existing"`` creates nothing, even without a list that shows whether the object exists."""
    omni = omni_services[dialect]
    omni.reset()
    sibling = omni.development_connection_id
    omni.add_connection_environment(CONNECTION_ID, sibling)
    stack = Stack({"omni:baseUrl": omni.url, "omni:apiKey": omni.api_key})
    harness = ResourceHarness(stack, ConnectionEnvironmentProvider(), SAMPLES["ConnectionEnvironment"].minimal)
    error = harness.refusal(NothingToAdoptError, adopt="existing")
    assert error.nearest == (() if omni.dialect is PAGES else (sibling,))
    assert [each["connection_id"] for each in omni.connection_environments()] == [sibling]


def test_recreated_object_is_adopted(stack: Stack, omni: OmniSimulator) -> None:
    """A renamed resource adopts an object that an update recreated, and the object is not deleted.

    The recreated object has another ID than the Pulumi ID in the state.
    """
    stack.up("old", PROVIDER, PROGRAM)
    omni.delete_environment(stack.resources["old"].outputs["environmentId"])
    assert stack.up("old", PROVIDER, {**PROGRAM, "targetSchema": "other"}) == "update"
    with stack.command():
        assert stack.up("new", PROVIDER, {**PROGRAM, "adopt": True}) == "create"
        stack.destroy("old")
    (environment,) = omni.environments(CONNECTION_ID)
    assert environment["id"] == stack.resources["new"].outputs["environmentId"]


def test_recreated_object_is_managed_once(stack: Stack, omni: OmniSimulator) -> None:
    """No second resource adopts an object that an update recreated, even before a refresh."""
    stack.up("owner", PROVIDER, PROGRAM)
    omni.delete_environment(stack.resources["owner"].outputs["environmentId"])
    stack.up("owner", PROVIDER, {**PROGRAM, "targetSchema": "other"})
    with stack.command():
        assert stack.up("owner", PROVIDER, {**PROGRAM, "targetSchema": "other"}) == "same"
        with pytest.raises(ProviderError) as refused:
            stack.up("adopter", PROVIDER, {**PROGRAM, "adopt": True})
    assert isinstance(refused.value.error, AlreadyExistsError)
    assert refused.value.error.resource_id == stack.resources["owner"].outputs["environmentId"]


def with_profile(stack: Stack, omni: OmniSimulator, api_key: str) -> Stack:
    """Return the stack with a second profile, ``mine``, which connects to the same Omni with another key."""
    settings = {"baseUrl": omni.url, "apiKey": api_key, "requestsPerMinute": "1000000"}
    return Stack({**stack.config, **{f"omni-mine:{name}": value for name, value in settings.items()}})


@pytest.mark.parametrize("profiles", [(None, "mine"), ("mine", None)])
@pytest.mark.parametrize("adopt", [False, True])
def test_two_keys_have_one_environment_each(
    stack: Stack, omni: OmniSimulator, profiles: tuple[str | None, ...], *, adopt: bool
) -> None:
    """Two resources with the same name and different keys have one environment each.

    When the program declares no owner, Omni chooses one by the key: none, or the user of a personal access token.
    """
    both = with_profile(stack, omni, omni.personal_access_token)
    programs = {
        str(profile): {**PROGRAM, "adopt": adopt, **({"profile": profile} if profile else {})} for profile in profiles
    }
    for _ in range(2):
        with both.command():
            for name, program in programs.items():
                both.up(name, PROVIDER, program)
    environments = {each["id"]: each["owner_id"] for each in omni.environments(CONNECTION_ID)}
    ids = {name: resource.outputs["environmentId"] for name, resource in both.resources.items()}
    assert {name: environments[id_] for name, id_ in ids.items()} == {"None": None, "mine": USER_ID}
    assert len(environments) == 2


@pytest.mark.parametrize("adopt", [False, True])
def test_two_profiles_with_one_key_have_one_environment(stack: Stack, omni: OmniSimulator, *, adopt: bool) -> None:
    """The same key means the same owner, so the second resource fails and its create leaves nothing."""
    both = with_profile(stack, omni, omni.api_key)
    with both.command():
        both.up("first", PROVIDER, {**PROGRAM, "adopt": adopt})
        with pytest.raises(ProviderError) as refused:
            both.up("second", PROVIDER, {**PROGRAM, "adopt": adopt, "profile": "mine"})
    assert isinstance(refused.value.error, AlreadyManagedError)
    assert refused.value.error.same_key
    assert [each["id"] for each in omni.environments(CONNECTION_ID)] == [
        both.resources["first"].outputs["environmentId"]
    ]


def test_object_that_another_profile_created(stack: Stack, omni: OmniSimulator) -> None:
    """A create finds an environment that a resource of another profile created in the same command."""
    both = with_profile(stack, omni, omni.personal_access_token)
    with both.command():
        both.up("first", PROVIDER, {**PROGRAM, "profile": "mine", "name": "First"})
        both.up("refreshed", PROVIDER, {**PROGRAM, "name": "Second", "ownerId": USER_ID})
        assert both.refresh("first")
        both.up("owner", PROVIDER, {**PROGRAM, "ownerId": USER_ID})
        with pytest.raises(ProviderError) as refused:
            both.up("rejected", PROVIDER, {**PROGRAM, "profile": "mine"})
    assert isinstance(refused.value.error, AlreadyExistsError)
    assert refused.value.error.resource_id == both.resources["owner"].outputs["environmentId"]
    names = [each["name"] for each in omni.environments(CONNECTION_ID)]
    assert names.count(PROGRAM["name"]) == 1


def test_existing_is_ignored_after_a_deletion(stack: Stack, omni: OmniSimulator, log: pytest.LogCaptureFixture) -> None:
    """`up --refresh` recreates an object that was deleted outside Pulumi, although ``adopt`` is ``"existing"``."""
    omni.add_environment(CONNECTION_ID, name="Staging", target_schema="analytics_staging")
    program = {**SAMPLES["DbtEnvironment"].minimal, "adopt": "existing"}
    stack.up("it", PROVIDER, program)
    omni.delete_environment(stack.resources["it"].outputs["environmentId"])
    with stack.command():
        assert not stack.refresh("it")
        assert stack.up("it", PROVIDER, program) == "create"
    assert [each["name"] for each in omni.environments(CONNECTION_ID)] == ["Staging"]
    assert len([warning for warning in warnings(log) if '"existing"' in warning]) == 1


@every_sample
def test_a_create_names_the_option(sample: Sample, stack: Stack) -> None:
    """A create that fails because the object exists names what a replacement would lose, and the option for it."""
    stack.up("it", sample.provider(), sample.complete)
    with pytest.raises(ProviderError) as caught:
        stack.up("again", sample.provider(), sample.complete)
    lost = {"DbtConfiguration": "SSH deploy keys", "DbtEnvironment": "variables.TEAM_*"}.get(sample.name)
    assert ("delete_before_replace=True" in str(caught.value)) is (lost is not None)
    assert lost is None or lost in str(caught.value)


@pytest.mark.parametrize(("deleted", "wanted"), [(None, USER_ID), (USER_ID, OTHER_USER_ID), (USER_ID, None)])
def test_existing_is_refused_after_a_deletion_of_another_owner(
    stack: Stack, omni: OmniSimulator, deleted: str | None, wanted: str | None
) -> None:
    """``adopt="existing"`` creates nothing when another owner's environment of the same name was deleted."""
    declared = {owner: {"ownerId": owner} if owner else {} for owner in (deleted, wanted)}
    stack.up("deleted", PROVIDER, {**PROGRAM, **declared[deleted]})
    omni.delete_environment(stack.resources["deleted"].outputs["environmentId"])
    with stack.command():
        assert not stack.refresh("deleted")
        with pytest.raises(ProviderError) as refused:
            stack.up("wanted", PROVIDER, {**PROGRAM, **declared[wanted], "adopt": "existing"})
    assert isinstance(refused.value.error, NothingToAdoptError)
    assert omni.environments(CONNECTION_ID) == []


@pytest.mark.parametrize(("removed", "failing"), [(None, USER_ID), (USER_ID, OTHER_USER_ID)])
def test_an_environment_of_another_owner_is_deleted(
    stack: Stack, omni: OmniSimulator, removed: str | None, failing: str
) -> None:
    """An environment is deleted although a resource fails to adopt another owner's environment of the same name.

    Its state may have no owner that the program names, and then has the one that Omni chose.
    """
    stack.up("removed", PROVIDER, {**PROGRAM, **({"ownerId": removed} if removed else {})})
    other = omni.add_environment(CONNECTION_ID, name=PROGRAM["name"], target_schema="s", owner_id=failing)
    omni.set_variable(other, "UNDECLARED", "x")
    with stack.command():
        with pytest.raises(ProviderError):
            stack.up("failing", PROVIDER, {**PROGRAM, "ownerId": failing, "adopt": True})
        stack.destroy("removed")
    assert [each["id"] for each in omni.environments(CONNECTION_ID)] == [other]
