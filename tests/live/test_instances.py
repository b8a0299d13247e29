"""Live tests: create, update, repair and delete an object of each resource in a real Omni or Lightdash.

Environment variables select the instances. A self-hosted Lightdash and the simulator work, too.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from omni_pulumi.cli import main
from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider
from tests.catalogue import SAMPLES
from tests.harness import ResourceHarness
from tests.live.instances import Lightdash, Omni
from tests.servicer import Stack


def declare(stack: Stack, name: str, /, **properties: Any) -> ResourceHarness:
    """Return a resource with the minimal program of the catalogue and with properties for the instance."""
    sample = SAMPLES[name]
    return ResourceHarness(stack, sample.provider(), {**sample.minimal, **properties})


def create(resource: ResourceHarness) -> None:
    """Create the object, and assert that no change follows."""
    assert resource.up() == "create"
    resource.assert_settled()


def update(resource: ResourceHarness, **changes: Any) -> None:
    """Update the object, and assert that no change follows."""
    assert resource.up(**changes) == "update"
    resource.assert_settled(**changes)


def output_of(*arguments: str) -> Any:
    """Run ``omni-pulumi`` with ``--json``, and return what it writes."""
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())) as output:
        main([*arguments, "--json"])
    output.seek(0)
    return json.load(output)


def exported(folder: Path, *options: str) -> list[str]:
    """Export what the options select, and return the names of the objects."""
    return [each["name"] for each in output_of("export", *options, "-o", str(folder / "exported"))["objects"]]


def approved(*options: str) -> set[str]:
    """Return the checks of ``omni-pulumi doctor`` that find what a program needs."""
    return {each["check"] for each in output_of("doctor", *options)["checks"] if each["status"] == "ok"}


@contextmanager
def cleanup(stack: Stack, delete_leftovers: Callable[[], None]) -> Iterator[None]:
    """Delete the objects of the stack at the end, and then those that a failed create left outside its state."""

    def destroy() -> None:
        with ExitStack() as destroys:  # runs all of them in reverse order, also when one fails
            for name in list(stack.resources):
                destroys.callback(stack.destroy, name)

    with ExitStack() as at_end:
        at_end.callback(delete_leftovers)
        at_end.callback(destroy)
        yield


def configuration(omni: Omni, unique: str) -> dict[str, Any]:
    """Return the properties of a dbt configuration with a repository that does not exist."""
    return {"connectionId": omni.connection_id, "sshUrl": f"git@github.com:omni-pulumi/{unique}.git"}


@contextmanager
def configuration_cleanup(omni: Omni, unique: str) -> Iterator[None]:
    """Delete the objects of the stack at the end, and the dbt configuration if it has the repository of this test."""

    def delete_leftovers() -> None:
        current = omni.configuration()
        if current is not None and unique in current["sshUrl"]:
            omni.outside.send("DELETE", omni.dbt)

    with cleanup(omni.stack, delete_leftovers):
        yield


def test_dbt_configuration(omni: Omni, unique: str) -> None:
    """A connection without a dbt configuration gets one, which is updated, repaired and deleted.

    The test is skipped for a connection that has one.
    """
    if omni.configuration() is not None:
        pytest.skip("the connection of OMNI_LIVE_CONNECTION_ID has a dbt configuration, which is left alone")
    resource = declare(omni.stack, "DbtConfiguration", **configuration(omni, unique))
    changes = {"branch": "develop"}
    with configuration_cleanup(omni, unique):
        create(resource)
        update(resource, **changes)
        omni.outside.send("PUT", omni.dbt, {**resource.declared(connectionId=None), "branch": "hotfix"})
        resource.assert_drifted_and_repaired(**changes)
        resource.destroy()
        assert omni.configuration() is None


def test_dbt_environment(omni: Omni, unique: str, tmp_path: Path) -> None:
    """An environment with variables is created, updated, exported, repaired and deleted.

    A connection without a dbt configuration gets one during the test.
    """

    def delete_leftovers() -> None:
        for environment in omni.environments(unique):
            omni.outside.send("DELETE", f"{omni.dbt}/environments/{environment}")

    resource = declare(
        omni.stack,
        "DbtEnvironment",
        connectionId=omni.connection_id,
        name=unique,
        targetSchema="omni_pulumi_test",
        variables={"A": "1", "B": "2"},
        secretVariables={"S": unique},
    )
    changes = {"variables": {"A": "3", "C": "4"}, "targetRole": "tester"}
    with configuration_cleanup(omni, unique), cleanup(omni.stack, delete_leftovers):
        if omni.configuration() is None:
            parent = {**SAMPLES["DbtConfiguration"].minimal, **configuration(omni, unique)}
            omni.stack.up("dbt", DbtConfigurationProvider(), parent)
        create(resource)
        update(resource, **changes)
        options = ("--connection", omni.connection_id, "--kind", "environment", "--name", unique)
        assert exported(tmp_path, "omni", *options) == [unique]
        assert approved("omni", "--connection", omni.connection_id) >= {"reached", "key", "dbt", "dbt environments"}
        path = f"{omni.dbt}/environments/{resource.outputs['environmentId']}"
        omni.outside.send("PUT", path, {"name": unique, "targetSchema": "changed", "targetRole": "tester"})
        resource.assert_drifted_and_repaired(**changes)
        resource.destroy()
        assert omni.environments(unique) == []


def test_connection_environment(omni: Omni, unique: str) -> None:
    """A connection becomes an environment of another one, which is updated, repaired and deleted.

    The test is skipped for a connection that is an environment.
    """
    environment = os.environ.get("OMNI_LIVE_ENVIRONMENT_CONNECTION_ID", "").lower()
    if not environment:
        pytest.skip("set OMNI_LIVE_ENVIRONMENT_CONNECTION_ID to a connection that may become an environment")
    existing = omni.connection_environments(environment)
    if existing:
        pytest.skip("the connection of OMNI_LIVE_ENVIRONMENT_CONNECTION_ID is an environment, which is left alone")
    collection = "/api/v1/connection-environments"

    def delete_leftovers() -> None:
        for each in omni.connection_environments(environment) or []:
            omni.outside.send("DELETE", f"{collection}/{each}")

    resource = declare(
        omni.stack,
        "ConnectionEnvironment",
        baseConnectionId=omni.connection_id,
        environmentConnectionId=environment,
        userAttributeValues=[unique],
    )
    changes = {"userAttributeValues": [f"{unique}-2"]}
    with cleanup(omni.stack, delete_leftovers):
        create(resource)
        update(resource, **changes)
        path = f"{collection}/{resource.outputs['connectionEnvironmentId']}"
        value = f"{unique}-3"
        assert any(omni.outside.accepts("PUT", path, {"userAttributeValues": form}) for form in (value, [value]))
        if existing is None:  # without a list the change cannot be detected
            assert resource.refresh()
        else:
            resource.assert_drifted_and_repaired(**changes)
        resource.destroy()
        assert not omni.connection_environments(environment)


def test_connection_environment_attribute(omni: Omni, unique: str) -> None:
    """A connection without an environment user attribute gets one, which is updated, repaired and removed.

    The test is skipped for a connection that has one.
    """
    name = os.environ.get("OMNI_LIVE_USER_ATTRIBUTE", "")
    if not name:
        pytest.skip("set OMNI_LIVE_USER_ATTRIBUTE to a user attribute that may select connection environments")
    if omni.environment_user_attribute() is not None:
        pytest.skip("the connection of OMNI_LIVE_CONNECTION_ID has an environment user attribute, which is left alone")

    def set_values(*values: str) -> None:
        attribute = {"attributeName": name, "defaultValues": [*values]} if values else None
        omni.outside.send("PATCH", omni.connection, {"environmentUserAttribute": attribute})

    resource = declare(
        omni.stack,
        "ConnectionEnvironmentAttribute",
        connectionId=omni.connection_id,
        attributeName=name,
        defaultValues=[unique],
    )
    changes = {"defaultValues": [f"{unique}-2"]}
    with cleanup(omni.stack, set_values):
        create(resource)
        update(resource, **changes)
        set_values(f"{unique}-3")
        resource.assert_drifted_and_repaired(**changes)
        resource.destroy()
        assert omni.environment_user_attribute() is None


def test_lightdash_dbt_source(lightdash: Lightdash, unique: str, tmp_path: Path) -> None:
    """A source is created, updated, exported, repaired after a change of its branch, and deleted."""

    def delete_leftovers() -> None:
        for source in lightdash.sources(unique):
            lightdash.outside.send("DELETE", f"{lightdash.dbt_sources}/{source}")

    connection = {**SAMPLES["LightdashDbtSource"].minimal["dbtConnection"], "repository": "omni-pulumi/test"}
    resource = declare(
        lightdash.stack,
        "LightdashDbtSource",
        projectUuid=lightdash.project_uuid,
        name=unique,
        dbtConnection=connection,
    )
    changes = {"dbtConnection": {**connection, "branch": "develop", "environment": {"A": "1"}}}
    with cleanup(lightdash.stack, delete_leftovers):
        create(resource)
        update(resource, **changes)
        assert exported(tmp_path, "lightdash", "--project", lightdash.project_uuid, "--name", unique) == [unique]
        assert approved("lightdash", "--project", lightdash.project_uuid) >= {"reached", "key", "dbt sources"}
        path = f"{lightdash.dbt_sources}/{resource.outputs['sourceUuid']}"
        connection_in_lightdash = lightdash.outside.get(path)["results"]["dbtConnection"]
        lightdash.outside.send("PATCH", path, {"dbtConnection": {**connection_in_lightdash, "branch": "hotfix"}})
        resource.assert_drifted_and_repaired(**changes)
        resource.destroy()
        assert lightdash.sources(unique) == []
