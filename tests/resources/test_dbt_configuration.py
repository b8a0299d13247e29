"""The dbt configuration of a connection, through Pulumi's servicer, in both dialects of Omni."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic.alias_generators import to_snake

from omni_pulumi.errors import AlreadyExistsError, NotFoundError, PermissionDeniedError, ResponseLostError
from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider
from omni_pulumi.simulator import OmniSimulator, faults
from tests.catalogue import SAMPLES
from tests.harness import ResourceHarness
from tests.servicer import ProviderError, Stack

OTHER_VALUES = {
    "sshUrl": "git@github.com:acme/other.git",
    "branch": "dev",
    "autogenRelationships": False,
    "enableVirtualSchemas": True,
    "enableSemanticLayer": True,
    "dbtVersion": "1.11",
    "projectRootPath": "analytics/dbt",
}


@pytest.fixture
def harness(omni_stack: Stack) -> ResourceHarness:
    return ResourceHarness(omni_stack, DbtConfigurationProvider(), SAMPLES["DbtConfiguration"].minimal)


def configuration(omni: OmniSimulator) -> dict[str, Any]:
    found = omni.dbt_configuration(omni.connection_id)
    assert found is not None
    return found


def put_bodies(omni: OmniSimulator) -> list[dict[str, Any]]:
    return [request.body for request in omni.requests if request.method == "PUT" and isinstance(request.body, dict)]


def test_create(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A create writes the declared values and the documented defaults, and the next preview shows no change."""
    assert harness.preview() == "create"
    assert harness.up() == "create"
    assert configuration(omni) == {
        "ssh_url": "git@github.com:acme/dbt.git",
        "branch": "main",
        "autogen_relationships": True,
        "enable_virtual_schemas": False,
        "enable_semantic_layer": False,
        "dbt_version": "Auto",
        "project_root_path": None,
    }
    assert harness.id == omni.connection_id
    harness.assert_settled()


