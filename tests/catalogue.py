"""Sample programs of each resource. Tests with `@every_sample` run once for each resource.

`tests/test_conformance.py` fails for a resource without a sample.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from omni_pulumi.dynamic.provider import Provider
from omni_pulumi.resources.connection_environment import ConnectionEnvironmentProvider
from omni_pulumi.resources.connection_environment_attribute import ConnectionEnvironmentAttributeProvider
from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider
from omni_pulumi.resources.dbt_environment import DbtEnvironmentProvider
from omni_pulumi.resources.lightdash_dbt_source import LightdashDbtSourceProvider
from omni_pulumi.settings import Service
from omni_pulumi.simulator import CONNECTION_ID, OTHER_USER_ID, PROJECT_ID, STAGING_CONNECTION_ID, USER_ID


@dataclass(frozen=True, eq=False)
class Sample:
    """A resource and two programs that declare it, in camelCase, as the engine sends properties.

    The programs refer to objects of the simulator, so they can be checked, diffed and created.

    Attributes:
        type_token: the type of the resource in users' states. It must never change.
        provider: the class of the provider.
        minimal: the required arguments, and no others.
        complete: all arguments except `adopt` and `profile`, which all resources share.
        changes: another value of each argument that an update can change, by property path.
        local: arguments that no request contains.
        write_only: property paths that the service never returns.
        id_key: the output that has the ID of the object in its service.
        create_path: a regular expression for the path of the request that creates the object.
        create_method: the method of that request. The transport retries a `PUT` after a lost response, and no `POST`.
        delete_method: the method of the request that deletes the object.
    """

    type_token: str
    provider: type[Provider[Any, Any, Any]]
    minimal: Mapping[str, Any]
    complete: Mapping[str, Any]
    changes: Mapping[str, Any]
    id_key: str
    create_path: str
    local: Collection[str] = ()
    write_only: Collection[str] = ()
    create_method: str = "POST"
    delete_method: str = "DELETE"

    @property
    def name(self) -> str:
        """The name of the resource's class."""
        return self.provider.__name__.removesuffix("Provider")

    @property
    def service(self) -> Service:
        """The service that has the object."""
        return self.provider.lifecycle.service


_DBT_CONFIGURATION = {
    "connectionId": CONNECTION_ID,
    "sshUrl": "git@github.com:acme/dbt.git",
    "branch": "main",
    "autogenRelationships": True,
    "enableVirtualSchemas": False,
}
_DBT_ENVIRONMENT = {
    "connectionId": CONNECTION_ID,
    "name": "Staging",
    "targetSchema": "analytics_staging",
}
_CONNECTION_ENVIRONMENT = {
    "baseConnectionId": CONNECTION_ID,
    "environmentConnectionId": STAGING_CONNECTION_ID,
}
_CONNECTION_ENVIRONMENT_ATTRIBUTE = {"connectionId": STAGING_CONNECTION_ID, "attributeName": "environment"}
_GITHUB_CONNECTION = {
    "type": "github",
    "repository": "acme/dbt",
    "branch": "main",
    "projectSubPath": "/",
    "personalAccessToken": "made-up-token",
}
_LIGHTDASH_DBT_SOURCE = {
    "projectUuid": PROJECT_ID,
    "name": "finance",
    "dbtConnection": _GITHUB_CONNECTION,
}

