"""A 404 alone does not prove that an object is gone: it, or its parent, is looked at before a delete counts as done."""

from __future__ import annotations

from typing import Any

import pytest

from omni_pulumi.dynamic import Provider
from omni_pulumi.resources.connection_environment import ConnectionEnvironmentProvider
from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider
from omni_pulumi.resources.dbt_environment import DbtEnvironmentProvider
from omni_pulumi.resources.lightdash_dbt_source import LightdashDbtSourceProvider
from omni_pulumi.simulator import (
    CONNECTION_ID,
    PROJECT_ID,
    STAGING_CONNECTION_ID,
    LightdashSimulator,
    OmniSimulator,
    faults,
)
from tests.servicer import ProviderError, Stack

PROGRAMS: dict[str, tuple[type[Provider[Any, Any, Any]], dict[str, Any]]] = {
    "configuration": (
        DbtConfigurationProvider,
        {
            "connectionId": CONNECTION_ID,
            "sshUrl": "git@x:y.git",
            "branch": "main",
            "autogenRelationships": True,
            "enableVirtualSchemas": False,
        },
    ),
    "environment": (
        DbtEnvironmentProvider,
        {"connectionId": CONNECTION_ID, "name": "Staging", "targetSchema": "staging"},
    ),
    "connection environment": (
        ConnectionEnvironmentProvider,
        {"baseConnectionId": CONNECTION_ID, "environmentConnectionId": STAGING_CONNECTION_ID},
    ),
    "source": (
        LightdashDbtSourceProvider,
        {
            "projectUuid": PROJECT_ID,
            "name": "finance",
            "dbtConnection": {
                "type": "github",
                "repository": "acme/dbt",
                "branch": "main",
                "projectSubPath": "/",
                "installationId": "7",
            },
        },
    ),
}


@pytest.fixture
def stack(omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator) -> Stack:
    """A stack for both services, empty, Omni's with a list of connection environments."""
    omni = omni_services["generated"]
    omni.reset()
    return Stack(
        {
            "omni:baseUrl": omni.url,
            "omni:apiKey": omni.api_key,
            "omni:requestsPerMinute": "1000000",
            "lightdash:url": lightdash.url,
            "lightdash:apiKey": lightdash.api_key,
        }
    )


def exist(omni: OmniSimulator, lightdash: LightdashSimulator) -> bool:
    """Whether there is anything that the stack made."""
    return bool(
        omni.dbt_configuration(CONNECTION_ID)
        or [e for e in omni.environments(CONNECTION_ID) if not e["is_default_environment"]]
        or omni.connection_environments()
        or lightdash.sources(PROJECT_ID)
    )


@pytest.mark.parametrize(
    ("name", "unknown"),
    [
        *((name, ["DELETE"]) for name in PROGRAMS),
        *((name, ["DELETE", "GET"]) for name in PROGRAMS if name != "connection environment"),  # it has no parent
    ],
)
def test_a_delete_that_is_answered_404_is_looked_at(
    stack: Stack, omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator, name: str, unknown: list[str]
) -> None:
    """While the object is there, or nobody can tell, it stays in the state, and the next destroy removes it.

    Found by the random lives: the check was there, and its error was swallowed.
    """
    omni = omni_services["generated"]
    kind, program = PROGRAMS[name]
    stack.up("it", kind(), program)
    for service in (omni, lightdash):
        service.inject(*(faults.Status(404, method=method, processed=False) for method in unknown))
    with pytest.raises(ProviderError, match=r"404 Not Found"):
        stack.destroy("it")
    assert "it" in stack.resources
    assert exist(omni, lightdash)
    for service in (omni, lightdash):
        service.clear_faults()
    stack.destroy("it")
    assert not exist(omni, lightdash)
