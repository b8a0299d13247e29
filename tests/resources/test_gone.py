"""A 404 alone does not prove that an object is gone: it, or its parent, is looked at before a delete counts as done."""

from __future__ import annotations

from typing import Any

import pytest

from omni_pulumi.api.errors import NotFoundError
from omni_pulumi.dynamic import Provider
from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider
from omni_pulumi.simulator import CONNECTION_ID, LightdashSimulator, OmniSimulator, faults
from tests.resources.test_lost_answers import CONFIGURATION, CREATES, made
from tests.servicer import ProviderError, Stack

PROGRAMS: dict[str, tuple[type[Provider[Any, Any, Any]], dict[str, Any]]] = {
    "configuration": (DbtConfigurationProvider, CONFIGURATION),
    **{name: (kind, program) for name, (kind, program, _) in CREATES.items()},
}


def exist(omni: OmniSimulator, lightdash: LightdashSimulator) -> bool:
    """Whether there is anything that the stack made; the default environment is Omni's."""
    default = [each for each in omni.environments(CONNECTION_ID) if each["is_default_environment"]]
    return omni.dbt_configuration(CONNECTION_ID) is not None or made(omni, lightdash) > len(default)


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
    with pytest.raises(ProviderError) as caught:
        stack.destroy("it")
    assert isinstance(caught.value.error, NotFoundError)
    assert caught.value.error.status == 404
    assert "it" in stack.resources
    assert exist(omni, lightdash)
    for service in (omni, lightdash):
        service.clear_faults()
    stack.destroy("it")
    assert not exist(omni, lightdash)


@pytest.mark.parametrize("behind", [1, 2])
@pytest.mark.parametrize("name", ["configuration", "environment", "connection environment"])
def test_a_read_that_is_behind_is_repeated(
    stack: Stack, omni_services: dict[str, OmniSimulator], name: str, behind: int
) -> None:
    """What a refresh does not see once or twice stays in the state.

    Found by the random lives: one "not configured" from before the configuration was written made it nobody's.
    """
    kind, program = PROGRAMS[name]
    stack.up("it", kind(), program)
    omni_services["generated"].inject(faults.Stale(path="/api/", times=behind))
    assert stack.refresh("it")