def test_preview_sends_no_request(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A preview sends no request."""
    harness.up()
    omni.clear_requests()
    harness.preview(branch="dev")
    assert omni.requests == []


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_update_of_each_field(omni: OmniSimulator, harness: ResourceHarness, name: str) -> None:
    """An update changes one field and keeps the others, and so does the update back to the first value."""
    harness.up()
    before = configuration(omni)
    change = {name: OTHER_VALUES[name]}
    assert harness.preview(**change) == "update"
    assert harness.up(**change) == "update"
    assert configuration(omni) == {**before, to_snake(name): OTHER_VALUES[name]}
    harness.assert_settled(**change)
    assert harness.up() == "update"
    assert configuration(omni) == before


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_drift_of_each_field(omni: OmniSimulator, harness: ResourceHarness, name: str) -> None:
    """A refresh detects a field that was changed in the Omni UI, and the next `up` restores it."""
    harness.up()
    before = configuration(omni)
    omni.configure_dbt(omni.connection_id, **{to_snake(name): OTHER_VALUES[name]})
    harness.assert_drifted_and_repaired()
    assert configuration(omni) == before


def test_every_write_has_all_fields(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Omni's documentation contradicts itself about omitted fields, so each write has all fields."""
    harness.up()
    harness.up(branch="dev")
    assert [body.keys() for body in put_bodies(omni)] == [OTHER_VALUES.keys()] * 2


def test_deleted_outside_pulumi(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A configuration that was unlinked in the Omni UI counts as deleted, and the next `up` creates it again."""
    harness.up()
    omni.unlink_dbt(omni.connection_id)
    assert not harness.refresh()
    assert harness.up() == "create"
    harness.assert_settled()


def test_missing_connection(harness: ResourceHarness) -> None:
    """A 404 for the connection is an error, and the resource stays in the state."""
    harness.up()
    harness.outputs["connectionId"] = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be999"
    with pytest.raises(ProviderError) as caught:
        harness.refresh()
    assert isinstance(caught.value.error, NotFoundError)
    assert caught.value.error.resource_id == "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be999"
    assert harness.id


def test_update_recreates(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """An update recreates a configuration that was unlinked outside Pulumi."""
    harness.up()
    omni.unlink_dbt(omni.connection_id)
    assert harness.up(branch="dev") == "update"
    assert configuration(omni)["branch"] == "dev"
    harness.assert_settled(branch="dev")


def test_destroy(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A destroy unlinks the repository."""
    harness.up()
    harness.destroy()
    assert omni.dbt_configuration(omni.connection_id) is None


def test_destroy_when_deleted_already(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A destroy succeeds when the configuration was unlinked outside Pulumi."""
    harness.up()
    omni.unlink_dbt(omni.connection_id)
    harness.destroy()


def test_another_connection_replaces(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A changed connection replaces: one configuration is created and the other unlinked."""
    harness.up()
    assert harness.preview(connectionId=omni.other_connection_id) == "replace"
    assert harness.up(connectionId=omni.other_connection_id) == "replace"
    assert omni.dbt_configuration(omni.connection_id) is None
    assert omni.dbt_configuration(omni.other_connection_id) is not None
    harness.assert_settled(connectionId=omni.other_connection_id)


@pytest.mark.parametrize(
    "equivalent",
    [
        {"projectRootPath": ""},
        {"dbtVersion": "Auto"},
        {"enableSemanticLayer": False},
        {"connectionId": OmniSimulator.connection_id.upper()},
        {"adopt": True},
        {"adopt": False},
    ],
    ids=str,
)
def test_equivalent_values_are_no_change(harness: ResourceHarness, equivalent: dict[str, Any]) -> None:
    """Two ways to write the same value are no change, in either direction."""
    harness.up()
    harness.assert_settled(**equivalent)
    harness.up(**equivalent)
    harness.assert_settled()


def test_empty_path_in_omni_is_no_drift(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Omni may return an empty path for the repository's root instead of null, which is no drift."""
    harness.up()
    omni.configure_dbt(omni.connection_id, project_root_path="")
    harness.assert_settled()


def test_create_of_an_existing_configuration_fails(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A create fails without a write when a configuration exists. Its error shows what an adoption changes."""
    omni.configure_dbt(omni.connection_id, ssh_url="git@github.com:acme/dbt.git", branch="live", dbt_version="1.10")
    before = configuration(omni)
    error = harness.refusal(AlreadyExistsError)
    assert error.resource_id == omni.connection_id
    assert error.changes == ("autogen_relationships", "branch", "dbt_version")
    assert [fact for fact in ("adopt=True", "false", '"live"', '"1.10"') if fact not in str(error)] == []
    assert configuration(omni) == before
    assert put_bodies(omni) == []


def test_a_token_in_a_stored_url_is_not_shown(
    omni: OmniSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """The git URL in Omni may contain a token. Neither an error nor the log of an adoption shows it."""
    omni.configure_dbt(omni.connection_id, ssh_url="https://x-access-token:made-up-token@github.com/acme/dbt.git")
    error = harness.refusal(AlreadyExistsError)
    assert "github.com/acme/dbt.git" in str(error)
    assert harness.up(adopt=True) == "create"
    assert [line for line in log.messages if "github.com/acme/dbt.git" in line]
    assert "made-up-token" not in f"{error}{vars(error)}{log.text}"


def test_adoption(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """An adoption writes the declared values. Removing ``adopt`` later is no change."""
    omni.configure_dbt(omni.connection_id, branch="live", dbt_version="1.10")
    assert harness.up(adopt=True) == "create"
    adopted = configuration(omni)
    assert (adopted["branch"], adopted["dbt_version"]) == ("main", "Auto")
    harness.assert_settled(adopt=True)
    harness.assert_settled()


def test_adopt_creates(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """With ``adopt=True`` a create succeeds when there is nothing to adopt."""
    assert harness.up(adopt=True) == "create"
    assert configuration(omni)["branch"] == "main"


def test_first_trigger_rotates_nothing(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A trigger that the program has from the first `up` rotates no keys, even in an adoption."""
    omni.configure_dbt(omni.connection_id)
    harness.up(rotateKeysTrigger="1", adopt=True)
    harness.assert_settled(rotateKeysTrigger="1")
    assert omni.key_rotations == {}


def test_changed_trigger_rotates_once(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A changed trigger rotates the keys in one request. A refresh and later updates do not repeat it."""
    harness.up(rotateKeysTrigger="1")
    assert harness.up(rotateKeysTrigger="2", branch="dev") == "update"
    harness.assert_settled(rotateKeysTrigger="2", branch="dev")
    harness.up(rotateKeysTrigger="2")
    assert omni.key_rotations == {omni.connection_id: 1}
    assert [body.get("rotateKeys", False) for body in put_bodies(omni)] == [False, True, False]


def test_removed_trigger_rotates_nothing(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Removing the trigger from the program is an update that rotates no keys."""
    harness.up(rotateKeysTrigger="1")
    assert harness.up() == "update"
    harness.assert_settled()
    assert omni.key_rotations == {}


def test_rejected_write(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """The error of a rejected write has the operation, the ID, Omni's message and a known outcome."""
    error = harness.refusal(PermissionDeniedError, connectionId=omni.connection_without_dbt_id)
    assert error.operation == f"write the dbt configuration of connection {omni.connection_without_dbt_id}"
    assert error.resource_id == omni.connection_without_dbt_id
    assert "Connection does not support dbt" in error.detail
    assert error.detail in str(error)
    assert not error.outcome_unknown


def test_lost_write_and_stale_reads(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A lost response is no error when a later read finds the configuration, after stale "not configured" reads."""
    omni.inject(faults.Status(500, processed=True, method="PUT"), faults.Stale(path="/dbt$", after=1, times=2))
    assert harness.up() == "create"
    harness.assert_settled()


def test_lost_write_and_failed_read(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """When the read after a lost response fails too, the error has both statuses and an unknown outcome."""
    omni.inject(
        faults.Status(500, processed=True, method="PUT"),
        faults.Status(403, processed=False, method="GET", after=1, times=None),
    )
    error = harness.refusal(ResponseLostError)
    assert error.outcome_unknown
    assert error.operation == f"write the dbt configuration of connection {omni.connection_id}"
    assert [status for status in ("500", "403") if status not in str(error)] == []


def test_lost_write_and_rejected_retry(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """When the token expires after a lost response, the outcome of the error is unknown.

    Regression: the error was only about the token, although the configuration existed.
    """
    omni.inject(faults.Reset(processed=True, method="PUT"), faults.expired_token(after=1))
    error = harness.refusal(ResponseLostError)
    assert error.outcome_unknown
    assert "401" in str(error)
    omni.clear_faults()
    assert harness.up(adopt=True) == "create"


def test_lost_write_and_rejected_retry_that_is_read_back(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A rejected retry is no error when a read shows that the first attempt was applied."""
    omni.inject(faults.Reset(processed=True, method="PUT"), faults.Status(403, processed=False, method="PUT"))
    assert harness.up() == "create"
    harness.assert_settled()


def test_drift_to_a_value_that_validation_rejects(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A refresh accepts a value that validation rejects, and the next `up` restores the declared value.

    The refresh puts the value into the inputs, and the engine calls `diff` with it in the next refresh.
    """
    harness.up()
    omni.configure_dbt(omni.connection_id, dbt_version="1.12-beta")
    for _ in range(3):
        assert harness.refresh()
    assert harness.inputs["dbtVersion"] == "1.12-beta"
    assert harness.up() == "update"
    harness.assert_settled()


@pytest.mark.parametrize("adopt", [True, False])
def test_second_resource_fails_despite_stale_reads(omni: OmniSimulator, omni_stack: Stack, *, adopt: bool) -> None:
    """A second resource of the same configuration fails without a write, even when reads are stale.

    The stale reads are from before the first resource's write and have no configuration. Regression: the second
    resource overwrote the configuration.
    """
    program = SAMPLES["DbtConfiguration"].minimal
    with omni_stack.command():
        omni_stack.up("first", DbtConfigurationProvider(), program)
        omni.inject(faults.Stale(times=None))
        with pytest.raises(ProviderError) as caught:
            omni_stack.up("second", DbtConfigurationProvider(), {**program, "branch": "other", "adopt": adopt})
    omni.clear_faults()
    assert isinstance(caught.value.error, AlreadyExistsError)
    assert caught.value.error.resource_id == omni.connection_id
    assert [body["branch"] for body in put_bodies(omni)] == [program["branch"]]
