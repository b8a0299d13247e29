"""An additional dbt source of a Lightdash project, through Pulumi's servicer."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from pydantic.alias_generators import to_snake

from omni_pulumi.api.lightdash.client import LightdashClient
from omni_pulumi.api.lightdash.models import DbtSource
from omni_pulumi.errors import (
    AlreadyExistsError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    UnexpectedResponseError,
)
from omni_pulumi.resources.lightdash_dbt_source import LightdashDbtSourceProvider
from omni_pulumi.simulator import LIGHTDASH_VERSIONS, LightdashSimulator, faults
from tests.catalogue import SAMPLES
from tests.harness import ResourceHarness
from tests.logged import warnings
from tests.servicer import NoClaims, ProviderError, Refusal, Stack

TOKEN = 'ghp_"quoted"\\and-secret'
"""A made-up token that JSON escapes."""

CONNECTION = {**SAMPLES["LightdashDbtSource"].minimal["dbtConnection"], "personalAccessToken": TOKEN}
API_CONNECTION = {
    "type": "github",
    "authorization_method": "personal_access_token",
    "repository": "acme/dbt",
    "branch": "main",
    "project_sub_path": "/",
    "personal_access_token": TOKEN,
}
"""The connection of the program, as the API has it."""

OTHER_VALUES: dict[str, tuple[Any, dict[str, Any]]] = {
    "repository": ("acme/other", {"repository": "acme/other"}),
    "branch": ("dev", {"branch": "dev"}),
    "projectSubPath": ("/analytics", {"project_sub_path": "/analytics"}),
    "target": ("prod", {"target": "prod"}),
    "selector": ("tag:finance", {"selector": "tag:finance"}),
    "hostDomain": ("github.acme.com", {"host_domain": "github.acme.com"}),
    "environment": ({"A": "1", "B": "2"}, {"environment": [{"key": "A", "value": "1"}, {"key": "B", "value": "2"}]}),
}
"""Another value of each field of the connection: in a program, and in the API."""


@pytest.fixture(params=LIGHTDASH_VERSIONS)
def lightdash_version(request: pytest.FixtureRequest) -> str:
    """The version of Lightdash. The tests run once for each."""
    version: str = request.param
    return version


@pytest.fixture
def harness(lightdash_stack: Stack) -> ResourceHarness:
    program = {**SAMPLES["LightdashDbtSource"].minimal, "dbtConnection": CONNECTION}
    return ResourceHarness(lightdash_stack, LightdashDbtSourceProvider(), program)


def connection(**changes: Any) -> dict[str, Any]:
    """Return a change of the program's connection. A property that changes to ``None`` is left out."""
    return {"dbtConnection": {name: value for name, value in {**CONNECTION, **changes}.items() if value is not None}}


def source(lightdash: LightdashSimulator, name: str = "finance") -> dict[str, Any]:
    """Return the only source with this name."""
    (found,) = [each for each in lightdash.sources(lightdash.project_id) if each["name"] == name]
    return found


def bodies(lightdash: LightdashSimulator, method: str) -> list[Any]:
    """Return the bodies of all requests with this method."""
    return [request.body for request in lightdash.requests if request.method == method]


