"""The life of each resource against a real Omni or Lightdash: made, quiet, changed, drifted, repaired, gone.

The instances are those of the environment variables, so a self-hosted Lightdash or the simulator will do as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from omni_pulumi.dynamic import Provider
from omni_pulumi.resources.connection_environment import ConnectionEnvironmentProvider
from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider
from omni_pulumi.resources.dbt_environment import DbtEnvironmentProvider
from omni_pulumi.resources.lightdash_dbt_source import LightdashDbtSourceProvider
from tests.live.settings import Omni, lightdash_settings, omni_settings
from tests.servicer import Stack


@contextmanager
def removed_again(stack: Stack) -> Iterator[None]:
    """Whatever happens, what the stack made is destroyed."""
    try:
        yield
    finally:
        for name in list(stack.resources):
            stack.destroy(name)


def live(stack: Stack, provider: Provider[Any, Any, Any], program: dict[str, Any], change: dict[str, Any]) -> None:
    """Made, quiet, changed, and quiet after a refresh."""
    assert stack.up("it", provider, program) == "create"
    assert stack.preview("it", provider, program) == "same"
    assert stack.refresh("it")
    assert stack.preview("it", provider, program) == "same"
    changed = {**program, **change}
    assert stack.up("it", provider, changed) == "update"
    assert stack.refresh("it")
    assert stack.preview("it", provider, changed) == "same"


@pytest.fixture
def omni() -> Iterator[Omni]:
    """A real Omni."""
    omni = omni_settings()
    with omni.client:
        yield omni


def test_dbt_configuration(omni: Omni) -> None:
    """A connection without dbt gets a configuration and loses it again; one that has dbt is left alone."""
    if "sshUrl" in omni.get(f"/api/v1/connections/{omni.connection_id}/dbt"):
        pytest.skip("the connection has a dbt configuration, which is left alone")
    program = {
        "connectionId": omni.connection_id,
        "sshUrl": "git@github.com:omni-pulumi/test.git",
        "branch": "main",
        "autogenRelationships": True,
        "enableVirtualSchemas": False,
    }
    with removed_again(omni.stack):
        live(omni.stack, DbtConfigurationProvider(), program, {"branch": "develop"})


def test_dbt_environment(omni: Omni, unique: str) -> None:
    """An environment with variables lives its life; a variable that was changed behind the back is put right."""
    program = {
        "connectionId": omni.connection_id,
        "name": unique,
        "targetSchema": "omni_pulumi_test",
        "variables": {"A": "1", "B": "2"},
        "secretVariables": {"S": unique},
    }
    change = {"variables": {"A": "3", "C": "4"}, "targetRole": "tester"}
    provider = DbtEnvironmentProvider()
    with removed_again(omni.stack):
        live(omni.stack, provider, program, change)
        changed = {**program, **change}
        environment = omni.stack.resources["it"].outputs["environmentId"]
        path = f"/api/v1/connections/{omni.connection_id}/dbt/environments/{environment}"
        omni.put(path, {"name": unique, "targetSchema": "changed", "targetRole": "tester"})
        assert omni.stack.refresh("it")
        assert omni.stack.preview("it", provider, changed) == "update"
        assert omni.stack.up("it", provider, changed) == "update"
        assert omni.stack.preview("it", provider, changed) == "same"


def test_connection_environment(omni: Omni, unique: str) -> None:
    """A connection becomes an environment of another, and is none in the end."""
    environment = os.environ.get("OMNI_LIVE_ENVIRONMENT_CONNECTION_ID")
    if not environment:
        pytest.skip("set OMNI_LIVE_ENVIRONMENT_CONNECTION_ID to a connection that may become an environment")
    program = {
        "baseConnectionId": omni.connection_id,
        "environmentConnectionId": environment,
        "userAttributeValues": [unique],
    }
    with removed_again(omni.stack):
        live(omni.stack, ConnectionEnvironmentProvider(), program, {"userAttributeValues": [f"{unique}-2"]})


def test_lightdash_dbt_source(unique: str) -> None:
    """A source lives its life; a branch that was changed behind the back is put right."""
    stack, client, project = lightdash_settings()
    connection = {
        "type": "github",
        "repository": "omni-pulumi/test",
        "branch": "main",
        "projectSubPath": "/",
        "personalAccessToken": "github_pat_made_up",
    }
    name = unique.replace("-", "_")
    program = {"projectUuid": project, "name": name, "dbtConnection": connection}
    change = {"dbtConnection": {**connection, "branch": "develop", "environment": {"A": "1"}}}
    provider = LightdashDbtSourceProvider()
    with client, removed_again(stack):
        live(stack, provider, program, change)
        source = stack.resources["it"].outputs["sourceUuid"]
        path = f"/api/v1/projects/{project}/dbt-sources/{source}"
        theirs = client.get(path).raise_for_status().json()["results"]["dbtConnection"]
        client.patch(path, json={"dbtConnection": {**theirs, "branch": "hotfix"}}).raise_for_status()
        changed = {**program, **change}
        assert stack.refresh("it")
        assert stack.preview("it", provider, changed) == "update"
        assert stack.up("it", provider, changed) == "update"
        assert stack.preview("it", provider, changed) == "same"
