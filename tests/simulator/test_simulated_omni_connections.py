"""Connections and their environment user attribute of the Omni simulator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import httpx
import pytest

from omni_pulumi.simulator import (
    CONNECTION_ID,
    GENERATED,
    OTHER_CONNECTION_ID,
    PAGES,
    STAGING_CONNECTION_ID,
    Dialect,
    OmniSimulator,
    faults,
)

StartOmni = Callable[[Dialect], OmniSimulator]
Connect = Callable[[str, str], httpx.Client]

UNKNOWN = "11111111-2222-4333-8444-555555555555"
CONNECTIONS = "/api/v1/connections"
CONNECTION = f"{CONNECTIONS}/{CONNECTION_ID}"
OLDER_NAME: Final = "userAttributeNameForConnectionEnvironments"
OLDER_VALUES = "userAttributeValuesForDefaultEnvironment"
UPDATED = "Updated environment user attribute settings."


def listed(api: httpx.Client) -> dict[str, Any]:
    """Returns the connection from the list."""
    connections = {each["id"]: each for each in api.get(CONNECTIONS).json()["connections"]}
    connection: dict[str, Any] = connections[CONNECTION_ID]
    return connection


def patch(api: httpx.Client, name: str, values: list[str] | None = None) -> httpx.Response:
    """Sets the attribute with the body that both dialects document."""
    return api.patch(CONNECTION, json={"environmentUserAttribute": {"attributeName": name, "defaultValues": values}})


@pytest.fixture
def older(start_omni: StartOmni) -> OmniSimulator:
    """An Omni simulator whose PATCH has the fields of the older guide."""
    return start_omni(replace(PAGES, connection_update=OLDER_NAME))


def test_the_list_contains_all_connections(omni: OmniSimulator, api: httpx.Client) -> None:
    """The list has no pages and contains each connection with its documented fields."""
    response = api.get(CONNECTIONS)
    assert response.status_code == 200
    assert list(response.json()) == ["connections"]
    assert len(response.json()["connections"]) == 6
    assert listed(api) == {
        "baseRole": "QUERIER",
        "branchConnectionEnvironmentOverridesUserAttr": False,
        "database": None,
        "defaultSchema": None,
        "deletedAt": None,
        "dialect": "postgres",
        "environmentConnectionSwitchesSchemaModel": False,
        "id": CONNECTION_ID,
        "name": "Warehouse",
        omni.dialect.user_attribute_field: None,
        OLDER_VALUES: None,
    }


def test_get_of_one_connection(omni: OmniSimulator, api: httpx.Client) -> None:
    """GET returns the connection as the list does, or is an unknown route, depending on the dialect."""
    response = api.get(CONNECTION)
    if omni.dialect.connection_get:
        assert response.json() == {"connection": listed(api)}
    else:
        assert response.status_code == 404
        assert "Not Found" in response.text


def test_the_two_spellings_of_the_response_field(start_omni: StartOmni, connect: Connect) -> None:
    """The documentation pages have a string under one spelling, the generated document an array under the other."""
    for dialect, field, values in (
        (PAGES, "userAttributeNameForConnectionEnvironments", "dev,prod"),
        (GENERATED, "userAttributeNameForConnectionsEnvironments", ["dev", "prod"]),
    ):
        omni = start_omni(dialect)
        omni.set_environment_user_attribute(CONNECTION_ID, "region", ["dev", "prod"])
        connection = listed(connect(omni.url, f"Bearer {omni.api_key}"))
        assert (connection[field], connection[OLDER_VALUES]) == ("region", values)
        assert sum(name.startswith("userAttributeName") for name in connection) == 1


@pytest.mark.parametrize("values", [["dev"], ["dev", "prod"], [], None])
def test_update(omni: OmniSimulator, api: httpx.Client, values: list[str] | None) -> None:
    """PATCH replaces name and default values. Its response has a message only."""
    omni.set_environment_user_attribute(CONNECTION_ID, "region", ["old"])
    response = patch(api, "environment", values)
    assert (response.status_code, response.json()) == (200, {"success": True, "message": UPDATED})
    expected = {"attribute_name": "environment", "default_values": values}
    assert omni.environment_user_attribute(CONNECTION_ID) == expected
    assert omni.environment_user_attribute(OTHER_CONNECTION_ID) is None


def test_null_removes_the_attribute(omni: OmniSimulator, api: httpx.Client) -> None:
    """PATCH with null removes name and default values."""
    omni.set_environment_user_attribute(CONNECTION_ID, "environment", ["dev"])
    response = api.patch(CONNECTION, json={"environmentUserAttribute": None})
    assert (response.status_code, response.json()["message"]) == (200, UPDATED)
    assert omni.environment_user_attribute(CONNECTION_ID) is None
    assert (listed(api)[omni.dialect.user_attribute_field], listed(api)[OLDER_VALUES]) == (None, None)


def test_an_update_without_changes(api: httpx.Client) -> None:
    """A PATCH that changes nothing gets 200 with another message."""
    patch(api, "environment", ["dev"])
    response = patch(api, "environment", ["dev"])
    assert (response.status_code, response.json()["message"]) == (200, "No updates were made to the connection.")


@pytest.mark.parametrize(
    ("values", "stored"), [("dev", ["dev"]), ("dev,prod", ["dev", "prod"]), ("", []), (None, None), (..., None)]
)
def test_the_older_body(older: OmniSimulator, connect: Connect, values: object, stored: list[str] | None) -> None:
    """In the dialect of the older guide, PATCH has two fields with strings. A null name removes the attribute."""
    api = connect(older.url, f"Bearer {older.api_key}")
    body = {OLDER_NAME: "environment"} | ({} if values is ... else {OLDER_VALUES: values})
    assert api.patch(CONNECTION, json=body).json()["message"] == UPDATED
    expected = {"attribute_name": "environment", "default_values": stored}
    assert older.environment_user_attribute(CONNECTION_ID) == expected
    assert api.patch(CONNECTION, json={OLDER_NAME: None}).status_code == 200
    assert older.environment_user_attribute(CONNECTION_ID) is None


def test_the_body_of_the_other_dialect_is_rejected(older: OmniSimulator, connect: Connect) -> None:
    """Each dialect rejects the other's body with a 400 that names the unknown field."""
    api = connect(older.url, f"Bearer {older.api_key}")
    response = patch(api, "environment")
    assert (response.status_code, "environmentUserAttribute" in response.json()["detail"]) == (400, True)
    assert older.environment_user_attribute(CONNECTION_ID) is None