_ALL = (
    Sample(
        type_token="pulumi-python:dynamic/omni:DbtConfiguration",
        provider=DbtConfigurationProvider,
        minimal=_DBT_CONFIGURATION,
        complete={
            **_DBT_CONFIGURATION,
            "enableSemanticLayer": True,
            "dbtVersion": "1.11",
            "projectRootPath": "analytics/dbt",
            "rotateKeysTrigger": "1",
        },
        changes={
            "sshUrl": "git@github.com:acme/other.git",
            "branch": "dev",
            "autogenRelationships": False,
            "enableVirtualSchemas": True,
            "enableSemanticLayer": False,
            "dbtVersion": "1.10",
            "projectRootPath": "other/dbt",
        },
        id_key="connectionId",
        create_path="/dbt$",
        local=["rotateKeysTrigger"],
        create_method="PUT",
    ),
    Sample(
        type_token="pulumi-python:dynamic/omni:DbtEnvironment",
        provider=DbtEnvironmentProvider,
        minimal=_DBT_ENVIRONMENT,
        complete={
            **_DBT_ENVIRONMENT,
            "targetDatabase": "warehouse",
            "targetName": "staging",
            "targetRole": "transformer",
            "ownerId": USER_ID,
            "variables": {"A": "1", "B": "2"},
            "secretVariables": {"S": "made-up-secret"},
            "unmanagedVariables": ["TEAM_*"],
            "secretsTrigger": "1",
        },
        changes={
            "name": "Testing",
            "targetSchema": "analytics_testing",
            "targetDatabase": "lake",
            "targetName": "testing",
            "targetRole": "tester",
            "ownerId": OTHER_USER_ID,
            "variables.A": "3",
            "secretVariables.S": "another-secret",
        },
        id_key="environmentId",
        create_path="/dbt/environments$",
        local=["unmanagedVariables", "secretsTrigger"],
        write_only=["secretVariables.S"],
    ),
    Sample(
        type_token="pulumi-python:dynamic/omni:ConnectionEnvironment",
        provider=ConnectionEnvironmentProvider,
        minimal=_CONNECTION_ENVIRONMENT,
        complete={**_CONNECTION_ENVIRONMENT, "userAttributeValues": ["qa", "staging"]},
        changes={"userAttributeValues": ["dev"]},
        id_key="connectionEnvironmentId",
        create_path="/connection-environments$",
    ),
    Sample(
        type_token="pulumi-python:dynamic/omni:ConnectionEnvironmentAttribute",
        provider=ConnectionEnvironmentAttributeProvider,
        minimal=_CONNECTION_ENVIRONMENT_ATTRIBUTE,
        complete={**_CONNECTION_ENVIRONMENT_ATTRIBUTE, "defaultValues": ["production"]},
        changes={"attributeName": "region", "defaultValues": ["main"]},
        id_key="connectionId",
        create_path="/connections/[^/]+$",
        create_method="PATCH",
        delete_method="PATCH",
    ),
    Sample(
        type_token="pulumi-python:dynamic/lightdash:LightdashDbtSource",
        provider=LightdashDbtSourceProvider,
        minimal=_LIGHTDASH_DBT_SOURCE,
        complete={
            **_LIGHTDASH_DBT_SOURCE,
            "dbtConnection": {
                **_GITHUB_CONNECTION,
                "target": "prod",
                "selector": "tag:finance",
                "environment": {"A": "1", "B": "2"},
                "hostDomain": "github.acme.com",
            },
            "secretsTrigger": "1",
        },
        changes={
            "name": "marketing",
            "dbtConnection.repository": "acme/other",
            "dbtConnection.branch": "dev",
            "dbtConnection.projectSubPath": "/dbt",
            "dbtConnection.personalAccessToken": "another-token",
            "dbtConnection.target": "dev",
            "dbtConnection.selector": "tag:marketing",
            "dbtConnection.environment.A": "3",
            "dbtConnection.hostDomain": "git.acme.com",
        },
        id_key="sourceUuid",
        create_path="/dbt-sources$",
        local=["secretsTrigger"],
        write_only=["dbtConnection.personalAccessToken", "dbtConnection.environment.A"],
    ),
)

SAMPLES: Mapping[str, Sample] = {sample.name: sample for sample in _ALL}
"""The samples by the name of the resource's class."""


def every_sample_where(condition: Callable[[Sample], bool]) -> pytest.MarkDecorator:
    """Runs a test once for each resource that meets a condition."""
    samples = {name: sample for name, sample in SAMPLES.items() if condition(sample)}
    return pytest.mark.parametrize("sample", samples.values(), ids=samples)


every_sample = every_sample_where(lambda _: True)
"""Runs a test once for each resource."""
