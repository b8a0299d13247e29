"""A create or an update whose answer gets lost: made once, in the state, and as declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from omni_pulumi.api.errors import AlreadyExistsError, PartlyCreatedError, ResponseLostError
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
LOST: dict[str, Any] = {
    "reset": lambda **of: faults.Reset(processed=True, **of),
    "closed": lambda **of: faults.Close(processed=True, **of),
    "gateway": lambda **of: faults.Status(504, processed=True, body="html", **of),
    "crash": lambda **of: faults.Status(500, processed=True, **of),
    "cut": lambda **of: faults.Cut(**of),
    "malformed": lambda **of: faults.Malformed(**of),
    "empty": lambda **of: faults.Empty(**of),
    "another shape": lambda **of: faults.Missing("results" if "sources" in of["path"] else "id", **of),
}
LATE: dict[str, Callable[[OmniSimulator, LightdashSimulator], object]] = {
    "ConnectionEnvironment": lambda omni, _: omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID),
    "LightdashDbtSource": lambda _, lightdash: lightdash.add_source(
        PROJECT_ID, "finance", {"type": "github", "repository": "acme/dbt", "branch": "main", "project_sub_path": "/"}
    ),
}
"""What a lost request creates later, of the resources whose service refuses a second object of the same name."""


def creates(sample: Sample) -> dict[str, Any]:
    """The request that creates. Omni refuses the first one for a connection environment because of its form."""
    refused = 1 if sample is SAMPLES["ConnectionEnvironment"] else 0
    return {"method": sample.create_method, "path": sample.create_path, "after": refused}


@pytest.mark.parametrize("lost", LOST)
@every_sample
def test_a_create_that_was_carried_out_is_found(
    stack: Stack, omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator, sample: Sample, lost: str
) -> None:
    """The object is looked up and taken, not made again, and the next preview is clean."""
    omni = omni_services["generated"]
    for service in (omni, lightdash):
        service.inject(LOST[lost](**creates(sample)))
    assert stack.up("it", sample.provider(), sample.complete) == "create"
    assert len(objects(omni, lightdash)) == 1
    assert stack.refresh("it")
    assert stack.preview("it", sample.provider(), sample.complete) == "same"


@every_sample
def test_a_create_that_was_not_carried_out_is_tried_again(
    stack: Stack, omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator, sample: Sample
) -> None:
    """When a few looks show nothing, the request is sent once more."""
    omni = omni_services["generated"]
    for service in (omni, lightdash):
        service.inject(faults.Close(processed=False, **creates(sample)))
    assert stack.up("it", sample.provider(), sample.complete) == "create"
    assert len(objects(omni, lightdash)) == 1


@every_sample_where(lambda sample: sample.create_method == "POST")
def test_a_create_that_is_never_carried_out_has_a_known_outcome(
    stack: Stack, omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator, sample: Sample
) -> None:
    """The list is read after each lost answer: when it never shows the object, the error says that there is none."""
    omni = omni_services["generated"]
    for service in (omni, lightdash):
        service.inject(faults.Close(processed=False, times=None, **creates(sample)))
    with pytest.raises(ProviderError) as caught:
        stack.up("it", sample.provider(), sample.complete)
    assert isinstance(caught.value.error, ResponseLostError)
    assert not caught.value.error.outcome_unknown
    assert objects(omni, lightdash) == []


@every_sample_where(lambda sample: sample.create_method == "POST")
def test_when_looking_fails_too_the_error_says_how_to_go_on(
    stack: Stack, omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator, sample: Sample
) -> None:
    """The object may be there and is not in the state: the error names ``adopt=True``, with which all ends well."""
    omni = omni_services["generated"]
    for service in (omni, lightdash):
        service.inject(
            faults.Close(processed=True, **creates(sample)),
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
def test_an_update_of_variables_is_made_anew(
    stack: Stack, omni_services: dict[str, OmniSimulator], fault: Any, *, processed: bool
) -> None:
    """A new variable has no ID until the lost request was carried out: the next one uses what Omni has then."""
    omni = omni_services["generated"]
    provider = DbtEnvironmentProvider()
    stack.up("it", provider, ENVIRONMENT)
    omni.inject(fault(processed=processed, method="PUT"))
    changed = {**ENVIRONMENT, "variables": {"B": "2"}}
    assert stack.up("it", provider, changed) == "update"
    (environment,) = omni.environments(CONNECTION_ID)
    assert sorted(variable["name"] for variable in environment["variables"]) == ["B", "S"]
    assert stack.preview("it", provider, changed) == "same"


def test_a_variable_that_goes_meanwhile_is_no_obstacle(stack: Stack, omni_services: dict[str, OmniSimulator]) -> None:
    """Somebody removes a variable between our look and our request, which Omni refuses for its ID: one run copes."""
    omni = omni_services["generated"]
    provider = DbtEnvironmentProvider()
    stack.up("it", provider, ENVIRONMENT)
    (environment,) = omni.environments(CONNECTION_ID)
    omni.inject(faults.Callback(lambda: omni.remove_variable(environment["id"], "A"), processed=False, method="PUT"))
    assert stack.up("it", provider, {**ENVIRONMENT, "targetSchema": "other"}) == "update"
    (environment,) = omni.environments(CONNECTION_ID)
    assert sorted(variable["name"] for variable in environment["variables"]) == ["A", "S"]


def test_a_rotation_is_not_sent_twice(stack: Stack, omni_services: dict[str, OmniSimulator]) -> None:
    """Whether a lost request rotated the keys cannot be seen unless it changed something else too: an error says so."""
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


@pytest.mark.parametrize("behind", [1, 2, 3, 4])
def test_a_lost_answer_after_a_list_that_was_behind(
    stack: Stack, omni_services: dict[str, OmniSimulator], behind: int
) -> None:
    """The default environment, which the list did not show, is taken over or left alone, never taken for the new one.

    Found by the stateful test: the one that was made had no owner afterwards.
    """
    omni = omni_services["generated"]
    assert stack.up("dbt", DbtConfigurationProvider(), CONFIGURATION) == "create"
    omni.inject(
        faults.Stale(path="/dbt/environments$", times=behind),
        faults.Reset(processed=True, method="POST", path="/dbt/environments$"),
    )
    program = {**ENVIRONMENT, "name": "Production", "adopt": True}
    assert stack.up("it", DbtEnvironmentProvider(), program) == "create"
    unmanaged = {e["id"] for e in omni.environments(CONNECTION_ID)} - {stack.resources["it"].outputs["environmentId"]}
    assert len(unmanaged) == (1 if behind == 4 else 0)
    assert unmanaged <= {e["id"] for e in omni.environments(CONNECTION_ID) if e["is_default_environment"]}
    assert stack.refresh("it")
    assert stack.preview("it", DbtEnvironmentProvider(), program) == "same"


@pytest.mark.parametrize("name", LATE)
def test_a_first_request_that_is_carried_out_late_is_found(
    stack: Stack, omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator, name: str
) -> None:
    """The second one is refused for what the first one has made after all: that is ours."""
    omni = omni_services["generated"]

    sample = SAMPLES[name]
    create = creates(sample)
    for service in (omni, lightdash):
        service.inject(
            faults.Close(processed=False, **create),
            faults.Callback(lambda: LATE[name](omni, lightdash), processed=False, **create),
        )
    assert stack.up("it", sample.provider(), sample.complete) == "create"
    assert len(objects(omni, lightdash)) == 1
    assert stack.refresh("it")


def test_an_environment_that_is_made_late_is_told(
    stack: Stack, omni_services: dict[str, OmniSimulator], log: pytest.LogCaptureFixture
) -> None:
    """Omni takes a name twice, so what a request without an answer made after all is named in a warning."""
    omni = omni_services["generated"]
    late: list[str] = []

    def arrive() -> None:
        late.append(omni.add_environment(CONNECTION_ID, name="Staging", target_schema="staging"))

    create = creates(SAMPLES["DbtEnvironment"])
    omni.inject(faults.Close(processed=False, **create), faults.Callback(arrive, processed=False, **create))
    assert stack.up("it", DbtEnvironmentProvider(), ENVIRONMENT) == "create"
    (warning,) = warnings(log)
    assert late[0] in warning
    assert stack.resources["it"].outputs["environmentId"] not in late