@pytest.mark.parametrize(
    ("body", "fragment"),
    [
        ({}, "Empty request body"),
        ([], "object"),
        ({OLDER_NAME: "environment"}, OLDER_NAME),
        ({"environmentUserAttribute": "environment"}, "environmentUserAttribute"),
        ({"environmentUserAttribute": {"attributeName": "environment"}}, "defaultValues: Required"),
        ({"environmentUserAttribute": {"defaultValues": ["dev"]}}, "attributeName: Required"),
        ({"environmentUserAttribute": {"attributeName": None, "defaultValues": None}}, "attributeName"),
        ({"environmentUserAttribute": {"attributeName": "environment", "defaultValues": "dev"}}, "defaultValues"),
        ({"environmentUserAttribute": {"attributeName": "environment", "defaultValues": [1]}}, "defaultValues"),
        ({"environmentUserAttribute": {"attributeName": "unknown", "defaultValues": None}}, '"unknown"'),
    ],
)
def test_rejected_bodies(omni: OmniSimulator, api: httpx.Client, body: object, fragment: str) -> None:
    """A body with missing, unknown or mistyped fields or an unknown attribute gets 400. Nothing is stored."""
    response = api.patch(CONNECTION, json=body)
    assert (response.status_code, response.json()["status"]) == (400, 400)
    assert fragment in response.json()["detail"]
    assert omni.environment_user_attribute(CONNECTION_ID) is None


def test_malformed_json(api: httpx.Client) -> None:
    """Malformed JSON gets the documented error."""
    response = api.patch(CONNECTION, content=b"{")
    assert (response.status_code, response.json()) == (400, {"detail": "Bad Request: Invalid JSON", "status": 400})


def test_default_values_are_unique_within_a_base(omni: OmniSimulator, api: httpx.Client) -> None:
    """A value cannot select both the base connection and one of its environments. Another base can use it."""
    environment_id = omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID, ["staging"])
    omni.add_connection_environment(OTHER_CONNECTION_ID, STAGING_CONNECTION_ID, ["elsewhere"])
    for values in (["dev", "staging"], ["staging", "staging"]):
        response = patch(api, "environment", values)
        assert response.status_code == 400
        assert response.json()["detail"] == 'User attribute value "staging" is already in use'
    assert patch(api, "environment", ["dev", "elsewhere"]).status_code == 200
    assert patch(api, "region", ["dev"]).status_code == 200

    value: object = "dev" if omni.dialect.connection_environments == "pages" else ["dev"]
    response = api.put(f"/api/v1/connection-environments/{environment_id}", json={"userAttributeValues": value})
    assert response.json()["detail"] == 'User attribute value "dev" is already in use'


