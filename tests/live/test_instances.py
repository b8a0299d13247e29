"""The life of each resource against a real Omni or Lightdash: made, quiet, changed, drifted, repaired, gone.

The instances are those of the environment variables, so a self-hosted Lightdash or the simulator will do as well.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from omni_pulumi.dynamic import Provider
from omni_pulumi.resources.connection_environment import ConnectionEnvironmentProvider
from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider
from omni_pulumi.resources.dbt_environment import DbtEnvironmentProvider
from omni_pulumi.resources.lightdash_dbt_source import LightdashDbtSourceProvider
from tests.live.settings import Lightdash, Omni
from tests.servicer import Stack


@dataclass(frozen=True)
class Life:
    """A resource that lives in a stack.

    Attributes:
        sees_drift: whether the service lets anybody read what it has.
    """

    stack: Stack
    provider: Provider[Any, Any, Any]
    sees_drift: bool = True

    def begin(self, program: dict[str, Any]) -> None:
        """Made, and quiet."""
        assert self.stack.up("it", self.provider, program) == "create"
        self.quiet(program)

    def change(self, program: dict[str, Any]) -> None:
        """Changed, and quiet."""
        assert self.stack.up("it", self.provider, program) == "update"
        self.quiet(program)

    def repair(self, program: dict[str, Any]) -> None:
        """The drift is seen, repaired, and quiet."""
        assert self.stack.refresh("it")
        if self.sees_drift:
            assert self.stack.preview("it", self.provider, program) == "update"
            self.change(program)

    def end(self) -> None:
        """Gone."""
        self.stack.destroy("it")

    def quiet(self, program: dict[str, Any]) -> None:
        """No change is reported, neither at once nor after a refresh."""
        assert self.stack.preview("it", self.provider, program) == "same"
        assert self.stack.refresh("it")
        assert self.stack.preview("it", self.provider, program) == "same"

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs in the state."""
        return self.stack.resources["it"].outputs


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
    """A program's dbt configuration, of a repository that nobody has."""
    return {
        "connectionId": omni.connection_id,
        "sshUrl": f"git@github.com:omni-pulumi/{unique}.git",
        "branch": "main",
        "autogenRelationships": True,
        "enableVirtualSchemas": False,
    }


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
    program = configuration(omni, unique)
    life = Life(omni.stack, DbtConfigurationProvider())
    with own_configuration_removed_again(omni, unique):
        life.begin(program)
        program = {**program, "branch": "develop"}
        life.change(program)
        theirs = {key: value for key, value in program.items() if key != "connectionId"}
        omni.others.send("PUT", omni.dbt, {**theirs, "branch": "hotfix"})
        life.repair(program)
        life.end()
        assert omni.configuration() is None


def test_dbt_environment(omni: Omni, unique: str) -> None:
    """An environment with variables lives its life; a connection without dbt gets a configuration for that time."""

    def leftovers() -> None:
        for environment in omni.environments(unique):
            omni.others.send("DELETE", f"{omni.dbt}/environments/{environment}")

    program = {
        "connectionId": omni.connection_id,
        "name": unique,
        "targetSchema": "omni_pulumi_test",
        "variables": {"A": "1", "B": "2"},
        "secretVariables": {"S": unique},
    }
    life = Life(omni.stack, DbtEnvironmentProvider())
    with own_configuration_removed_again(omni, unique), removed_again(omni.stack, leftovers):
        if omni.configuration() is None:
            omni.stack.up("dbt", DbtConfigurationProvider(), configuration(omni, unique))
        life.begin(program)
        program = {**program, "variables": {"A": "3", "C": "4"}, "targetRole": "tester"}
        life.change(program)
        path = f"{omni.dbt}/environments/{life.outputs['environmentId']}"
        omni.others.send("PUT", path, {"name": unique, "targetSchema": "changed", "targetRole": "tester"})
        life.repair(program)
        life.end()
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

    program: dict[str, Any] = {
        "baseConnectionId": omni.connection_id,
        "environmentConnectionId": environment,
        "userAttributeValues": [unique],
    }
    life = Life(omni.stack, ConnectionEnvironmentProvider(), sees_drift=existing is not None)
    with removed_again(omni.stack, leftovers):
        life.begin(program)
        program = {**program, "userAttributeValues": [f"{unique}-2"]}
        life.change(program)
        path = f"{collection}/{life.outputs['connectionEnvironmentId']}"
        value = f"{unique}-3"
        assert any(omni.others.accepts("PUT", path, {"userAttributeValues": form}) for form in (value, [value]))
        life.repair(program)
        life.end()
        assert not omni.connection_environments(environment)


def test_lightdash_dbt_source(lightdash: Lightdash, unique: str) -> None:
    """A source lives its life; a branch that somebody else has changed is put right."""

    def leftovers() -> None:
        for source in lightdash.sources(unique):
            lightdash.others.send("DELETE", f"{lightdash.dbt_sources}/{source}")

    connection = {
        "type": "github",
        "repository": "omni-pulumi/test",
        "branch": "main",
        "projectSubPath": "/",
        "personalAccessToken": "github_pat_made_up",
    }
    program = {"projectUuid": lightdash.project_uuid, "name": unique, "dbtConnection": connection}
    life = Life(lightdash.stack, LightdashDbtSourceProvider())
    with removed_again(lightdash.stack, leftovers):
        life.begin(program)
        program = {**program, "dbtConnection": {**connection, "branch": "develop", "environment": {"A": "1"}}}
        life.change(program)
        path = f"{lightdash.dbt_sources}/{life.outputs['sourceUuid']}"
        theirs = lightdash.others.get(path)["results"]["dbtConnection"]
        lightdash.others.send("PATCH", path, {"dbtConnection": {**theirs, "branch": "hotfix"}})
        life.repair(program)
        life.end()
        assert lightdash.sources(unique) == []
