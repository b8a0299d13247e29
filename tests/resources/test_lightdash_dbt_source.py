"""An additional dbt source of a Lightdash project, through Pulumi's servicer against a local Lightdash."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from omni_pulumi.api.errors import (
    AlreadyExistsError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    UnexpectedResponseError,
)
from omni_pulumi.api.lightdash.client import LightdashClient
from omni_pulumi.api.lightdash.models import DbtSource
from omni_pulumi.resources.lightdash_dbt_source import LightdashDbtSourceProvider
from omni_pulumi.simulator import LightdashSimulator, faults
from tests.catalogue import SAMPLES
from tests.harness import ResourceHarness
from tests.logged import warnings
from tests.servicer import ProviderError, Refusal, Stack, claim_nothing

TOKEN = 'ghp_"quoted"\\and-secret'
"""A made-up token that looks different inside of JSON."""

CONNECTION = {**SAMPLES["LightdashDbtSource"].minimal["dbtConnection"], "personalAccessToken": TOKEN}
WIRE = {
    "type": "github",
    "authorization_method": "personal_access_token",
    "repository": "acme/dbt",
    "branch": "main",
    "project_sub_path": "/",
    "personal_access_token": TOKEN,
}
OTHER_VALUES: dict[str, tuple[Any, dict[str, Any]]] = {
    "repository": ("acme/other", {"repository": "acme/other"}),
    "branch": ("dev", {"branch": "dev"}),
    "projectSubPath": ("/analytics", {"project_sub_path": "/analytics"}),
    "target": ("prod", {"target": "prod"}),
    "selector": ("tag:finance", {"selector": "tag:finance"}),
    "hostDomain": ("github.acme.com", {"host_domain": "github.acme.com"}),
    "environment": ({"A": "1", "B": "2"}, {"environment": [{"key": "A", "value": "1"}, {"key": "B", "value": "2"}]}),
}
"""Another value of each field of the connection: in a program, and in Lightdash's own form."""


@pytest.fixture
def harness(lightdash_stack: Stack) -> ResourceHarness:
    program = {**SAMPLES["LightdashDbtSource"].minimal, "dbtConnection": CONNECTION}
    return ResourceHarness(lightdash_stack, LightdashDbtSourceProvider(), program)


def connection(**changes: Any) -> dict[str, Any]:
    """A change of the program's connection; a change to ``None`` leaves the property out."""
    return {"dbtConnection": {name: value for name, value in {**CONNECTION, **changes}.items() if value is not None}}


def source(lightdash: LightdashSimulator, name: str = "finance") -> dict[str, Any]:
    (found,) = [each for each in lightdash.sources(lightdash.project_id) if each["name"] == name]
    return found


def bodies(lightdash: LightdashSimulator, method: str) -> list[Any]:
    return [request.body for request in lightdash.requests if request.method == method]


