"""The environment user attribute of a connection, in each dialect of Omni."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pytest

from omni_pulumi.errors import (
    AlreadyExistsError,
    BadRequestError,
    NotFoundError,
    NothingToAdoptError,
    UnexpectedResponseError,
)
from omni_pulumi.simulator import GENERATED, PAGES, STAGING_CONNECTION_ID, Dialect, OmniSimulator, faults
from tests.catalogue import SAMPLES
from tests.harness import ResourceHarness
from tests.logged import warnings
from tests.servicer import ProviderError, Stack

SAMPLE = SAMPLES["ConnectionEnvironmentAttribute"]
OLDER_BODY: Final = "userAttributeNameForConnectionEnvironments"
DIALECTS = {
    "pages": PAGES,
    "generated": GENERATED,
    "older body": replace(PAGES, connection_update=OLDER_BODY),
    "older body, no route for one connection": replace(GENERATED, connection_update=OLDER_BODY),
    "one connection, list of values": replace(GENERATED, connection_get=True, user_attribute_field=OLDER_BODY),
}
UNKNOWN_ID = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be999"


@pytest.fixture(params=DIALECTS)
def omni(request: pytest.FixtureRequest) -> Iterator[OmniSimulator]:
    """An Omni of each dialect."""
    dialect: Dialect = DIALECTS[request.param]
    with OmniSimulator(dialect=dialect) as omni:
        yield omni


@pytest.fixture
def harness(omni: OmniSimulator) -> ResourceHarness:
    """A stack with a connection environment attribute."""
    settings = {"omni:baseUrl": omni.url, "omni:apiKey": omni.api_key, "omni:requestsPerMinute": "1000000"}
    return ResourceHarness(Stack(settings), SAMPLE.provider(), SAMPLE.complete)


def attribute(omni: OmniSimulator) -> tuple[str, list[str]] | None:
    """Return the name and the default values that Omni has."""
    found = omni.environment_user_attribute(STAGING_CONNECTION_ID)
    return None if found is None else (found["attribute_name"], [*(found["default_values"] or [])])


def writes(omni: OmniSimulator) -> list[str]:
    """Return the methods of the requests other than GET."""
    return [request.method for request in omni.requests if request.method != "GET"]


def test_create_update_delete(harness: ResourceHarness, omni: OmniSimulator) -> None:
    """The attribute is set, changed and removed, and previews are clean in between."""
    assert harness.up() == "create"
    assert (attribute(omni), harness.id) == (("environment", ["production"]), STAGING_CONNECTION_ID)
    harness.assert_settled()
    changes = {"attributeName": "region", "defaultValues": ["b", "a"]}
    assert harness.up(**changes) == "update"
    assert attribute(omni) == ("region", ["a", "b"])
    harness.assert_settled(**changes)
    harness.destroy()
    assert attribute(omni) is None


def test_without_default_values(harness: ResourceHarness, omni: OmniSimulator) -> None:
    """The default values are optional, and can be removed."""
    assert harness.up(defaultValues=None) == "create"
    assert attribute(omni) == ("environment", [])
    harness.assert_settled(defaultValues=None)
    harness.up(defaultValues=["a"])
    harness.up(defaultValues=[])
    assert attribute(omni) == ("environment", [])


def test_the_order_of_the_values_is_no_change(harness: ResourceHarness) -> None:
    """The order of the default values is no change."""
    harness.up(defaultValues=["b", "a"])
    assert harness.preview(defaultValues=["a", "b"]) == "same"


def test_drift(harness: ResourceHarness, omni: OmniSimulator) -> None:
    """A refresh detects another name and other values, and the next `up` restores them."""
    harness.up()
    omni.set_environment_user_attribute(STAGING_CONNECTION_ID, "region", ["other"])
    harness.assert_drifted_and_repaired()
    assert attribute(omni) == ("environment", ["production"])


def test_removed_outside_pulumi(harness: ResourceHarness, omni: OmniSimulator, log: pytest.LogCaptureFixture) -> None:
    """A refresh detects that the attribute was removed. Without a refresh, an update sets it again and warns."""
    harness.up()
    omni.clear_environment_user_attribute(STAGING_CONNECTION_ID)
    assert not harness.refresh()
    assert harness.up() == "create"
    omni.clear_environment_user_attribute(STAGING_CONNECTION_ID)
    assert harness.up(defaultValues=["b"]) == "update"
    assert attribute(omni) == ("environment", ["b"])
    assert any(STAGING_CONNECTION_ID in warning for warning in warnings(log))


def test_create_of_an_existing_attribute_fails(harness: ResourceHarness, omni: OmniSimulator) -> None:
    """A create fails without a write when the connection has an attribute. Its error names what an adoption changes."""
    omni.set_environment_user_attribute(STAGING_CONNECTION_ID, "region", ["production"])
    error = harness.refusal(AlreadyExistsError)
    assert (error.changes, error.undeclared) == (("attribute_name",), ())
    assert writes(omni) == []


@pytest.mark.parametrize("adopt", [True, "existing"])
def test_adoption(harness: ResourceHarness, omni: OmniSimulator, adopt: object) -> None:
    """An adoption changes the attribute to what the program declares, and sends no write when nothing differs."""
    omni.set_environment_user_attribute(STAGING_CONNECTION_ID, "environment", ["production"])
    assert harness.up(adopt=adopt) == "create"
    assert writes(omni) == []
    harness.destroy()
    omni.set_environment_user_attribute(STAGING_CONNECTION_ID, "region", [])
    assert harness.up(adopt=adopt) == "create"
    assert attribute(omni) == ("environment", ["production"])


def test_adoption_removes_no_undeclared_value(harness: ResourceHarness, omni: OmniSimulator) -> None:
    """An adoption that would remove a default value fails without a write, and names the value."""
    omni.set_environment_user_attribute(STAGING_CONNECTION_ID, "environment", ["production", "set_in_omni"])
    error = harness.refusal(AlreadyExistsError, adopt=True)
    assert error.undeclared == ('default_values "set_in_omni"',)
    assert attribute(omni) == ("environment", ["production", "set_in_omni"])


def test_nothing_to_adopt(harness: ResourceHarness, omni: OmniSimulator) -> None:
    """`adopt="existing"` fails when the connection has no attribute."""
    harness.refusal(NothingToAdoptError, adopt="existing")
    assert attribute(omni) is None


def test_an_update_keeps_unknown_values(
    harness: ResourceHarness, omni: OmniSimulator, log: pytest.LogCaptureFixture
) -> None:
    """An update keeps a value that was added since the last refresh, and a warning names it."""
    harness.up()
    omni.set_environment_user_attribute(STAGING_CONNECTION_ID, "environment", ["production", "set_in_omni"])
    assert harness.up(defaultValues=["b"]) == "update"
    assert attribute(omni) == ("environment", ["b", "set_in_omni"])
    assert any('"set_in_omni"' in warning for warning in warnings(log))
    assert harness.refresh()
    assert harness.up(defaultValues=["b"]) == "update"
    assert attribute(omni) == ("environment", ["b"])


def test_an_unknown_attribute(harness: ResourceHarness, omni: OmniSimulator) -> None:
    """The error for an attribute that Omni does not have contains Omni's message."""
    error = harness.refusal(BadRequestError, attributeName="no_such_attribute")
    assert "no_such_attribute" in str(error)
    assert attribute(omni) is None


def test_an_unknown_connection(harness: ResourceHarness) -> None:
    """A connection that does not exist is an error, and does not mean that the attribute was removed."""
    error = harness.refusal(NotFoundError, connectionId=UNKNOWN_ID)
    assert error.resource_id == UNKNOWN_ID


def test_a_response_without_the_attribute(harness: ResourceHarness, omni: OmniSimulator) -> None:
    """A response that lacks the attribute's field is an error, and does not mean that the attribute was removed."""
    harness.up()
    omni.inject(faults.Missing(omni.dialect.user_attribute_field, times=None))
    with pytest.raises(ProviderError) as caught:
        harness.refresh()
    assert isinstance(caught.value.error, UnexpectedResponseError)
    assert caught.value.error.fields[0].endswith("userAttributeNameForConnectionEnvironments")
    omni.clear_faults()
    harness.assert_settled()
