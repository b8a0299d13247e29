"""What one resource of a program takes over from another one is not deleted with the other's name."""

from __future__ import annotations

from typing import Any

import pytest

from omni_pulumi.api.errors import PermissionDeniedError
from omni_pulumi.resources.dbt_environment import DbtEnvironmentProvider
from omni_pulumi.simulator import CONNECTION_ID, LightdashSimulator, OmniSimulator, faults
from tests.catalogue import SAMPLES, Sample, every_sample
from tests.logged import warnings
from tests.resources.objects import objects
from tests.servicer import ProviderError, Stack

ENVIRONMENT = SAMPLES["DbtEnvironment"].minimal


@pytest.mark.parametrize("interrupted", [False, True])
def test_another_object_of_the_name_is_deleted(
    stack: Stack, omni_services: dict[str, OmniSimulator], *, interrupted: bool
) -> None:
    """An environment that gets the name of one that is dropped is not the one that is dropped.

    Found by the stateful test: when the command ended between the two, the next one forgot what it was to delete.
    """
    omni = omni_services["generated"]
    program = {**ENVIRONMENT, "adopt": True}
    stack.up("a", DbtEnvironmentProvider(), {**program, "name": "A"})
    stack.up("b", DbtEnvironmentProvider(), {**program, "name": "B"})
    with stack.command():
        assert stack.up("a", DbtEnvironmentProvider(), {**program, "name": "B"}) == "update"
        if not interrupted:
            stack.destroy("b")
    if interrupted:
        with stack.command():
            assert stack.up("a", DbtEnvironmentProvider(), {**program, "name": "B"}) == "same"
            stack.destroy("b")
    assert [each["id"] for each in omni.environments(CONNECTION_ID)] == [stack.resources["a"].outputs["environmentId"]]


def test_a_replacement_that_takes_over_another_object(stack: Stack, omni_services: dict[str, OmniSimulator]) -> None:
    """The engine may replace what only changes, as `replacement_trigger` wants it: what the resource had is deleted."""
    omni = omni_services["generated"]
    program: dict[str, Any] = {**ENVIRONMENT, "adopt": True}
    stack.up("it", DbtEnvironmentProvider(), program)
    before = stack.resources["it"].outputs["environmentId"]
    omni.edit_environment(before, name="Renamed in the web page")
    other = omni.add_environment(CONNECTION_ID, name=program["name"], target_schema="of others")
    with stack.command():
        stack.replace("it", DbtEnvironmentProvider(), program)
    assert [each["id"] for each in omni.environments(CONNECTION_ID)] == [other]


def test_what_could_not_be_taken_over_is_kept(stack: Stack, omni_services: dict[str, OmniSimulator]) -> None:
    """While the new resource fails, the old one stays, in the service and in the state, also if the engine goes on.

    Found by the stateful test: it was forgotten, and of two of the name the next command took over the other one.
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


def test_what_nobody_takes_over_is_deleted(stack: Stack, omni_services: dict[str, OmniSimulator]) -> None:
    """A refresh in the same command, in which the engine compares as well, keeps nothing that the program dropped."""
    stack.up("it", DbtEnvironmentProvider(), {**ENVIRONMENT, "adopt": True})
    with stack.command():
        assert stack.refresh("it")
        stack.destroy("it")
    assert omni_services["generated"].environments(CONNECTION_ID) == []


@pytest.mark.parametrize("interrupted", [False, True])
@every_sample
def test_another_name_in_the_program(
    stack: Stack,
    omni_services: dict[str, OmniSimulator],
    lightdash: LightdashSimulator,
    log: pytest.LogCaptureFixture,
    sample: Sample,
    *,
    interrupted: bool,
) -> None:
    """The engine makes the new name's before it deletes the old name's: with ``adopt`` both are the same object.

    So they are when the command ended between the two, and the next one deletes.
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
    assert stack.resources["new"].id in warning
    assert objects(omni, lightdash)
    assert stack.refresh("new")
    assert stack.preview("new", sample.provider(), program) == "same"
    with stack.command():
        stack.destroy("new")
    assert not objects(omni, lightdash)