def test_the_connection_must_exist(omni: OmniSimulator, api: httpx.Client) -> None:
    """An unknown or deleted connection gets 404, an ID that is no UUID gets 400."""
    body = {"environmentUserAttribute": None}
    omni.delete_connection(CONNECTION_ID)
    for connection_id in (UNKNOWN, CONNECTION_ID):
        response = api.patch(f"{CONNECTIONS}/{connection_id}", json=body)
        assert (response.status_code, response.json()) == (404, {"detail": "Connection not found", "status": 404})
    assert api.patch(f"{CONNECTIONS}/warehouse", json=body).status_code == 400
    assert CONNECTION_ID not in [each["id"] for each in api.get(CONNECTIONS).json()["connections"]]


def test_get_of_an_unknown_connection(start_omni: StartOmni, connect: Connect) -> None:
    """Where a single connection can be read, an unknown ID gets the documented 404."""
    omni = start_omni(PAGES)
    response = connect(omni.url, f"Bearer {omni.api_key}").get(f"{CONNECTIONS}/{UNKNOWN}")
    assert (response.status_code, response.json()) == (404, {"detail": "Connection not found", "status": 404})


def test_permissions(omni: OmniSimulator, connect: Connect) -> None:
    """A Connection Admin can read and update. A viewer gets 403 "Permission denied"."""
    admin = connect(omni.url, f"Bearer {omni.personal_access_token}")
    assert (admin.get(CONNECTIONS).status_code, patch(admin, "environment").status_code) == (200, 200)
    viewer = connect(omni.url, f"Bearer {omni.viewer_token}")
    responses = [viewer.get(CONNECTIONS), patch(viewer, "region")]
    if omni.dialect.connection_get:
        responses.append(viewer.get(CONNECTION))
    for response in responses:
        assert (response.status_code, response.json()) == (403, {"detail": "Permission denied", "status": 403})
    assert omni.environment_user_attribute(CONNECTION_ID) == {"attribute_name": "environment", "default_values": None}


def test_the_list_rejects_a_query(api: httpx.Client) -> None:
    """The list has no pages: a cursor gets 400 with the name of the parameter."""
    response = api.get(CONNECTIONS, params={"cursor": "x"})
    assert (response.status_code, "'cursor'" in response.json()["detail"]) == (400, True)


def test_the_error_format(omni: OmniSimulator, api: httpx.Client) -> None:
    """Injected errors of the connection endpoints have `detail` and `status` in both dialects, those of dbt do not."""
    omni.inject(faults.rate_limited(3))
    assert set(api.get(CONNECTIONS).json()) == {"detail", "status"}
    assert set(api.patch(CONNECTION).json()) == {"detail", "status"}
    assert ("detail" in api.get(f"{CONNECTION}/dbt").json()) == (omni.dialect == GENERATED)


def test_changes_in_the_omni_ui(omni: OmniSimulator, api: httpx.Client) -> None:
    """The API sees changes made by the simulator's methods. The methods raise KeyError for unknown IDs."""
    omni.set_environment_user_attribute(CONNECTION_ID, "environment", ["dev"])
    assert listed(api)[omni.dialect.user_attribute_field] == "environment"
    assert omni.environment_user_attribute(CONNECTION_ID) == {
        "attribute_name": "environment",
        "default_values": ["dev"],
    }
    omni.clear_environment_user_attribute(CONNECTION_ID)
    assert listed(api)[omni.dialect.user_attribute_field] is None
    with pytest.raises(KeyError):
        omni.set_environment_user_attribute(UNKNOWN, "environment")
    for method in (omni.environment_user_attribute, omni.clear_environment_user_attribute, omni.delete_connection):
        with pytest.raises(KeyError):
            method(UNKNOWN)


def test_a_reset_removes_the_attribute(omni: OmniSimulator) -> None:
    """A reset restores connections without the attribute."""
    omni.set_environment_user_attribute(CONNECTION_ID, "environment")
    omni.reset()
    assert omni.environment_user_attribute(CONNECTION_ID) is None


def test_connections_in_the_omni_ui(omni: OmniSimulator, api: httpx.Client) -> None:
    """A created connection is in the list with its name, and can get a dbt configuration."""
    created = omni.add_connection("Sales", dialect="snowflake")
    omni.rename_connection(created, "Revenue")
    omni.configure_dbt(created)
    (found,) = [each for each in api.get("/api/v1/connections").json()["connections"] if each["id"] == created]
    assert (found["name"], found["dialect"]) == ("Revenue", "snowflake")
    assert api.get(f"/api/v1/connections/{created}/dbt").json()["branch"] == "main"
