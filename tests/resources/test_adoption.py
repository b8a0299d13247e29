"""Adoption and one resource for one object, where the engine is not needed to see what is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from omni_pulumi.api.errors import AlreadyExistsError, AlreadyManagedError, NothingToAdoptError
from omni_pulumi.dynamic.provider import Provider
from omni_pulumi.resources.connection_environment import ConnectionEnvironmentProvider
from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider
from omni_pulumi.resources.dbt_environment import DbtEnvironmentProvider
from omni_pulumi.simulator import CONNECTION_ID, PAGES, USER_ID, OmniSimulator
from tests.catalogue import SAMPLES
from tests.harness import ResourceHarness
from tests.logged import warnings
from tests.servicer import ProviderError, Stack

PROVIDER = DbtEnvironmentProvider()
PROGRAM = {**SAMPLES["DbtEnvironment"].minimal, "variables": {"DBT_TARGET": "staging"}}


@pytest.fixture
def omni(omni_services: dict[str, OmniSimulator]) -> OmniSimulator:
    """The Omni of ``stack``."""
    return omni_services["generated"]


def edit_configuration(omni: OmniSimulator) -> None:
    omni.configure_dbt(CONNECTION_ID, project_root_path="dbt")


def edit_environment(omni: OmniSimulator) -> None:
    (environment,) = omni.environments(CONNECTION_ID)
    omni.edit_environment(environment["id"], target_role="theirs")


def edit_connection_environment(omni: OmniSimulator) -> None:
    (environment,) = omni.connection_environments()
    omni.edit_connection_environment(environment["id"], ["qa", "theirs"])


FIELDS: list[tuple[Provider[Any, Any, Any], dict[str, Any], Callable[[OmniSimulator], None], str]] = [
    (DbtConfigurationProvider(), {"branch": "other"}, edit_configuration, "projectRootPath"),
    (DbtEnvironmentProvider(), {"targetSchema": "other"}, edit_environment, "targetRole"),
    (ConnectionEnvironmentProvider(), {"userAttributeValues": ["prod"]}, edit_connection_environment, "theirs"),
]
"""A change of the program, one in Omni that neither program nor state knows, and what names it."""


@pytest.mark.parametrize(("provider", "change", "edit", "name"), FIELDS, ids=[field[-1] for field in FIELDS])
def test_unknown_fields_are_kept(
    stack: Stack,
    omni: OmniSimulator,
    log: pytest.LogCaptureFixture,
    provider: Provider[Any, Any, Any],
    change: dict[str, Any],
    edit: Callable[[OmniSimulator], None],
    name: str,
) -> None:
    """An update keeps what neither program nor state knows, and a warning names it. A refresh shows it as a change."""
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
    """``adopt="existing"`` creates nothing, also where no list tells whether the object exists."""
    omni = omni_services[dialect]
    omni.reset()
    sibling = omni.development_connection_id
    omni.add_connection_environment(CONNECTION_ID, sibling)
    stack = Stack({"omni:baseUrl": omni.url, "omni:apiKey": omni.api_key})
    harness = ResourceHarness(stack, ConnectionEnvironmentProvider(), SAMPLES["ConnectionEnvironment"].minimal)
    error = harness.refusal(NothingToAdoptError, adopt="existing")
    assert error.nearest == (() if omni.dialect is PAGES else (sibling,))
    assert [each["connection_id"] for each in omni.connection_environments()] == [sibling]


def test_an_object_that_was_recreated_is_adopted(stack: Stack, omni: OmniSimulator) -> None:
    """What an update created again has another ID than the state's. A resource that adopts it keeps it."""
    stack.up("old", PROVIDER, PROGRAM)
    omni.delete_environment(stack.resources["old"].outputs["environmentId"])
    assert stack.up("old", PROVIDER, {**PROGRAM, "targetSchema": "other"}) == "update"
    with stack.command():
        assert stack.up("new", PROVIDER, {**PROGRAM, "adopt": True}) == "create"
        stack.destroy("old")
    (environment,) = omni.environments(CONNECTION_ID)
    assert environment["id"] == stack.resources["new"].outputs["environmentId"]


def test_an_object_that_was_recreated_is_not_adopted_twice(stack: Stack, omni: OmniSimulator) -> None:
    """What an update created again belongs to its resource, before a refresh too."""
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
    """The stack with the profile ``mine``, which opens the same Omni with another key."""
    settings = {"baseUrl": omni.url, "apiKey": api_key, "requestsPerMinute": "1000000"}
    return Stack({**stack.config, **{f"omni-mine:{name}": value for name, value in settings.items()}})


@pytest.mark.parametrize("profiles", [(None, "mine"), ("mine", None)])
@pytest.mark.parametrize("adopt", [False, True])
def test_two_keys_have_an_environment_each(
    stack: Stack, omni: OmniSimulator, profiles: tuple[str | None, ...], *, adopt: bool
) -> None:
    """Omni chooses the owner for a program that names none: nobody, or the user of a personal access token."""
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
    """The same key means the same owner, so the second resource is refused and leaves nothing behind."""
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


def test_an_object_of_another_profile(stack: Stack, omni: OmniSimulator) -> None:
    """With a personal access token, the list that another profile changed meanwhile is read again."""
    both = with_profile(stack, omni, omni.personal_access_token)
    with both.command():
        both.up("first", PROVIDER, {**PROGRAM, "profile": "mine", "name": "First"})
        both.up("refreshed", PROVIDER, {**PROGRAM, "name": "Second", "ownerId": USER_ID})
        assert both.refresh("first")
        both.up("owner", PROVIDER, {**PROGRAM, "ownerId": USER_ID})
        with pytest.raises(ProviderError) as refused:
            both.up("left_out", PROVIDER, {**PROGRAM, "profile": "mine"})
    assert isinstance(refused.value.error, AlreadyExistsError)
    assert refused.value.error.resource_id == both.resources["owner"].outputs["environmentId"]
    names = [each["name"] for each in omni.environments(CONNECTION_ID)]
    assert names.count(PROGRAM["name"]) == 1


def test_existing_is_ignored_after_a_refresh_that_found_nothing(
    stack: Stack, omni: OmniSimulator, log: pytest.LogCaptureFixture
) -> None:
    """`up --refresh` creates again what was deleted outside Pulumi, although ``adopt`` says ``"existing"``."""
    omni.add_environment(CONNECTION_ID, name="Staging", target_schema="analytics_staging")
    program = {**SAMPLES["DbtEnvironment"].minimal, "adopt": "existing"}
    stack.up("it", PROVIDER, program)
    omni.delete_environment(stack.resources["it"].outputs["environmentId"])
    with stack.command():
        assert not stack.refresh("it")
        assert stack.up("it", PROVIDER, program) == "create"
    assert [each["name"] for each in omni.environments(CONNECTION_ID)] == ["Staging"]
    assert len([warning for warning in warnings(log) if 'adopt="existing"' in warning]) == 1
