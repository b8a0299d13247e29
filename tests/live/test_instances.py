"""The life of each resource against a real Omni or Lightdash: made, quiet, changed, drifted, repaired, gone.

The instances are those of the environment variables, so a self-hosted Lightdash or the simulator will do as well.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider
from tests.catalogue import SAMPLES
from tests.harness import ResourceHarness
from tests.live.instances import Lightdash, Omni
from tests.servicer import Stack


def declare(stack: Stack, name: str, /, **properties: Any) -> ResourceHarness:
    """A resource with the least program of the catalogue and with properties that fit the instance."""
    sample = SAMPLES[name]
    return ResourceHarness(stack, sample.provider(), {**sample.minimal, **properties})


def create(resource: ResourceHarness) -> None:
    """Create the object, after which nothing is left to change."""
    assert resource.up() == "create"
    resource.assert_settled()


def update(resource: ResourceHarness, **changes: Any) -> None:
    """Update the object, after which nothing is left to change."""
    assert resource.up(**changes) == "update"
    resource.assert_settled(**changes)


@contextmanager
def removed_again(stack: Stack, leftovers: Callable[[], None]) -> Iterator[None]:
    """Whatever happens, nothing stays: neither what the stack knows nor what a failure has hidden from it."""

    def destroy() -> None:
        with ExitStack() as each:  # the last one first, and the others also when one fails
            for name in list(stack.resources):
                each.callback(stack.destroy, name)

    with ExitStack() as ends:
        ends.callback(leftovers)
        ends.callback(destroy)
        yield


def configuration(omni: Omni, unique: str) -> dict[str, Any]:
    """A dbt configuration of the connection, with a repository that nobody has."""
    return {"connectionId": omni.connection_id, "sshUrl": f"git@github.com:omni-pulumi/{unique}.git"}


@contextmanager
def own_configuration_removed_again(omni: Omni, unique: str) -> Iterator[None]:
    """What the stack made goes, and the configuration if it is of our own repository."""

    def leftovers() -> None:
        current = omni.configuration()
        if current is not None and unique in current["sshUrl"]:
            omni.others.send("DELETE", omni.dbt)

    with removed_again(omni.stack, leftovers):
        yield


def test_dbt_configuration(omni: Omni, unique: str) -> None:
    """A connection without dbt gets a configuration and loses it again; one that has dbt is left alone."""
    if omni.configuration() is not None:
        pytest.skip("the connection of OMNI_LIVE_CONNECTION_ID has a dbt configuration, which is left alone")
    live = declare(omni.stack, "DbtConfiguration", **configuration(omni, unique))
    changes = {"branch": "develop"}
    with own_configuration_removed_again(omni, unique):
        create(live)
        update(live, **changes)
        omni.others.send("PUT", omni.dbt, {**live.declared(connectionId=None), "branch": "hotfix"})
        live.assert_drifted_and_repaired(**changes)
        live.destroy()
        assert omni.configuration() is None


def test_dbt_environment(omni: Omni, unique: str) -> None:
    """An environment with variables lives its life; a connection without dbt gets a configuration for that time."""

    def leftovers() -> None:
        for environment in omni.environments(unique):
            omni.others.send("DELETE", f"{omni.dbt}/environments/{environment}")

    live = declare(
        omni.stack,
        "DbtEnvironment",
        connectionId=omni.connection_id,
        name=unique,
        targetSchema="omni_pulumi_test",
        variables={"A": "1", "B": "2"},
        secretVariables={"S": unique},
    )
    changes = {"variables": {"A": "3", "C": "4"}, "targetRole": "tester"}
    with own_configuration_removed_again(omni, unique), removed_again(omni.stack, leftovers):
        if omni.configuration() is None:
            parent = {**SAMPLES["DbtConfiguration"].minimal, **configuration(omni, unique)}
            omni.stack.up("dbt", DbtConfigurationProvider(), parent)
        create(live)
        update(live, **changes)
        path = f"{omni.dbt}/environments/{live.outputs['environmentId']}"
        omni.others.send("PUT", path, {"name": unique, "targetSchema": "changed", "targetRole": "tester"})
        live.assert_drifted_and_repaired(**changes)
        live.destroy()
        assert omni.environments(unique) == []


def test_connection_environment(omni: Omni, unique: str) -> None:
    """A connection becomes an environment of another, and is none in the end; one that is already is left alone."""
    environment = os.environ.get("OMNI_LIVE_ENVIRONMENT_CONNECTION_ID", "").lower()
    if not environment:
        pytest.skip("set OMNI_LIVE_ENVIRONMENT_CONNECTION_ID to a connection that may become an environment")
    existing = omni.connection_environments(environment)
    if existing:
        pytest.skip("the connection of OMNI_LIVE_ENVIRONMENT_CONNECTION_ID is an environment, which is left alone")
    collection = "/api/v1/connection-environments"

    def leftovers() -> None:
        for each in omni.connection_environments(environment) or []:
            omni.others.send("DELETE", f"{collection}/{each}")

    live = declare(
        omni.stack,
        "ConnectionEnvironment",
        baseConnectionId=omni.connection_id,
        environmentConnectionId=environment,
        userAttributeValues=[unique],
    )
    changes = {"userAttributeValues": [f"{unique}-2"]}
    with removed_again(omni.stack, leftovers):
        create(live)
        update(live, **changes)
        path = f"{collection}/{live.outputs['connectionEnvironmentId']}"
        value = f"{unique}-3"
        assert any(omni.others.accepts("PUT", path, {"userAttributeValues": form}) for form in (value, [value]))
        if existing is None:  # without a list of them nobody sees the change
            assert live.refresh()
        else:
            live.assert_drifted_and_repaired(**changes)
        live.destroy()
        assert not omni.connection_environments(environment)


def test_connection_environment_attribute(omni: Omni, unique: str) -> None:
    """A connection without an attribute gets one and loses it again. One that has an attribute is left alone."""
    name = os.environ.get("OMNI_LIVE_USER_ATTRIBUTE", "")
    if not name:
        pytest.skip("set OMNI_LIVE_USER_ATTRIBUTE to a user attribute that may select connection environments")
    if omni.environment_user_attribute() is not None:
        pytest.skip("the connection of OMNI_LIVE_CONNECTION_ID has an environment user attribute, which is left alone")

    def set_values(*values: str) -> None:
        attribute = {"attributeName": name, "defaultValues": [*values]} if values else None
        omni.others.send("PATCH", omni.connection, {"environmentUserAttribute": attribute})

    live = declare(
        omni.stack,
        "ConnectionEnvironmentAttribute",
        connectionId=omni.connection_id,
        attributeName=name,
        defaultValues=[unique],
    )
    changes = {"defaultValues": [f"{unique}-2"]}
    with removed_again(omni.stack, set_values):
        create(live)
        update(live, **changes)
        set_values(f"{unique}-3")
        live.assert_drifted_and_repaired(**changes)
        live.destroy()
        assert omni.environment_user_attribute() is None


def test_lightdash_dbt_source(lightdash: Lightdash, unique: str) -> None:
    """A source lives its life; a branch that somebody else has changed is put right."""

    def leftovers() -> None:
        for source in lightdash.sources(unique):
            lightdash.others.send("DELETE", f"{lightdash.dbt_sources}/{source}")

    connection = {**SAMPLES["LightdashDbtSource"].minimal["dbtConnection"], "repository": "omni-pulumi/test"}
    live = declare(
        lightdash.stack,
        "LightdashDbtSource",
        projectUuid=lightdash.project_uuid,
        name=unique,
        dbtConnection=connection,
    )
    changes = {"dbtConnection": {**connection, "branch": "develop", "environment": {"A": "1"}}}
    with removed_again(lightdash.stack, leftovers):
        create(live)
        update(live, **changes)
        path = f"{lightdash.dbt_sources}/{live.outputs['sourceUuid']}"
        theirs = lightdash.others.get(path)["results"]["dbtConnection"]
        lightdash.others.send("PATCH", path, {"dbtConnection": {**theirs, "branch": "hotfix"}})
        live.assert_drifted_and_repaired(**changes)
        live.destroy()
        assert lightdash.sources(unique) == []
