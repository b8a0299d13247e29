"""The dbt configuration of a connection, through Pulumi's servicer against a local Omni in both dialects."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic.alias_generators import to_snake

from omni_pulumi.api.errors import AlreadyExistsError, NotFoundError, PermissionDeniedError, ResponseLostError
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


def test_creates_what_the_program_says(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A create writes the program's values and the documented defaults, and nothing is left to change."""
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


def test_a_preview_sends_nothing(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Check and diff work without a request."""
    harness.up()
    omni.clear_requests()
    harness.preview(branch="dev")
    assert omni.requests == []


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_updates_each_field(omni: OmniSimulator, harness: ResourceHarness, name: str) -> None:
    """A new value arrives at the service, the other fields stay, and going back is an update too."""
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
def test_finds_and_repairs_drift(omni: OmniSimulator, harness: ResourceHarness, name: str) -> None:
    """A field that somebody changed in the web page is seen by a refresh and set back by the next up."""
    harness.up()
    before = configuration(omni)
    omni.configure_dbt(omni.connection_id, **{to_snake(name): OTHER_VALUES[name]})
    harness.assert_drifted_and_repaired()
    assert configuration(omni) == before


def test_every_write_is_whole(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Omni's sources disagree on what an update does to omitted fields, so none is omitted."""
    harness.up()
    harness.up(branch="dev")
    assert [body.keys() for body in put_bodies(omni)] == [OTHER_VALUES.keys()] * 2


def test_not_configured_is_gone(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A configuration that was unlinked in the web page is gone, and the next up makes it anew."""
    harness.up()
    omni.unlink_dbt(omni.connection_id)
    assert not harness.refresh()
    assert harness.up() == "create"
    harness.assert_settled()


def test_a_missing_connection_is_an_error(harness: ResourceHarness) -> None:
    """A 404 of the connection keeps the resource in the state: it says nothing about the configuration."""
    harness.up()
    harness.outputs["connectionId"] = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be999"
    with pytest.raises(ProviderError) as caught:
        harness.refresh()
    assert isinstance(caught.value.error, NotFoundError)
    assert caught.value.error.resource_id == "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be999"
    assert harness.id


def test_update_makes_a_deleted_one_anew(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """An update of a configuration that was unlinked meanwhile succeeds in the same run."""
    harness.up()
    omni.unlink_dbt(omni.connection_id)
    assert harness.up(branch="dev") == "update"
    assert configuration(omni)["branch"] == "dev"
    harness.assert_settled(branch="dev")


def test_destroys(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A destroy unlinks the repository."""
    harness.up()
    harness.destroy()
    assert omni.dbt_configuration(omni.connection_id) is None


def test_destroys_what_is_gone_already(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A destroy of a configuration that was unlinked meanwhile succeeds."""
    harness.up()
    omni.unlink_dbt(omni.connection_id)
    harness.destroy()


def test_another_connection_replaces(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A changed connection means another configuration: the new one is written and the old one unlinked."""
    harness.up()
    assert harness.preview(connectionId=omni.other_connection_id) == "replace"
    assert harness.up(connectionId=omni.other_connection_id) == "replace"
    assert omni.dbt_configuration(omni.connection_id) is None
    assert omni.dbt_configuration(omni.other_connection_id) is not None
    harness.assert_settled(connectionId=omni.other_connection_id)


@pytest.mark.parametrize(
    "noise",
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
def test_noise_is_no_change(harness: ResourceHarness, noise: dict[str, Any]) -> None:
    """Another way to write the same is no change, whichever of the two comes first."""
    harness.up()
    harness.assert_settled(**noise)
    harness.up(**noise)
    harness.assert_settled()


def test_an_empty_path_of_the_service_is_no_drift(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """The service may call the repository's root "" instead of null."""
    harness.up()
    omni.configure_dbt(omni.connection_id, project_root_path="")
    harness.assert_settled()


def test_refuses_to_overwrite(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A configuration that exists is left alone, and the message says what it is and what taking over would change."""
    omni.configure_dbt(omni.connection_id, ssh_url="git@github.com:acme/dbt.git", branch="live", dbt_version="1.10")
    before = configuration(omni)
    error = harness.refusal(AlreadyExistsError)
    assert error.resource_id == omni.connection_id
    assert error.changes == ("autogenRelationships", "branch", "dbtVersion")
    assert [fact for fact in ("adopt=True", "false", '"live"', '"1.10"') if fact not in str(error)] == []
    assert configuration(omni) == before
    assert put_bodies(omni) == []


def test_a_token_in_a_stored_url_is_not_shown(
    omni: OmniSimulator, harness: ResourceHarness, log: pytest.LogCaptureFixture
) -> None:
    """Somebody may have stored a git URL with a token in it. Neither a refusal nor the log of an adoption shows it."""
    omni.configure_dbt(omni.connection_id, ssh_url="https://x-access-token:made-up-token@github.com/acme/dbt.git")
    error = harness.refusal(AlreadyExistsError)
    assert "github.com/acme/dbt.git" in str(error)
    assert harness.up(adopt=True) == "create"
    assert [line for line in log.messages if "github.com/acme/dbt.git" in line]
    assert "made-up-token" not in f"{error}{vars(error)}{log.text}"


def test_adopts(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """With ``adopt`` the configuration becomes what the program says, and taking ``adopt`` out later is no change."""
    omni.configure_dbt(omni.connection_id, branch="live", dbt_version="1.10")
    assert harness.up(adopt=True) == "create"
    adopted = configuration(omni)
    assert (adopted["branch"], adopted["dbt_version"]) == ("main", "Auto")
    harness.assert_settled(adopt=True)
    harness.assert_settled()


def test_adopts_nothing(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """``adopt`` is harmless where nothing exists."""
    assert harness.up(adopt=True) == "create"
    assert configuration(omni)["branch"] == "main"


def test_a_trigger_from_the_beginning_rotates_nothing(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A new configuration has new keys, and one that is taken over keeps its own."""
    omni.configure_dbt(omni.connection_id)
    harness.up(rotateKeysTrigger="1", adopt=True)
    harness.assert_settled(rotateKeysTrigger="1")
    assert omni.key_rotations == {}


def test_another_trigger_rotates_once(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A changed trigger rotates the keys in one request, and neither a refresh nor a later update repeats it."""
    harness.up(rotateKeysTrigger="1")
    assert harness.up(rotateKeysTrigger="2", branch="dev") == "update"
    harness.assert_settled(rotateKeysTrigger="2", branch="dev")
    harness.up(rotateKeysTrigger="2")
    assert omni.key_rotations == {omni.connection_id: 1}
    assert [body.get("rotateKeys", False) for body in put_bodies(omni)] == [False, True, False]


def test_a_removed_trigger_rotates_nothing(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Taking the trigger out of the program is a change of the state alone."""
    harness.up(rotateKeysTrigger="1")
    assert harness.up() == "update"
    harness.assert_settled()
    assert omni.key_rotations == {}


def test_a_refused_value_says_what_and_why(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """The service's own message comes with what was tried on what, and with the certainty that nothing was written."""
    error = harness.refusal(PermissionDeniedError, connectionId=omni.connection_without_dbt_id)
    assert error.operation == f"write the dbt configuration of connection {omni.connection_without_dbt_id}"
    assert error.resource_id == omni.connection_without_dbt_id
    assert "Connection does not support dbt" in error.detail
    assert error.detail in str(error)
    assert not error.outcome_unknown


def test_a_lost_write_is_read_back_patiently(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """ "Not configured" that is behind does not make a write that was carried out an error."""
    omni.inject(faults.Status(500, processed=True, method="PUT"), faults.Stale(path="/dbt$", after=1, times=2))
    assert harness.up() == "create"
    harness.assert_settled()


def test_a_lost_write_that_cannot_be_read_back_tells_both(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """The error says that the write may have been carried out, not only that reading failed."""
    omni.inject(
        faults.Status(500, processed=True, method="PUT"),
        faults.Status(403, processed=False, method="GET", after=1, times=None),
    )
    error = harness.refusal(ResponseLostError)
    assert error.outcome_unknown
    assert error.operation == f"write the dbt configuration of connection {omni.connection_id}"
    assert [status for status in ("500", "403") if status not in str(error)] == []


def test_a_lost_write_whose_repetition_is_refused(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A token that ends between two attempts does not make the first one undone: the error says so.

    Found by the stateful test: the configuration was there, and the error spoke of the token only.
    """
    omni.inject(faults.Reset(processed=True, method="PUT"), faults.expired_token(after=1))
    error = harness.refusal(ResponseLostError)
    assert error.outcome_unknown
    assert "401" in str(error)
    omni.clear_faults()
    assert harness.up(adopt=True) == "create"


def test_a_lost_write_whose_repetition_is_refused_is_read_back(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """Where it can be read back, it is seen to be written."""
    omni.inject(faults.Reset(processed=True, method="PUT"), faults.Status(403, processed=False, method="PUT"))
    assert harness.up() == "create"
    harness.assert_settled()


def test_what_others_set_may_be_what_no_program_may(omni: OmniSimulator, harness: ResourceHarness) -> None:
    """A refresh puts into the inputs what it has found; the next one copes with it, and ``up`` repairs it.

    Found by the stateful test, since they compare in a refresh as the engine does.
    """
    harness.up()
    omni.configure_dbt(omni.connection_id, dbt_version="1.12-beta")
    for _ in range(3):
        assert harness.refresh()
    assert harness.inputs["dbtVersion"] == "1.12-beta"
    assert harness.up() == "update"
    harness.assert_settled()


@pytest.mark.parametrize("adopt", [True, False])
def test_a_second_resource_writes_nothing_although_a_read_is_behind(
    omni: OmniSimulator, omni_stack: Stack, *, adopt: bool
) -> None:
    """A read from before the first resource's write shows no configuration, and the second resource is refused still.

    Found by the stateful test: the second resource overwrote the first one's configuration.
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
