"""Lost responses: the object is created once, is in the state, and has what the program declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from omni_pulumi.errors import AlreadyExistsError, PartlyCreatedError, ResponseLostError
from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider
from omni_pulumi.resources.dbt_environment import DbtEnvironmentProvider
from omni_pulumi.simulator import (
    CONNECTION_ID,
    PROJECT_ID,
    STAGING_CONNECTION_ID,
    LightdashSimulator,
    OmniSimulator,
    faults,
)
from tests.catalogue import SAMPLES, Sample, every_sample, every_sample_where
from tests.logged import warnings
from tests.resources.objects import objects
from tests.servicer import ProviderError, Stack

CONFIGURATION = SAMPLES["DbtConfiguration"].minimal
ENVIRONMENT = {
    **SAMPLES["DbtEnvironment"].minimal,
    "variables": {"A": "1"},
    "secretVariables": {"S": "made-up-secret"},
}
LOST_RESPONSES: dict[str, Any] = {
    "reset": lambda **request: faults.Reset(processed=True, **request),
    "closed": lambda **request: faults.Close(processed=True, **request),
    "gateway": lambda **request: faults.Status(504, processed=True, body="html", **request),
    "server error": lambda **request: faults.Status(500, processed=True, **request),
    "cut": lambda **request: faults.Cut(**request),
    "malformed": lambda **request: faults.Malformed(**request),
    "empty": lambda **request: faults.Empty(**request),
    "missing field": lambda **request: faults.Missing("results" if "sources" in request["path"] else "id", **request),
}
"""Faults that apply a request and lose its response."""

LATE_CREATES: dict[str, Callable[[OmniSimulator, LightdashSimulator], object]] = {
    "ConnectionEnvironment": lambda omni, _: omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID),
    "LightdashDbtSource": lambda _, lightdash: lightdash.add_source(
        PROJECT_ID, "finance", {"type": "github", "repository": "acme/dbt", "branch": "main", "project_sub_path": "/"}
    ),
}
"""Creates the object of a delayed request, where the service rejects a second object of the same name."""


def create_request(sample: Sample) -> dict[str, Any]:
    """Select the request that creates an object, for a fault.

    Omni rejects the first create of a connection environment, because the field types are those of the other dialect.
    """
    rejected = 1 if sample is SAMPLES["ConnectionEnvironment"] else 0
    return {"method": sample.create_method, "path": sample.create_path, "after": rejected}


@pytest.mark.parametrize("lost", LOST_RESPONSES)
@every_sample
def test_lost_response_of_applied_create(
    stack: Stack, omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator, sample: Sample, lost: str
) -> None:
    """After a lost response the object is found in the list, and is not created a second time.

    The next preview shows no change.
    """
    omni = omni_services["generated"]
    for service in (omni, lightdash):
        service.inject(LOST_RESPONSES[lost](**create_request(sample)))
    assert stack.up("it", sample.provider(), sample.complete) == "create"
    assert len(objects(omni, lightdash)) == 1
    assert stack.refresh("it")
    assert stack.preview("it", sample.provider(), sample.complete) == "same"


@every_sample
def test_lost_response_of_unapplied_create(
    stack: Stack, omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator, sample: Sample
) -> None:
    """When several reads do not find the object, the create is sent again."""
    omni = omni_services["generated"]
    for service in (omni, lightdash):
        service.inject(faults.Close(processed=False, **create_request(sample)))
    assert stack.up("it", sample.provider(), sample.complete) == "create"
    assert len(objects(omni, lightdash)) == 1


@every_sample_where(lambda sample: sample.create_method in {"POST", "PUT"})
def test_create_that_is_never_applied(
    stack: Stack, omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator, sample: Sample
) -> None:
    """The object is read after each lost response. When it never exists, the error says so by attribute and text."""
    omni = omni_services["generated"]
    for service in (omni, lightdash):
        service.inject(faults.Close(processed=False, times=None, **create_request(sample)))
    with pytest.raises(ProviderError) as caught:
        stack.up("it", sample.provider(), sample.complete)
    assert isinstance(caught.value.error, ResponseLostError)
    assert not caught.value.error.outcome_unknown
    assert "may have been applied" not in str(caught.value.error)
    assert objects(omni, lightdash) == []


@every_sample_where(lambda sample: sample.create_method == "POST")
def test_lost_response_and_failed_check(
    stack: Stack, omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator, sample: Sample
) -> None:
    """When the check after a lost response fails too, the object may exist without being in the state.

    The error names ``adopt=True``, which adopts the object.
    """
    omni = omni_services["generated"]
    for service in (omni, lightdash):
        service.inject(
            faults.Close(processed=True, **create_request(sample)),
            faults.Status(401, processed=False, method="GET", path=sample.create_path, after=1, times=None),
        )
    with pytest.raises(ProviderError) as lost:
        stack.up("it", sample.provider(), sample.complete)
    assert isinstance(lost.value.error, PartlyCreatedError)
    assert lost.value.error.outcome_unknown
    assert "adopt=True" in str(lost.value.error)
    omni.clear_faults()
    lightdash.clear_faults()
    with pytest.raises(ProviderError) as refused:
        stack.up("it", sample.provider(), sample.complete)
    assert isinstance(refused.value.error, AlreadyExistsError)
    assert "adopt=True" in str(refused.value.error)
    assert stack.up("it", sample.provider(), {**sample.complete, "adopt": True}) == "create"
    assert len(objects(omni, lightdash)) == 1


@pytest.mark.parametrize("fault", [faults.Reset, faults.Close])
@pytest.mark.parametrize("processed", [True, False])
def test_lost_response_of_update_with_variables(
    stack: Stack, omni_services: dict[str, OmniSimulator], fault: Any, *, processed: bool
) -> None:
    """After a lost response the update is built from another read.

    A new variable has no ID before the first request is applied, and needs its ID afterwards.
    """
    omni = omni_services["generated"]
    provider = DbtEnvironmentProvider()
    stack.up("it", provider, ENVIRONMENT)
    omni.inject(fault(processed=processed, method="PUT"))
    changed = {**ENVIRONMENT, "variables": {"B": "2"}}
    assert stack.up("it", provider, changed) == "update"
    (environment,) = omni.environments(CONNECTION_ID)
    assert sorted(variable["name"] for variable in environment["variables"]) == ["B", "S"]
    assert stack.preview("it", provider, changed) == "same"


def test_variable_is_deleted_during_an_update(stack: Stack, omni_services: dict[str, OmniSimulator]) -> None:
    """An `up` succeeds although a variable is deleted outside Pulumi between its read and its write.

    Omni rejects the write, because it has the ID of the deleted variable.
    """
    omni = omni_services["generated"]
    provider = DbtEnvironmentProvider()
    stack.up("it", provider, ENVIRONMENT)
    (environment,) = omni.environments(CONNECTION_ID)
    omni.inject(faults.Callback(lambda: omni.remove_variable(environment["id"], "A"), processed=False, method="PUT"))
    assert stack.up("it", provider, {**ENVIRONMENT, "targetSchema": "other"}) == "update"
    (environment,) = omni.environments(CONNECTION_ID)
    assert sorted(variable["name"] for variable in environment["variables"]) == ["A", "S"]


def test_lost_response_of_key_rotation(stack: Stack, omni_services: dict[str, OmniSimulator]) -> None:
    """A lost response to a key rotation is an error, and the rotation is not sent again.

    It succeeds when another changed field shows that the request was applied.
    """
    omni = omni_services["generated"]
    provider = DbtConfigurationProvider()
    program = {**CONFIGURATION, "rotateKeysTrigger": "one"}
    stack.up("it", provider, program)
    omni.inject(faults.Close(processed=True, method="PUT"))
    with pytest.raises(ProviderError) as caught:
        stack.up("it", provider, {**program, "rotateKeysTrigger": "two"})
    assert isinstance(caught.value.error, ResponseLostError)
    assert caught.value.error.outcome_unknown
    assert "rotate" in str(caught.value.error)
    assert omni.key_rotations == {CONNECTION_ID: 1}
    omni.inject(faults.Close(processed=True, method="PUT"))
    assert stack.up("it", provider, {**program, "rotateKeysTrigger": "two", "branch": "dev"}) == "update"
    assert omni.key_rotations == {CONNECTION_ID: 2}


@pytest.mark.parametrize("stale_reads", [1, 2, 3, 4])
def test_lost_response_after_stale_lists(
    stack: Stack, omni_services: dict[str, OmniSimulator], stale_reads: int
) -> None:
    """A default environment that stale lists lack is not mistaken for the created environment.

    The resource adopts the default environment, or creates another one and leaves the default one alone. Regression:
    the created environment was not in the state.
    """
    omni = omni_services["generated"]
    assert stack.up("dbt", DbtConfigurationProvider(), CONFIGURATION) == "create"
    omni.inject(
        faults.Stale(path="/dbt/environments$", times=stale_reads),
        faults.Reset(processed=True, method="POST", path="/dbt/environments$"),
    )
    program = {**ENVIRONMENT, "name": "Production", "adopt": True}
    assert stack.up("it", DbtEnvironmentProvider(), program) == "create"
    unmanaged = {e["id"] for e in omni.environments(CONNECTION_ID)} - {stack.resources["it"].outputs["environmentId"]}
    assert len(unmanaged) == (1 if stale_reads == 4 else 0)
    assert unmanaged <= {e["id"] for e in omni.environments(CONNECTION_ID) if e["is_default_environment"]}
    assert stack.refresh("it")
    assert stack.preview("it", DbtEnvironmentProvider(), program) == "same"


@pytest.mark.parametrize("name", LATE_CREATES)
def test_first_create_is_applied_late(
    stack: Stack, omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator, name: str
) -> None:
    """When the first create is applied late, the second one is rejected and the resource has the first one's object."""
    omni = omni_services["generated"]

    sample = SAMPLES[name]
    create = create_request(sample)
    for service in (omni, lightdash):
        service.inject(
            faults.Close(processed=False, **create),
            faults.Callback(lambda: LATE_CREATES[name](omni, lightdash), processed=False, **create),
        )
    assert stack.up("it", sample.provider(), sample.complete) == "create"
    assert len(objects(omni, lightdash)) == 1
    assert stack.refresh("it")


def test_duplicate_environment_is_created_late(
    stack: Stack, omni_services: dict[str, OmniSimulator], log: pytest.LogCaptureFixture
) -> None:
    """Omni accepts two environments of one name, so both creates can be applied.

    A warning names the environment of the request that was applied late.
    """
    omni = omni_services["generated"]
    late_ids: list[str] = []

    def apply_late() -> None:
        late_ids.append(omni.add_environment(CONNECTION_ID, name="Staging", target_schema="staging"))

    create = create_request(SAMPLES["DbtEnvironment"])
    omni.inject(faults.Close(processed=False, **create), faults.Callback(apply_late, processed=False, **create))
    assert stack.up("it", DbtEnvironmentProvider(), ENVIRONMENT) == "create"
    (warning,) = warnings(log)
    assert late_ids[0] in warning
    assert stack.resources["it"].outputs["environmentId"] not in late_ids