def test_creates_what_the_program_says(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A create writes the connection with the method that follows from its token, and nothing is left to change."""
    assert harness.preview() == "create"
    assert harness.up() == "create"
    created = source(lightdash)
    assert created["connection"] == WIRE
    assert harness.id == f"{lightdash.project_id}/{created['id']}"
    assert harness.outputs["sourceUuid"] == created["id"]
    assert harness.outputs["precedence"] == 1
    harness.assert_settled()


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_updates_each_field_of_the_connection(
    lightdash: LightdashSimulator, harness: ResourceHarness, name: str
) -> None:
    """A new value arrives with the whole connection, token included, and dropping it again is an update too."""
    value, wire = OTHER_VALUES[name]
    harness.up()
    assert harness.preview(**connection(**{name: value})) == "update"
    assert harness.up(**connection(**{name: value})) == "update"
    assert bodies(lightdash, "PATCH") == [{"name": "finance", "dbtConnection": {**WIRE, **wire}}]
    assert source(lightdash)["connection"] == {**WIRE, **wire}
    harness.assert_settled(**connection(**{name: value}))
    assert harness.up() == "update"
    assert source(lightdash)["connection"] == WIRE


def test_updates_the_name(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A source is renamed in place."""
    harness.up()
    assert harness.up(name="money") == "update"
    assert source(lightdash, "money")["connection"] == WIRE
    harness.assert_settled(name="money")


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_finds_and_repairs_drift_of_the_connection(
    lightdash: LightdashSimulator, harness: ResourceHarness, name: str
) -> None:
    """A field that somebody changed in the web page is seen by a refresh and set back by the next up."""
    harness.up()
    lightdash.edit_source(source(lightdash)["id"], connection=OTHER_VALUES[name][1])
    harness.assert_drifted_and_repaired()
    assert source(lightdash)["connection"] == WIRE


@pytest.mark.parametrize("name", ["target", "selector", "hostDomain", "environment"])
def test_finds_and_repairs_what_others_removed(
    lightdash: LightdashSimulator, harness: ResourceHarness, name: str
) -> None:
    """An optional field that somebody removed in the web page is seen by a refresh and set again."""
    value, wire = OTHER_VALUES[name]
    harness.up(**connection(**{name: value}))
    lightdash.edit_source(source(lightdash)["id"], connection=WIRE)
    harness.assert_drifted_and_repaired(**connection(**{name: value}))
    assert source(lightdash)["connection"] == {**WIRE, **wire}


def test_finds_and_repairs_another_name(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A source that somebody renamed gets its name back."""
    harness.up()
    lightdash.edit_source(source(lightdash)["id"], name="money")
    harness.assert_drifted_and_repaired()
    assert source(lightdash)["name"] == "finance"


@pytest.mark.parametrize(
    "theirs",
    [
        pytest.param({"type": "none"}, id="type"),
        pytest.param({"authorization_method": "installation_id", "installation_id": "42"}, id="authorization method"),
    ],
)
def test_finds_and_repairs_another_kind_of_connection(
    lightdash: LightdashSimulator, harness: ResourceHarness, theirs: dict[str, str]
) -> None:
    """A connection that somebody replaced by one of another kind is written again, with its token."""
    harness.up()
    lightdash.edit_source(source(lightdash)["id"], connection=theirs)
    harness.assert_drifted_and_repaired()
    assert source(lightdash)["connection"] == WIRE


def test_a_new_token_is_written(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """Another token in the program replaces the stored one."""
    harness.up()
    change = connection(personalAccessToken="ghp_new")
    assert harness.preview(**change) == "update"
    harness.up(**change)
    assert source(lightdash)["connection"]["personal_access_token"] == "ghp_new"
    harness.assert_settled(**change)


def test_a_token_of_others_cannot_be_seen(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """Lightdash returns no token: another one is no drift, and the state keeps the program's."""
    harness.up()
    lightdash.edit_source(source(lightdash)["id"], connection={"personal_access_token": "ghp_theirs"})
    harness.assert_settled()
    assert harness.outputs["dbtConnection"]["personalAccessToken"] == TOKEN
    assert harness.inputs["dbtConnection"]["personalAccessToken"] == TOKEN


def test_a_dropped_token_stays_with_a_warning(
    lightdash: LightdashSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """An update cannot remove a token, so the preview says that it stays and how to be rid of it."""
    harness.up()
    change = connection(personalAccessToken=None, installationId="42")
    assert harness.preview(**change) == "update"
    (warning,) = warnings(log)
    assert '"finance"' in warning
    assert "personalAccessToken" in warning
    assert TOKEN not in log.text
    harness.up(**change)
    assert source(lightdash)["connection"]["authorization_method"] == "installation_id"
    log.clear()
    harness.assert_settled(**change)
    assert log.messages == []


def test_another_token_is_no_dropped_one(harness: ResourceHarness, log: pytest.LogCaptureFixture) -> None:
    """A replaced token needs no warning."""
    harness.up()
    harness.preview(**connection(personalAccessToken="ghp_new"))
    assert warnings(log) == []


def test_deleted_elsewhere_is_gone(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A source that was deleted in the web page is gone, and the next up makes it anew."""
    harness.up()
    lightdash.delete_source(source(lightdash)["id"])
    assert not harness.refresh()
    assert harness.up() == "create"
    harness.assert_settled()


def test_a_missing_project_is_an_error(harness: ResourceHarness) -> None:
    """A 404 of the project says nothing about the source, so the resource stays in the state."""
    harness.up()
    harness.outputs["projectUuid"] = "3f6d1c58-92ab-4e07-8c41-d0b7e5a9f999"
    with pytest.raises(ProviderError) as caught:
        harness.refresh()
    assert isinstance(caught.value.error, NotFoundError)
    assert "3f6d1c58-92ab-4e07-8c41-d0b7e5a9f999" in caught.value.error.operation
    assert harness.id


def test_update_makes_a_deleted_one_anew(
    lightdash: LightdashSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """An update of a source that was deleted meanwhile makes it anew in the same run, and says so."""
    harness.up()
    lightdash.delete_source(source(lightdash)["id"])
    assert harness.up(**connection(branch="dev")) == "update"
    (warning,) = warnings(log)
    assert '"finance"' in warning
    assert source(lightdash)["connection"]["branch"] == "dev"
    harness.assert_settled(**connection(branch="dev"))


def test_destroys(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A destroy deletes the source and leaves the others."""
    lightdash.add_source(lightdash.project_id, "theirs", WIRE)
    harness.up()
    harness.destroy()
    assert [each["name"] for each in lightdash.sources(lightdash.project_id)] == ["theirs"]


def test_destroys_what_is_gone_already(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A destroy of a source that was deleted meanwhile succeeds."""
    harness.up()
    lightdash.delete_source(source(lightdash)["id"])
    harness.destroy()


@pytest.mark.parametrize("name", ["results", "projectDbtSourceUuid", "name", "dbtConnection", "type", "key", "value"])
def test_an_answer_of_another_shape_is_named(
    lightdash: LightdashSimulator, harness: ResourceHarness, name: str
) -> None:
    """A read that lacks a field keeps the state, with an error that names the field.

    Found by the stateful test: a variable without a value ended in a traceback.
    """
    program = connection(environment={"A": "1"})
    harness.up(**program)
    lightdash.inject(faults.Missing(name, method="GET", path="/dbt-sources/"))
    with pytest.raises(ProviderError) as caught:
        harness.refresh()
    error = caught.value.error
    assert isinstance(error, UnexpectedResponseError)
    assert [field.rpartition(".")[2] for field in error.fields] == [name]
    assert (error.resource_id, error.outcome_unknown) == (source(lightdash)["id"], False)
    assert error.fields[0] in str(error)
    harness.assert_settled(**program)


def test_another_project_replaces(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A source cannot move to another project: a new one is made and the old one deleted."""
    harness.up()
    assert harness.preview(projectUuid=lightdash.other_project_id) == "replace"
    assert harness.up(projectUuid=lightdash.other_project_id) == "replace"
    assert lightdash.sources(lightdash.project_id) == []
    assert [each["name"] for each in lightdash.sources(lightdash.other_project_id)] == ["finance"]
    harness.assert_settled(projectUuid=lightdash.other_project_id)


@pytest.mark.parametrize(
    "noise",
    [
        connection(target="", selector="", hostDomain="", environment={}),
        connection(authorizationMethod="personal_access_token"),
        {"projectUuid": LightdashSimulator.project_id.upper()},
        {"adopt": True},
    ],
    ids=["empty", "authorizationMethod", "projectUuid", "adopt"],
)
def test_noise_is_no_change(harness: ResourceHarness, noise: dict[str, Any]) -> None:
    """Another way to write the same is no change, whichever of the two comes first."""
    harness.up()
    harness.assert_settled(**noise)
    harness.up(**noise)
    harness.assert_settled()


def test_nulls_are_no_change(harness: ResourceHarness) -> None:
    """Fields of a connection that a program leaves at ``None`` are as if they were not there."""
    harness.up()
    nulls = dict.fromkeys(["target", "selector", "hostDomain", "environment", "installationId", "authorizationMethod"])
    harness.assert_settled(dbtConnection={**CONNECTION, **nulls})


def test_the_order_of_the_environment_is_no_change(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """Environment variables are known by name, so neither the program's order nor the service's matters."""
    harness.up(**connection(environment={"A": "1", "B": "2"}))
    theirs = [{"key": "B", "value": "2"}, {"key": "A", "value": "1"}]
    lightdash.edit_source(source(lightdash)["id"], connection={"environment": theirs})
    harness.assert_settled(**connection(environment={"B": "2", "A": "1"}))


def test_broken_credentials_are_repaired(
    lightdash: LightdashSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """A source whose stored credentials cannot be read any more is drift, and the next up writes them again."""
    harness.up()
    lightdash.break_credentials(source(lightdash)["id"])
    for _ in range(2):
        assert harness.refresh()
    assert len(warnings(log)) == 2
    assert all(source(lightdash)["id"] in warning for warning in warnings(log))
    assert harness.preview() == "update"
    assert harness.up() == "update"
    assert source(lightdash)["connection"] == WIRE
    harness.assert_settled()


def test_refuses_a_name_in_use(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A source of the same name is left alone, and the message says what taking over would change."""
    theirs = {**WIRE, "branch": "live", "personal_access_token": "ghp_theirs"}
    existing = lightdash.add_source(lightdash.project_id, "finance", theirs)
    error = harness.refusal(AlreadyExistsError)
    assert error.resource_id == existing
    assert error.changes == ("dbtConnection.branch", "dbtConnection.personalAccessToken")
    assert [fact for fact in (existing, '"finance"', "adopt=True", '"live"') if fact not in str(error)] == []
    assert "ghp_" not in f"{error}{vars(error)}"
    assert source(lightdash)["connection"] == theirs


def test_adopts(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """With ``adopt`` the source becomes what the program says, and taking ``adopt`` out later is no change."""
    theirs = {**WIRE, "branch": "live", "personal_access_token": "ghp_theirs"}
    existing = lightdash.add_source(lightdash.project_id, "finance", theirs)
    assert harness.up(adopt=True) == "create"
    adopted = source(lightdash)
    assert (adopted["id"], adopted["connection"]) == (existing, WIRE)
    harness.assert_settled(adopt=True)
    harness.assert_settled()


def test_adopts_nothing(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """``adopt`` is harmless where nothing of the name exists."""
    assert harness.up(adopt=True) == "create"
    assert source(lightdash)["connection"] == WIRE


def test_a_rename_to_a_name_in_use_fails(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """An update does not take over another source, and the service's message comes through."""
    harness.up()
    lightdash.add_source(lightdash.project_id, "money", WIRE)
    error = harness.refusal(ConflictError, name="money")
    assert 'A dbt source named "money" already exists on this project' in error.detail
    assert error.detail in str(error)
    assert source(lightdash)["connection"] == WIRE


@pytest.mark.parametrize("adopt", [False, True])
def test_the_primary_source_is_refused(*, adopt: bool) -> None:
    """The source that a project was made with has the project's ID and cannot be taken over."""
    project = LightdashSimulator.project_id
    client = mock.create_autospec(LightdashClient, instance=True)
    client.create_dbt_source.side_effect = ConflictError("The name is taken.", status=409)
    client.list_dbt_sources.return_value = [
        DbtSource(projectDbtSourceUuid=project, name="finance", isPrimary=True, precedence=0)
    ]
    args = LightdashDbtSourceProvider.lifecycle.validate(
        {"projectUuid": project, "name": "finance", "dbtConnection": CONNECTION, "adopt": adopt}
    )
    assert not isinstance(args, list)
    with pytest.raises(AlreadyExistsError) as caught:
        LightdashDbtSourceProvider.lifecycle.create(client, args, claim_nothing)
    assert (caught.value.resource_id, caught.value.changes) == (project, ())
    assert "adopt=True" not in str(caught.value)
    client.update_dbt_source.assert_not_called()


def test_another_kind_than_github_is_refused_by_lightdash(
    lightdash: LightdashSimulator, harness: ResourceHarness
) -> None:
    """The service has the last word on which kinds it takes, and its message comes through."""
    gitlab = {**CONNECTION, "type": "gitlab"}
    error = harness.refusal(BadRequestError, dbtConnection=gitlab)
    assert "Additional dbt sources currently support GitHub connections only" in error.detail
    assert error.detail in str(error)
    assert TOKEN not in f"{error}{vars(error)}"
    assert lightdash.sources(lightdash.project_id) == []


def test_what_adopting_shows_of_variables(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A refusal names variables without their values, which may be secret on either side."""
    theirs = {**WIRE, "environment": [{"key": "DB_PASSWORD", "value": "hunter2"}]}
    lightdash.add_source(lightdash.project_id, "finance", theirs)
    error = harness.refusal(AlreadyExistsError)
    assert error.changes == ("dbtConnection.environment.DB_PASSWORD", "dbtConnection.personalAccessToken")
    assert "dbtConnection.environment.DB_PASSWORD" in str(error)
    assert "hunter2" not in f"{error}{vars(error)}"


def test_an_adopted_source_has_its_precedence(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """All outputs are there after taking over, not only after the next refresh."""
    lightdash.add_source(lightdash.project_id, "finance", WIRE)
    harness.up(adopt=True)
    outputs = harness.outputs
    assert outputs["precedence"] == 1
    assert harness.refresh()
    assert harness.outputs == outputs


INSTALLATION = {
    **{name: value for name, value in WIRE.items() if name != "personal_access_token"},
    "authorization_method": "installation_id",
    "installation_id": "42",
}
NO_CREDENTIALS = connection(personalAccessToken=None)
CREDENTIALS = {"personalAccessToken", "installationId", "authorizationMethod"}

either_method = pytest.mark.parametrize(
    "theirs", [pytest.param(WIRE, id="token"), pytest.param(INSTALLATION, id="installation")]
)


def assert_needs_credentials(harness: ResourceHarness, lightdash: LightdashSimulator, **changes: Any) -> None:
    """An ``up`` fails with an error that names both credentials, and sends no write."""
    before = lightdash.sources(lightdash.project_id)
    sent = len(bodies(lightdash, "POST") + bodies(lightdash, "PATCH"))
    error = harness.refusal(ConfigurationError, **changes)
    assert error.settings == ("dbt_connection.personal_access_token", "dbt_connection.installation_id")
    assert '"finance"' in str(error)
    assert TOKEN not in f"{error}{vars(error)}"
    assert len(bodies(lightdash, "POST") + bodies(lightdash, "PATCH")) == sent
    assert lightdash.sources(lightdash.project_id) == before


@either_method
@pytest.mark.parametrize("adopt", [True, "existing"])
def test_adopts_without_credentials_and_without_a_write(
    lightdash: LightdashSimulator,
    harness: ResourceHarness,
    log: pytest.LogCaptureFixture,
    theirs: dict[str, Any],
    adopt: object,
) -> None:
    """A program that is as the source and declares no credentials adopts it without a write.

    The credentials are not the program's, so they are not in the state.
    """
    existing = lightdash.add_source(lightdash.project_id, "finance", theirs)
    assert harness.up(**NO_CREDENTIALS, adopt=adopt) == "create"
    assert bodies(lightdash, "PATCH") == []
    assert harness.outputs["sourceUuid"] == existing
    assert harness.outputs["precedence"] == 1
    assert CREDENTIALS.isdisjoint(harness.outputs["dbtConnection"])
    assert any(existing in message and "unchanged" in message for message in log.messages)
    harness.assert_settled(**NO_CREDENTIALS, adopt=adopt)
    harness.assert_settled(**NO_CREDENTIALS)


@either_method
def test_adopts_without_credentials_and_keeps_them(
    lightdash: LightdashSimulator, harness: ResourceHarness, theirs: dict[str, Any]
) -> None:
    """Lightdash keeps a token that is left out, and not the way of authorization, which is sent back."""
    lightdash.add_source(lightdash.project_id, "finance", {**theirs, "branch": "live"})
    harness.up(**NO_CREDENTIALS, adopt=True)
    (body,) = bodies(lightdash, "PATCH")
    assert "personal_access_token" not in body["dbtConnection"]
    assert source(lightdash)["connection"] == theirs
    harness.assert_settled(**NO_CREDENTIALS)


@either_method
def test_updates_without_credentials_and_keeps_them(
    lightdash: LightdashSimulator, harness: ResourceHarness, theirs: dict[str, Any]
) -> None:
    """An update of an adopted source needs no credentials either."""
    lightdash.add_source(lightdash.project_id, "finance", theirs)
    harness.up(**NO_CREDENTIALS, adopt=True)
    change = connection(personalAccessToken=None, branch="dev")
    assert harness.up(**change) == "update"
    assert source(lightdash)["connection"] == {**theirs, "branch": "dev"}
    harness.assert_settled(**change)


def test_other_credentials_are_no_drift_where_none_are_declared(
    lightdash: LightdashSimulator, harness: ResourceHarness
) -> None:
    """Somebody else manages the credentials, and may exchange a token for an installation of the GitHub app."""
    existing = lightdash.add_source(lightdash.project_id, "finance", WIRE)
    harness.up(**NO_CREDENTIALS, adopt=True)
    lightdash.edit_source(existing, connection=INSTALLATION)
    harness.assert_settled(**NO_CREDENTIALS)
    harness.up(**connection(personalAccessToken=None, branch="dev"))
    assert source(lightdash)["connection"] == {**INSTALLATION, "branch": "dev"}


def test_credentials_can_be_declared_after_the_adoption(
    lightdash: LightdashSimulator, harness: ResourceHarness
) -> None:
    """A token that is declared later is written, and takes the place of an installation of the GitHub app."""
    lightdash.add_source(lightdash.project_id, "finance", INSTALLATION)
    harness.up(**NO_CREDENTIALS, adopt=True)
    assert harness.up() == "update"
    assert source(lightdash)["connection"] == WIRE
    harness.assert_settled()


def test_a_program_can_drop_its_token(
    lightdash: LightdashSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """A token that the program drops leaves the state and stays in Lightdash, with a warning in the preview."""
    harness.up()
    assert harness.preview(**NO_CREDENTIALS) == "update"
    (warning,) = warnings(log)
    assert "personalAccessToken" in warning
    assert harness.up(**NO_CREDENTIALS) == "update"
    assert CREDENTIALS.isdisjoint(harness.outputs["dbtConnection"])
    assert source(lightdash)["connection"] == WIRE
    assert TOKEN not in log.text
    harness.assert_settled(**NO_CREDENTIALS)


def test_a_new_source_needs_credentials_at_preview(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A create and a replacement cannot keep credentials, so a preview without them fails and names both."""
    servicer, program = harness.stack.servicer, harness.declared(**NO_CREDENTIALS)
    refused = servicer.check(harness.provider, program)
    assert isinstance(refused, Refusal)
    (reason,) = refused.failures.values()
    assert refused.failures.keys() == {"dbt_connection"}
    assert "personal_access_token" in reason
    assert "installation_id" in reason
    assert not isinstance(servicer.check(harness.provider, {**program, "adopt": True}), Refusal)
    assert not isinstance(servicer.check(harness.provider, program, harness.declared()), Refusal)
    assert lightdash.requests == []


@pytest.mark.parametrize("missing", ["never created", "deleted"])
def test_a_create_needs_credentials(lightdash: LightdashSimulator, harness: ResourceHarness, missing: str) -> None:
    """Where there is nothing to adopt, and where the source was deleted, there are no credentials to keep."""
    if missing == "deleted":
        lightdash.add_source(lightdash.project_id, "finance", WIRE)
        harness.up(**NO_CREDENTIALS, adopt=True)
        lightdash.delete_source(source(lightdash)["id"])
    assert_needs_credentials(harness, lightdash, **connection(personalAccessToken=None, branch="dev"), adopt=True)


def test_another_type_needs_credentials(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """Lightdash keeps credentials of the same type only."""
    existing = lightdash.add_source(lightdash.project_id, "finance", WIRE)
    harness.up(**NO_CREDENTIALS, adopt=True)
    lightdash.edit_source(existing, connection={"type": "none"})
    assert_needs_credentials(harness, lightdash, **connection(personalAccessToken=None, branch="dev"))


@pytest.mark.parametrize("adopting", [False, True])
def test_broken_credentials_need_new_ones(
    lightdash: LightdashSimulator, harness: ResourceHarness, *, adopting: bool
) -> None:
    """Credentials that Lightdash can no longer decrypt cannot be kept; with new ones the source is repaired."""
    existing = lightdash.add_source(lightdash.project_id, "finance", WIRE)
    if not adopting:
        harness.up(**NO_CREDENTIALS, adopt=True)
    lightdash.break_credentials(existing)
    if not adopting:
        assert harness.refresh()
    assert_needs_credentials(harness, lightdash, **NO_CREDENTIALS, adopt=True)
    assert harness.up(adopt=True) == ("create" if adopting else "update")
    assert source(lightdash)["connection"] == WIRE
    harness.assert_settled()


def test_adopting_removes_nothing_undeclared(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A source with fields and variables that the program does not declare is refused, without their values."""
    theirs = {**WIRE, "target": "prod", "environment": [{"key": "B", "value": "hunter2"}, {"key": "A", "value": "1"}]}
    existing = lightdash.add_source(lightdash.project_id, "finance", theirs)
    error = harness.refusal(AlreadyExistsError, **connection(environment={"A": "1"}), adopt=True)
    assert error.resource_id == existing
    assert error.undeclared == ("dbtConnection.environment.B", "dbtConnection.target")
    assert "hunter2" not in f"{error}{vars(error)}"
    assert source(lightdash)["connection"] == theirs


@pytest.mark.parametrize("name", ["target", "selector", "hostDomain", "environment"])
def test_an_update_keeps_what_nobody_declared(
    lightdash: LightdashSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture, name: str
) -> None:
    """A field that was added in Lightdash since the last refresh is sent back, with a warning that names it.

    It enters the state with the next refresh, and the program then decides about it.
    """
    _, wire = OTHER_VALUES[name]
    harness.up()
    lightdash.edit_source(source(lightdash)["id"], connection=wire)
    assert harness.up(**connection(branch="dev")) == "update"
    assert source(lightdash)["connection"] == {**WIRE, **wire, "branch": "dev"}
    (warning,) = warnings(log)
    paths = ["environment.A", "environment.B"] if name == "environment" else [name]
    assert [path for path in paths if f"dbtConnection.{path}" not in warning] == []
    assert name not in harness.outputs["dbtConnection"]
    assert harness.preview(**connection(branch="dev")) == "same"
    harness.assert_drifted_and_repaired(**connection(branch="dev"))
    assert source(lightdash)["connection"] == {**WIRE, "branch": "dev"}


def test_an_update_keeps_unknown_variables_beside_declared_ones(
    lightdash: LightdashSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """A variable that the program dropped is removed, one that somebody added stays, and neither value is logged."""
    harness.up(**connection(environment={"A": "1", "B": "2"}))
    theirs = [{"key": "C", "value": "hunter2"}, {"key": "B", "value": "2"}, {"key": "A", "value": "1"}]
    lightdash.edit_source(source(lightdash)["id"], connection={"environment": theirs})
    change = connection(environment={"D": "4", "A": "other"})
    assert harness.up(**change) == "update"
    assert source(lightdash)["connection"]["environment"] == [
        {"key": "A", "value": "other"},
        {"key": "C", "value": "hunter2"},
        {"key": "D", "value": "4"},
    ]
    (warning,) = warnings(log)
    assert "dbtConnection.environment.C" in warning
    assert "hunter2" not in log.text
    assert harness.outputs["dbtConnection"]["environment"] == {"A": "other", "D": "4"}
    harness.assert_drifted_and_repaired(**change)


@pytest.mark.parametrize("adopting", [False, True])
def test_fields_of_a_later_lightdash_stay(
    lightdash: LightdashSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture, *, adopting: bool
) -> None:
    """Lightdash stores and returns fields that this package does not know. They are sent back, and no drift."""
    later = {**WIRE, "shallow_clone": True}
    if not adopting:
        harness.up()
        lightdash.edit_source(source(lightdash)["id"], connection=later)
    else:
        lightdash.add_source(lightdash.project_id, "finance", later)
    harness.up(**connection(branch="dev"), adopt=True)
    assert source(lightdash)["connection"] == {**later, "branch": "dev"}
    assert warnings(log) == []
    harness.assert_settled(**connection(branch="dev"))


def test_the_environment_is_sent_sorted(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """The same program sends the same request, whatever the order in which it names the variables."""
    harness.up(**connection(environment={"C": "3", "A": "1", "B": "2"}))
    assert [item["key"] for item in source(lightdash)["connection"]["environment"]] == ["A", "B", "C"]


def test_secrets_trigger_writes_the_token_again(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """Another token in Lightdash cannot be seen: a changed trigger writes the program's again, in place."""
    harness.up(secretsTrigger="1")
    id_ = harness.id
    lightdash.edit_source(source(lightdash)["id"], connection={"personal_access_token": "ghp_theirs"})
    harness.assert_settled(secretsTrigger="1")
    assert harness.preview(secretsTrigger="2") == "update"
    assert harness.up(secretsTrigger="2") == "update"
    assert harness.id == id_
    assert source(lightdash)["connection"] == WIRE
    assert harness.outputs["secretsTrigger"] == "2"
    harness.assert_settled(secretsTrigger="2")


ENVIRONMENT = connection(environment={"A": "hunter2"})


@pytest.fixture
def later() -> Iterator[LightdashSimulator]:
    """A Lightdash that hides environment variables from tokens that may not manage the project."""
    with LightdashSimulator(version="1.237.0") as lightdash:
        yield lightdash


def with_token(lightdash: LightdashSimulator, token: str) -> dict[str, str]:
    """The configuration of a stack that uses a token."""
    return {"lightdash:url": lightdash.url, "lightdash:apiKey": token}


@pytest.mark.parametrize("token", [LightdashSimulator.viewer_token, LightdashSimulator.developer_token])
def test_hidden_variables_stay_in_the_state(
    later: LightdashSimulator, log: pytest.LogCaptureFixture, token: str
) -> None:
    """A refresh with a token that does not see the environment keeps it, says so, and finds other drift."""
    program = {**SAMPLES["LightdashDbtSource"].minimal, **ENVIRONMENT}
    harness = ResourceHarness(Stack(with_token(later, later.api_key)), LightdashDbtSourceProvider(), program)
    harness.up()
    harness.stack.config = with_token(later, token)
    assert harness.refresh()
    assert harness.outputs["dbtConnection"]["environment"] == {"A": "hunter2"}
    (warning,) = warnings(log)
    assert source(later)["id"] in warning
    assert "hunter2" not in log.text
    assert harness.preview() == "same"
    later.edit_source(source(later)["id"], connection={"branch": "hotfix"})
    assert harness.refresh()
    assert harness.preview() == "update"
    assert harness.refusal(PermissionDeniedError).status == 403


def test_several_hidden_environments_ask_for_the_permissions_once(later: LightdashSimulator) -> None:
    """The sources of an instance are read at about the same time, and one request tells what the token may do."""
    stack = Stack(with_token(later, later.api_key))
    for name in ("finance", "money"):
        program = {**SAMPLES["LightdashDbtSource"].minimal, **ENVIRONMENT, "name": name}
        stack.up(name, LightdashDbtSourceProvider(), program)
    stack.config = with_token(later, later.viewer_token)
    with stack.command():
        assert all(stack.refresh(name) for name in ("finance", "money"))
    assert [request.path for request in later.requests].count("/api/v1/user") == 1


def test_a_manager_sees_that_variables_were_removed(later: LightdashSimulator, log: pytest.LogCaptureFixture) -> None:
    """What a token that may manage the project does not see is not there."""
    program = {**SAMPLES["LightdashDbtSource"].minimal, **ENVIRONMENT}
    harness = ResourceHarness(Stack(with_token(later, later.api_key)), LightdashDbtSourceProvider(), program)
    harness.up()
    stored_one = source(later)["connection"]
    without = {name: value for name, value in stored_one.items() if name != "environment"}
    later.edit_source(source(later)["id"], connection=without)
    harness.assert_drifted_and_repaired()
    assert warnings(log) == []


def test_a_viewer_of_an_earlier_lightdash_sees_drift(
    lightdash: LightdashSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """0.3277.1 shows the environment to everybody, so nothing is asked and its drift is found."""
    harness.up(**ENVIRONMENT)
    lightdash.edit_source(source(lightdash)["id"], connection={"environment": []})
    harness.stack.config = with_token(lightdash, lightdash.viewer_token)
    assert harness.refresh()
    assert harness.preview(**ENVIRONMENT) == "update"
    assert warnings(log) == []
    assert "/api/v1/user" not in [request.path for request in lightdash.requests]