def test_create(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A create writes the connection, and the next preview shows no change.

    The authorization method follows from the token.
    """
    assert harness.preview() == "create"
    assert harness.up() == "create"
    created = source(lightdash)
    assert created["connection"] == API_CONNECTION
    assert harness.id == f"{lightdash.project_id}/{created['id']}"
    assert harness.outputs["sourceUuid"] == created["id"]
    assert harness.outputs["precedence"] == 1
    harness.assert_settled()


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_update_of_each_field_of_the_connection(
    lightdash: LightdashSimulator, harness: ResourceHarness, name: str
) -> None:
    """An update sends the whole connection with its token, and so does the update that removes the new value."""
    value, wire = OTHER_VALUES[name]
    harness.up()
    assert harness.preview(**connection(**{name: value})) == "update"
    assert harness.up(**connection(**{name: value})) == "update"
    assert bodies(lightdash, "PATCH") == [{"name": "finance", "dbtConnection": {**API_CONNECTION, **wire}}]
    assert source(lightdash)["connection"] == {**API_CONNECTION, **wire}
    harness.assert_settled(**connection(**{name: value}))
    assert harness.up() == "update"
    assert source(lightdash)["connection"] == API_CONNECTION


def test_update_of_the_name(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """An update renames the source."""
    harness.up()
    assert harness.up(name="money") == "update"
    assert source(lightdash, "money")["connection"] == API_CONNECTION
    harness.assert_settled(name="money")


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_drift_of_each_field_of_the_connection(
    lightdash: LightdashSimulator, harness: ResourceHarness, name: str
) -> None:
    """A refresh detects a field that was changed in the Lightdash UI, and the next `up` restores it."""
    harness.up()
    lightdash.edit_source(source(lightdash)["id"], connection=OTHER_VALUES[name][1])
    harness.assert_drifted_and_repaired()
    assert source(lightdash)["connection"] == API_CONNECTION


@pytest.mark.parametrize("name", ["target", "selector", "hostDomain", "environment"])
def test_drift_of_a_removed_field(lightdash: LightdashSimulator, harness: ResourceHarness, name: str) -> None:
    """A refresh detects an optional field that was removed in the Lightdash UI, and the next `up` restores it."""
    value, wire = OTHER_VALUES[name]
    harness.up(**connection(**{name: value}))
    lightdash.edit_source(source(lightdash)["id"], connection=API_CONNECTION)
    harness.assert_drifted_and_repaired(**connection(**{name: value}))
    assert source(lightdash)["connection"] == {**API_CONNECTION, **wire}


def test_drift_of_the_name(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A refresh detects that the source was renamed in the Lightdash UI, and the next `up` restores the name."""
    harness.up()
    lightdash.edit_source(source(lightdash)["id"], name="money")
    harness.assert_drifted_and_repaired()
    assert source(lightdash)["name"] == "finance"


@pytest.mark.parametrize(
    "existing_connection",
    [
        pytest.param({"type": "none"}, id="type"),
        pytest.param({"authorization_method": "installation_id", "installation_id": "42"}, id="authorization method"),
    ],
)
def test_drift_of_the_type_of_connection(
    lightdash: LightdashSimulator, harness: ResourceHarness, existing_connection: dict[str, str]
) -> None:
    """A refresh detects a connection of another type or authorization method.

    The next `up` writes the declared connection with its token.
    """
    harness.up()
    lightdash.edit_source(source(lightdash)["id"], connection=existing_connection)
    harness.assert_drifted_and_repaired()
    assert source(lightdash)["connection"] == API_CONNECTION


def test_update_of_the_token(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """An update replaces the stored token with the declared one."""
    harness.up()
    change = connection(personalAccessToken="ghp_new")
    assert harness.preview(**change) == "update"
    harness.up(**change)
    assert source(lightdash)["connection"]["personal_access_token"] == "ghp_new"
    harness.assert_settled(**change)


def test_changed_token_is_no_drift(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """Lightdash returns no token, so a changed one is no drift, and the state keeps the declared token."""
    harness.up()
    lightdash.edit_source(source(lightdash)["id"], connection={"personal_access_token": "ghp_other"})
    harness.assert_settled()
    assert harness.outputs["dbtConnection"]["personalAccessToken"] == TOKEN
    assert harness.inputs["dbtConnection"]["personalAccessToken"] == TOKEN


def test_replaced_credential_stays_with_a_warning(
    lightdash: LightdashSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """An update cannot remove a token. The preview warns that Lightdash keeps the token."""
    harness.up()
    change = connection(personalAccessToken=None, installationId="42")
    assert harness.preview(**change) == "update"
    (warning,) = warnings(log)
    assert '"finance"' in warning
    assert "personal_access_token" in warning
    assert TOKEN not in log.text
    harness.up(**change)
    assert source(lightdash)["connection"]["authorization_method"] == "installation_id"
    log.clear()
    harness.assert_settled(**change)
    assert log.messages == []


def test_update_of_the_token_does_not_warn(harness: ResourceHarness, log: pytest.LogCaptureFixture) -> None:
    """The preview of another token logs no warning."""
    harness.up()
    harness.preview(**connection(personalAccessToken="ghp_new"))
    assert warnings(log) == []


def test_deleted_outside_pulumi(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A source that was deleted in the Lightdash UI leaves the state. The next `up` creates it again."""
    harness.up()
    lightdash.delete_source(source(lightdash)["id"])
    assert not harness.refresh()
    assert harness.up() == "create"
    harness.assert_settled()


def test_missing_project(harness: ResourceHarness) -> None:
    """A 404 for the project is an error, and the resource stays in the state."""
    harness.up()
    harness.outputs["projectUuid"] = "3f6d1c58-92ab-4e07-8c41-d0b7e5a9f999"
    with pytest.raises(ProviderError) as caught:
        harness.refresh()
    assert isinstance(caught.value.error, NotFoundError)
    assert "3f6d1c58-92ab-4e07-8c41-d0b7e5a9f999" in caught.value.error.operation
    assert harness.id


def test_update_recreates(
    lightdash: LightdashSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """An update recreates a source that was deleted outside Pulumi, and warns."""
    harness.up()
    lightdash.delete_source(source(lightdash)["id"])
    assert harness.up(**connection(branch="dev")) == "update"
    (warning,) = warnings(log)
    assert '"finance"' in warning
    assert source(lightdash)["connection"]["branch"] == "dev"
    harness.assert_settled(**connection(branch="dev"))


def test_destroy(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A destroy deletes one source and keeps the others."""
    lightdash.add_source(lightdash.project_id, "existing", API_CONNECTION)
    harness.up()
    harness.destroy()
    assert [each["name"] for each in lightdash.sources(lightdash.project_id)] == ["existing"]


def test_destroy_when_deleted_already(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A destroy succeeds when the source was deleted outside Pulumi."""
    harness.up()
    lightdash.delete_source(source(lightdash)["id"])
    harness.destroy()


@pytest.mark.parametrize("name", ["results", "projectDbtSourceUuid", "name", "dbtConnection", "type", "key", "value"])
def test_response_that_lacks_a_field(lightdash: LightdashSimulator, harness: ResourceHarness, name: str) -> None:
    """A refresh fails when the response lacks a field. The error names the field, and the state is kept.

    Regression: an environment variable without a value ended in an unhandled exception.
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
    """A changed project replaces: one source is created and the other deleted."""
    harness.up()
    assert harness.preview(projectUuid=lightdash.other_project_id) == "replace"
    assert harness.up(projectUuid=lightdash.other_project_id) == "replace"
    assert lightdash.sources(lightdash.project_id) == []
    assert [each["name"] for each in lightdash.sources(lightdash.other_project_id)] == ["finance"]
    harness.assert_settled(projectUuid=lightdash.other_project_id)


@pytest.mark.parametrize(
    "equivalent",
    [
        connection(target="", selector="", hostDomain="", environment={}),
        connection(authorizationMethod="personal_access_token"),
        {"projectUuid": LightdashSimulator.project_id.upper()},
        {"adopt": True},
    ],
    ids=["empty", "authorizationMethod", "projectUuid", "adopt"],
)
def test_equivalent_values_are_no_change(harness: ResourceHarness, equivalent: dict[str, Any]) -> None:
    """Two ways to write the same value are no change, in either direction."""
    harness.up()
    harness.assert_settled(**equivalent)
    harness.up(**equivalent)
    harness.assert_settled()


def test_nulls_are_no_change(harness: ResourceHarness) -> None:
    """A field of the connection that is ``None`` is the same as one that is left out."""
    harness.up()
    nulls = dict.fromkeys(["target", "selector", "hostDomain", "environment", "installationId", "authorizationMethod"])
    harness.assert_settled(dbtConnection={**CONNECTION, **nulls})


def test_the_order_of_the_environment_is_no_change(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """The order of the environment variables is no change, neither in the program nor in Lightdash."""
    harness.up(**connection(environment={"A": "1", "B": "2"}))
    existing_variables = [{"key": "B", "value": "2"}, {"key": "A", "value": "1"}]
    lightdash.edit_source(source(lightdash)["id"], connection={"environment": existing_variables})
    harness.assert_settled(**connection(environment={"B": "2", "A": "1"}))


def test_broken_credentials_are_repaired(
    lightdash: LightdashSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """Each refresh warns that Lightdash cannot decrypt the credentials, and the next `up` writes them again."""
    harness.up()
    lightdash.break_credentials(source(lightdash)["id"])
    for _ in range(2):
        assert harness.refresh()
    assert len(warnings(log)) == 2
    assert all(source(lightdash)["id"] in warning for warning in warnings(log))
    assert harness.preview() == "update"
    assert harness.up() == "update"
    assert source(lightdash)["connection"] == API_CONNECTION
    harness.assert_settled()


def test_create_of_an_existing_source_fails(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A create changes nothing when a source has the name. Its error shows what an adoption changes."""
    existing_connection = {**API_CONNECTION, "branch": "live", "personal_access_token": "ghp_other"}
    existing = lightdash.add_source(lightdash.project_id, "finance", existing_connection)
    error = harness.refusal(AlreadyExistsError)
    assert error.resource_id == existing
    assert error.changes == ("dbt_connection.branch", "dbt_connection.personal_access_token")
    assert [fact for fact in (existing, '"finance"', "adopt=True", '"live"') if fact not in str(error)] == []
    assert "ghp_" not in f"{error}{vars(error)}"
    assert source(lightdash)["connection"] == existing_connection


def test_adoption(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """An adoption writes the declared values. Removing ``adopt`` later is no change."""
    existing_connection = {**API_CONNECTION, "branch": "live", "personal_access_token": "ghp_other"}
    existing = lightdash.add_source(lightdash.project_id, "finance", existing_connection)
    assert harness.up(adopt=True) == "create"
    adopted = source(lightdash)
    assert (adopted["id"], adopted["connection"]) == (existing, API_CONNECTION)
    harness.assert_settled(adopt=True)
    harness.assert_settled()


def test_adopt_creates(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """With ``adopt=True`` a create succeeds when there is nothing to adopt."""
    assert harness.up(adopt=True) == "create"
    assert source(lightdash)["connection"] == API_CONNECTION


def test_a_rename_to_a_name_in_use_fails(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """An update does not adopt the source that has the new name, and the error has Lightdash's message."""
    harness.up()
    lightdash.add_source(lightdash.project_id, "money", API_CONNECTION)
    error = harness.refusal(ConflictError, name="money")
    assert 'A dbt source named "money" already exists on this project' in error.detail
    assert error.detail in str(error)
    assert source(lightdash)["connection"] == API_CONNECTION


@pytest.mark.parametrize("adopt", [False, True])
def test_primary_source_cannot_be_adopted(*, adopt: bool) -> None:
    """The primary source of a project, whose ID is the project's, is neither overwritten nor adopted."""
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
        LightdashDbtSourceProvider.lifecycle.create(client, args, NoClaims())
    assert (caught.value.resource_id, caught.value.changes) == (project, ())
    assert "adopt=True" not in str(caught.value)
    client.update_dbt_source.assert_not_called()


def test_connection_that_lightdash_rejects(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A preview accepts each type of connection, and Lightdash may reject one.

    The error has Lightdash's message and no token.
    """
    gitlab = {**CONNECTION, "type": "gitlab"}
    error = harness.refusal(BadRequestError, dbtConnection=gitlab)
    assert "Additional dbt sources currently support GitHub connections only" in error.detail
    assert error.detail in str(error)
    assert TOKEN not in f"{error}{vars(error)}"
    assert lightdash.sources(lightdash.project_id) == []


def test_error_names_variables_without_values(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """The error of a create names environment variables without their values, which may be secret."""
    existing_connection = {**API_CONNECTION, "environment": [{"key": "DB_PASSWORD", "value": "hunter2"}]}
    lightdash.add_source(lightdash.project_id, "finance", existing_connection)
    error = harness.refusal(AlreadyExistsError)
    assert error.changes == ("dbt_connection.environment.DB_PASSWORD", "dbt_connection.personal_access_token")
    assert "dbt_connection.environment.DB_PASSWORD" in str(error)
    assert "hunter2" not in f"{error}{vars(error)}"


def test_adopted_source_has_all_outputs(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """The outputs after an adoption are complete: a refresh does not change them."""
    lightdash.add_source(lightdash.project_id, "finance", API_CONNECTION)
    harness.up(adopt=True)
    outputs = harness.outputs
    assert outputs["precedence"] == 1
    assert harness.refresh()
    assert harness.outputs == outputs


INSTALLATION = {
    **{name: value for name, value in API_CONNECTION.items() if name != "personal_access_token"},
    "authorization_method": "installation_id",
    "installation_id": "42",
}
NO_CREDENTIALS = connection(personalAccessToken=None)
"""A change of the program that leaves out the credentials."""

CREDENTIALS = {"personalAccessToken", "installationId", "authorizationMethod"}

either_method = pytest.mark.parametrize(
    "existing_connection", [pytest.param(API_CONNECTION, id="token"), pytest.param(INSTALLATION, id="installation")]
)


def assert_needs_credentials(harness: ResourceHarness, lightdash: LightdashSimulator, **changes: Any) -> None:
    """Assert that an `up` fails without a write, and that its error names both credentials."""
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
def test_adoption_without_credentials_sends_no_write(
    lightdash: LightdashSimulator,
    harness: ResourceHarness,
    log: pytest.LogCaptureFixture,
    existing_connection: dict[str, Any],
    adopt: object,
) -> None:
    """A source that has what the program declares is adopted without credentials and without a write.

    The state has no credentials, because the program declares none.
    """
    existing = lightdash.add_source(lightdash.project_id, "finance", existing_connection)
    assert harness.up(**NO_CREDENTIALS, adopt=adopt) == "create"
    assert bodies(lightdash, "PATCH") == []
    assert harness.outputs["sourceUuid"] == existing
    assert harness.outputs["precedence"] == 1
    assert CREDENTIALS.isdisjoint(harness.outputs["dbtConnection"])
    assert any(existing in message and "unchanged" in message for message in log.messages)
    harness.assert_settled(**NO_CREDENTIALS, adopt=adopt)
    harness.assert_settled(**NO_CREDENTIALS)


@either_method
def test_adoption_without_credentials_keeps_them(
    lightdash: LightdashSimulator, harness: ResourceHarness, existing_connection: dict[str, Any]
) -> None:
    """An adoption that declares no credentials keeps those of the source.

    Lightdash keeps a token that is left out. It does not keep the authorization method, so the write has it.
    """
    lightdash.add_source(lightdash.project_id, "finance", {**existing_connection, "branch": "live"})
    harness.up(**NO_CREDENTIALS, adopt=True)
    (body,) = bodies(lightdash, "PATCH")
    assert "personal_access_token" not in body["dbtConnection"]
    assert source(lightdash)["connection"] == existing_connection
    harness.assert_settled(**NO_CREDENTIALS)


@either_method
def test_update_without_credentials_keeps_them(
    lightdash: LightdashSimulator, harness: ResourceHarness, existing_connection: dict[str, Any]
) -> None:
    """An update that declares no credentials keeps those of the source."""
    lightdash.add_source(lightdash.project_id, "finance", existing_connection)
    harness.up(**NO_CREDENTIALS, adopt=True)
    change = connection(personalAccessToken=None, branch="dev")
    assert harness.up(**change) == "update"
    assert source(lightdash)["connection"] == {**existing_connection, "branch": "dev"}
    harness.assert_settled(**change)


def test_undeclared_credentials_are_not_managed(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """Credentials that the program does not declare may change in the Lightdash UI, which is no drift.

    The next update keeps the new ones.
    """
    existing = lightdash.add_source(lightdash.project_id, "finance", API_CONNECTION)
    harness.up(**NO_CREDENTIALS, adopt=True)
    lightdash.edit_source(existing, connection=INSTALLATION)
    harness.assert_settled(**NO_CREDENTIALS)
    harness.up(**connection(personalAccessToken=None, branch="dev"))
    assert source(lightdash)["connection"] == {**INSTALLATION, "branch": "dev"}


def test_credentials_can_be_declared_after_the_adoption(
    lightdash: LightdashSimulator, harness: ResourceHarness
) -> None:
    """A token that is declared after the adoption replaces the installation of the GitHub app."""
    lightdash.add_source(lightdash.project_id, "finance", INSTALLATION)
    harness.up(**NO_CREDENTIALS, adopt=True)
    assert harness.up() == "update"
    assert source(lightdash)["connection"] == API_CONNECTION
    harness.assert_settled()


def test_removed_token_stays_with_a_warning(
    lightdash: LightdashSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """A token that is removed from the program leaves the state and stays in Lightdash.

    The preview warns about it.
    """
    harness.up()
    assert harness.preview(**NO_CREDENTIALS) == "update"
    (warning,) = warnings(log)
    assert "personal_access_token" in warning
    assert harness.up(**NO_CREDENTIALS) == "update"
    assert CREDENTIALS.isdisjoint(harness.outputs["dbtConnection"])
    assert source(lightdash)["connection"] == API_CONNECTION
    assert TOKEN not in log.text
    harness.assert_settled(**NO_CREDENTIALS)


def test_a_new_source_needs_credentials_at_preview(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """The preview of a create fails without credentials, and its failure names both properties.

    An adoption and an update can keep the credentials in Lightdash, so their previews succeed.
    """
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
    """A create without credentials fails when there is nothing to adopt.

    So does an update that would recreate a deleted source.
    """
    if missing == "deleted":
        lightdash.add_source(lightdash.project_id, "finance", API_CONNECTION)
        harness.up(**NO_CREDENTIALS, adopt=True)
        lightdash.delete_source(source(lightdash)["id"])
    assert_needs_credentials(harness, lightdash, **connection(personalAccessToken=None, branch="dev"), adopt=True)


def test_changed_type_needs_credentials(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """An update of a connection whose type changed in Lightdash fails without credentials, which belong to the type."""
    existing = lightdash.add_source(lightdash.project_id, "finance", API_CONNECTION)
    harness.up(**NO_CREDENTIALS, adopt=True)
    lightdash.edit_source(existing, connection={"type": "none"})
    assert_needs_credentials(harness, lightdash, **connection(personalAccessToken=None, branch="dev"))


@pytest.mark.parametrize("adopting", [False, True])
def test_broken_credentials_need_new_ones(
    lightdash: LightdashSimulator, harness: ResourceHarness, *, adopting: bool
) -> None:
    """An `up` without credentials fails when Lightdash cannot decrypt those that it has.

    An `up` with credentials repairs the source.
    """
    existing = lightdash.add_source(lightdash.project_id, "finance", API_CONNECTION)
    if not adopting:
        harness.up(**NO_CREDENTIALS, adopt=True)
    lightdash.break_credentials(existing)
    if not adopting:
        assert harness.refresh()
    assert_needs_credentials(harness, lightdash, **NO_CREDENTIALS, adopt=True)
    assert harness.up(adopt=True) == ("create" if adopting else "update")
    assert source(lightdash)["connection"] == API_CONNECTION
    harness.assert_settled()


def test_adoption_removes_nothing_undeclared(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """An adoption that would remove fields or variables fails without a write.

    The error names them without their values.
    """
    existing_connection = {
        **API_CONNECTION,
        "target": "prod",
        "environment": [{"key": "B", "value": "hunter2"}, {"key": "A", "value": "1"}],
    }
    existing = lightdash.add_source(lightdash.project_id, "finance", existing_connection)
    error = harness.refusal(AlreadyExistsError, **connection(environment={"A": "1"}), adopt=True)
    assert error.resource_id == existing
    assert error.undeclared == ("dbt_connection.environment.B", "dbt_connection.target")
    assert "hunter2" not in f"{error}{vars(error)}"
    assert source(lightdash)["connection"] == existing_connection


@pytest.mark.parametrize("name", ["target", "selector", "hostDomain", "environment"])
def test_update_keeps_unknown_fields(
    lightdash: LightdashSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture, name: str
) -> None:
    """An update keeps a field that was added in the Lightdash UI since the last refresh, and a warning names it.

    After a refresh the field is drift, and the next `up` removes it.
    """
    _, wire = OTHER_VALUES[name]
    harness.up()
    lightdash.edit_source(source(lightdash)["id"], connection=wire)
    assert harness.up(**connection(branch="dev")) == "update"
    assert source(lightdash)["connection"] == {**API_CONNECTION, **wire, "branch": "dev"}
    (warning,) = warnings(log)
    paths = ["environment.A", "environment.B"] if name == "environment" else [to_snake(name)]
    assert [path for path in paths if f"dbt_connection.{path}" not in warning] == []
    assert name not in harness.outputs["dbtConnection"]
    assert harness.preview(**connection(branch="dev")) == "same"
    harness.assert_drifted_and_repaired(**connection(branch="dev"))
    assert source(lightdash)["connection"] == {**API_CONNECTION, "branch": "dev"}


def test_update_keeps_unknown_variables(
    lightdash: LightdashSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """An update removes a variable that the program dropped and keeps one that was added in the Lightdash UI.

    The warning and the log do not have its value.
    """
    harness.up(**connection(environment={"A": "1", "B": "2"}))
    existing_variables = [{"key": "C", "value": "hunter2"}, {"key": "B", "value": "2"}, {"key": "A", "value": "1"}]
    lightdash.edit_source(source(lightdash)["id"], connection={"environment": existing_variables})
    change = connection(environment={"D": "4", "A": "other"})
    assert harness.up(**change) == "update"
    assert source(lightdash)["connection"]["environment"] == [
        {"key": "A", "value": "other"},
        {"key": "C", "value": "hunter2"},
        {"key": "D", "value": "4"},
    ]
    (warning,) = warnings(log)
    assert "dbt_connection.environment.C" in warning
    assert "hunter2" not in log.text
    assert harness.outputs["dbtConnection"]["environment"] == {"A": "other", "D": "4"}
    harness.assert_drifted_and_repaired(**change)


@pytest.mark.parametrize("adopting", [False, True])
def test_fields_of_a_newer_lightdash_are_kept(
    lightdash: LightdashSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture, *, adopting: bool
) -> None:
    """A field of a newer version of Lightdash, which this package does not know, is sent back and is no drift."""
    with_new_field = {**API_CONNECTION, "shallow_clone": True}
    if not adopting:
        harness.up()
        lightdash.edit_source(source(lightdash)["id"], connection=with_new_field)
    else:
        lightdash.add_source(lightdash.project_id, "finance", with_new_field)
    harness.up(**connection(branch="dev"), adopt=True)
    assert source(lightdash)["connection"] == {**with_new_field, "branch": "dev"}
    assert warnings(log) == []
    harness.assert_settled(**connection(branch="dev"))


def test_the_environment_is_sent_sorted(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """The environment variables of a request are sorted by name."""
    harness.up(**connection(environment={"C": "3", "A": "1", "B": "2"}))
    assert [item["key"] for item in source(lightdash)["connection"]["environment"]] == ["A", "B", "C"]


@pytest.mark.parametrize("key", ["A-B", "1A", "LIGHTDASH_DBT_PROFILE_VAR_A", "PATH", ""])
def test_lightdash_decides_about_names_of_variables(
    lightdash: LightdashSimulator, harness: ResourceHarness, key: str
) -> None:
    """Each name that a version of Lightdash accepts can be declared. The error of a newer one names the variable."""
    variables = connection(environment={key: "1"})
    assert harness.preview(**variables) == "create"
    if lightdash.version == "1.237.0" and key:
        error = harness.refusal(BadRequestError, **variables)
        assert error.status == 400
        assert f'"{key}"' in str(error)
    else:
        assert harness.up(**variables) == "create"
        assert source(lightdash)["connection"]["environment"] == [{"key": key, "value": "1"}]
        harness.assert_settled(**variables)


def test_secrets_trigger_writes_the_token_again(lightdash: LightdashSimulator, harness: ResourceHarness) -> None:
    """A changed ``secretsTrigger`` is an update that writes the declared token again."""
    harness.up(secretsTrigger="1")
    id_ = harness.id
    lightdash.edit_source(source(lightdash)["id"], connection={"personal_access_token": "ghp_other"})
    harness.assert_settled(secretsTrigger="1")
    assert harness.preview(secretsTrigger="2") == "update"
    assert harness.up(secretsTrigger="2") == "update"
    assert harness.id == id_
    assert source(lightdash)["connection"] == API_CONNECTION
    assert harness.outputs["secretsTrigger"] == "2"
    harness.assert_settled(secretsTrigger="2")


WITH_VARIABLE = connection(environment={"A": "hunter2"})


newer_lightdash = pytest.mark.parametrize("lightdash_version", ["1.237.0"])
"""Runs a test with a Lightdash that hides environment variables from tokens that may not manage the project."""


def settings(lightdash: LightdashSimulator, token: str) -> dict[str, str]:
    """Return the configuration of a stack that uses this token."""
    return {"lightdash:url": lightdash.url, "lightdash:apiKey": token}


@newer_lightdash
@pytest.mark.parametrize("token", [LightdashSimulator.viewer_token, LightdashSimulator.developer_token])
def test_hidden_variables_stay_in_the_state(
    lightdash: LightdashSimulator, log: pytest.LogCaptureFixture, token: str
) -> None:
    """A refresh whose token may not see the environment variables keeps them in the state, and warns.

    It detects other drift.
    """
    program = {**SAMPLES["LightdashDbtSource"].minimal, **WITH_VARIABLE}
    harness = ResourceHarness(Stack(settings(lightdash, lightdash.api_key)), LightdashDbtSourceProvider(), program)
    harness.up()
    harness.stack.config = settings(lightdash, token)
    assert harness.refresh()
    assert harness.outputs["dbtConnection"]["environment"] == {"A": "hunter2"}
    (warning,) = warnings(log)
    assert source(lightdash)["id"] in warning
    assert "hunter2" not in log.text
    assert harness.preview() == "same"
    lightdash.edit_source(source(lightdash)["id"], connection={"branch": "hotfix"})
    assert harness.refresh()
    assert harness.preview() == "update"
    assert harness.refusal(PermissionDeniedError).status == 403


@newer_lightdash
def test_permissions_are_requested_once(lightdash: LightdashSimulator) -> None:
    """One request finds out what the token may do, for all sources whose environment variables are hidden."""
    stack = Stack(settings(lightdash, lightdash.api_key))
    for name in ("finance", "money"):
        program = {**SAMPLES["LightdashDbtSource"].minimal, **WITH_VARIABLE, "name": name}
        stack.up(name, LightdashDbtSourceProvider(), program)
    stack.config = settings(lightdash, lightdash.viewer_token)
    with stack.command():
        assert all(stack.refresh(name) for name in ("finance", "money"))
    assert [request.path for request in lightdash.requests].count("/api/v1/user") == 1


@newer_lightdash
def test_removed_variables_are_drift_for_a_manager(
    lightdash: LightdashSimulator, log: pytest.LogCaptureFixture
) -> None:
    """A token that may manage the project sees all variables, so missing ones are drift."""
    program = {**SAMPLES["LightdashDbtSource"].minimal, **WITH_VARIABLE}
    harness = ResourceHarness(Stack(settings(lightdash, lightdash.api_key)), LightdashDbtSourceProvider(), program)
    harness.up()
    stored = source(lightdash)["connection"]
    without = {name: value for name, value in stored.items() if name != "environment"}
    lightdash.edit_source(source(lightdash)["id"], connection=without)
    harness.assert_drifted_and_repaired()
    assert warnings(log) == []


@pytest.mark.parametrize("lightdash_version", ["0.3277.1"])
def test_removed_variables_are_drift_in_an_older_lightdash(
    lightdash: LightdashSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """Version 0.3277.1 shows the variables to every user, so missing ones are drift.

    No request finds out what the token may do.
    """
    harness.up(**WITH_VARIABLE)
    lightdash.edit_source(source(lightdash)["id"], connection={"environment": []})
    harness.stack.config = settings(lightdash, lightdash.viewer_token)
    assert harness.refresh()
    assert harness.preview(**WITH_VARIABLE) == "update"
    assert warnings(log) == []
    assert "/api/v1/user" not in [request.path for request in lightdash.requests]
