"""Connection environments of the Omni simulator."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from omni_pulumi.simulator import (
    CONNECTION_ID,
    DEVELOPMENT_CONNECTION_ID,
    OTHER_CONNECTION_ID,
    OTHER_DIALECT_CONNECTION_ID,
    STAGING_CONNECTION_ID,
    OmniSimulator,
)

UNKNOWN = "11111111-2222-4333-8444-555555555555"
PATH = "/api/v1/connection-environments"


def request_format(omni: OmniSimulator, *values: str) -> str | list[str]:
    """Returns values in the dialect's request format."""
    return ",".join(values) if omni.dialect.connection_environments == "pages" else list(values)


def create(omni: OmniSimulator, api: httpx.Client, *connection_ids: str, base: str = CONNECTION_ID) -> httpx.Response:
    """Sends a POST in the dialect's request format."""
    body = {"baseConnectionId": base, "environmentConnectionIds": request_format(omni, *connection_ids)}
    return api.post(PATH, json=body)


def put(omni: OmniSimulator, api: httpx.Client, identifier: str, *values: str) -> httpx.Response:
    """Sends a PUT in the dialect's request format."""
    return api.put(f"{PATH}/{identifier}", json={"userAttributeValues": request_format(omni, *values)})


def test_create(omni: OmniSimulator, api: httpx.Client) -> None:
    """POST responds with 201 and one item for each connection, in the order of the request, without values."""
    response = create(omni, api, STAGING_CONNECTION_ID, DEVELOPMENT_CONNECTION_ID)
    assert response.status_code == 201
    stored = omni.connection_environments()
    assert [each["connection_id"] for each in stored] == [STAGING_CONNECTION_ID, DEVELOPMENT_CONNECTION_ID]
    if omni.dialect.connection_environments == "pages":
        data = [{"id": each["id"], "environmentConnectionId": each["connection_id"]} for each in stored]
        assert response.json() == {"success": True, "data": data}
    else:
        assert response.json()["connectionEnvironments"][0] == {
            "baseConnectionId": CONNECTION_ID,
            "connectionId": STAGING_CONNECTION_ID,
            "id": stored[0]["id"],
            "userAttributeValues": [],
        }


def test_the_other_request_format_is_rejected(omni: OmniSimulator, api: httpx.Client) -> None:
    """A string instead of an array, or an array instead of a string, gets a 400 that names the field."""
    pages = omni.dialect.connection_environments == "pages"
    body = {
        "baseConnectionId": CONNECTION_ID,
        "environmentConnectionIds": [STAGING_CONNECTION_ID] if pages else STAGING_CONNECTION_ID,
    }
    response = api.post(PATH, json=body)
    assert response.status_code == 400
    assert "environmentConnectionIds" in response.json()["detail"]
    identifier = omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID)
    response = api.put(f"{PATH}/{identifier}", json={"userAttributeValues": ["a"] if pages else "a"})
    assert response.status_code == 400
    assert "userAttributeValues" in response.json()["detail"]


@pytest.mark.parametrize(
    "invalid", [UNKNOWN, CONNECTION_ID, OTHER_DIALECT_CONNECTION_ID, DEVELOPMENT_CONNECTION_ID, "twice"]
)
def test_which_connections_are_valid(omni: OmniSimulator, api: httpx.Client, invalid: str) -> None:
    """An environment connection exists, has the base's type of database, and is neither the base nor used for it.

    The error names the invalid connections, and none of the requested ones is created.
    """
    omni.add_connection_environment(CONNECTION_ID, DEVELOPMENT_CONNECTION_ID)
    wrong = STAGING_CONNECTION_ID if invalid == "twice" else invalid
    response = create(omni, api, STAGING_CONNECTION_ID, wrong)
    assert response.status_code == 400
    assert response.json() == {
        "detail": f"The following environment connection IDs are not valid for this connection: {wrong}",
        "status": 400,
    }
    assert len(omni.connection_environments()) == 1


def test_a_connection_can_be_an_environment_of_two_bases(omni: OmniSimulator, api: httpx.Client) -> None:
    """A connection can be an environment of two base connections."""
    assert create(omni, api, STAGING_CONNECTION_ID).status_code == 201
    assert create(omni, api, STAGING_CONNECTION_ID, base=OTHER_CONNECTION_ID).status_code == 201


def test_rejected_posts(omni: OmniSimulator, api: httpx.Client) -> None:
    """IDs must be UUIDs, the base must exist, and the body must be a JSON object with exactly two fields."""
    response = create(omni, api, STAGING_CONNECTION_ID, base="warehouse")
    assert response.json()["detail"] == "Bad Request: baseConnectionId: Base connection ID must be a valid UUID"
    response = create(omni, api, "staging")
    assert response.json()["detail"] == (
        "Bad Request: environmentConnectionIds: All environment connection IDs must be valid UUIDs"
    )
    response = create(omni, api, STAGING_CONNECTION_ID, base=UNKNOWN)
    assert (response.status_code, response.json()["detail"]) == (404, f"Connection with id {UNKNOWN} does not exist")
    assert api.post(PATH, content=b"{").json() == {"detail": "Bad Request: Invalid JSON", "status": 400}
    whole: dict[str, Any] = {"baseConnectionId": CONNECTION_ID, "environmentConnectionIds": request_format(omni)}
    rejected: list[object] = [[], {}, {"baseConnectionId": CONNECTION_ID}, {**whole, "name": "x"}]
    for body in rejected:
        assert api.post(PATH, json=body).status_code == 400
    assert omni.connection_environments() == []


def test_update_replaces_the_values(omni: OmniSimulator, api: httpx.Client) -> None:
    """PUT responds with `success` only and replaces all values, also by an empty list."""
    identifier = omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID, ["old"])
    for values in (["dev", "staging"], ["staging"], []):
        response = put(omni, api, identifier, *values)
        assert (response.status_code, response.json()) == (200, {"success": True})
        assert omni.connection_environments()[0]["user_attribute_values"] == values


def test_values_are_unique_within_a_base(omni: OmniSimulator, api: httpx.Client) -> None:
    """A value selects one environment of a base connection. Another base connection can use the same value."""
    identifier = omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID, ["staging"])
    omni.add_connection_environment(CONNECTION_ID, DEVELOPMENT_CONNECTION_ID, ["dev"])
    omni.add_connection_environment(OTHER_CONNECTION_ID, DEVELOPMENT_CONNECTION_ID, ["elsewhere"])
    for values in (["x", "dev"], ["dev", "dev"]):
        response = put(omni, api, identifier, *values)
        assert response.status_code == 400
        assert response.json()["detail"] == 'User attribute value "dev" is already in use'
    assert put(omni, api, identifier, "staging", "elsewhere").status_code == 200


def test_update_and_delete_require_an_existing_connection_environment(omni: OmniSimulator, api: httpx.Client) -> None:
    """PUT and DELETE expect the ID of the connection environment. The ID of its connection gets 404."""
    omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID)
    for identifier in (UNKNOWN, STAGING_CONNECTION_ID):
        for response in (put(omni, api, identifier, "x"), api.delete(f"{PATH}/{identifier}")):
            assert response.status_code == 404
            assert response.json()["detail"] == f"Connection environment with id {identifier} does not exist"
    response = put(omni, api, "staging", "x")
    assert (response.status_code, response.json()["detail"]) == (400, "Bad Request: id: Invalid uuid")


def test_delete(omni: OmniSimulator, api: httpx.Client) -> None:
    """DELETE removes the connection environment. Its connection can be used again."""
    identifier = omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID)
    response = api.delete(f"{PATH}/{identifier}")
    assert (response.status_code, response.json()) == (200, {"success": True})
    assert api.delete(f"{PATH}/{identifier}").status_code == 404
    assert create(omni, api, STAGING_CONNECTION_ID).status_code == 201


def test_list(omni: OmniSimulator, api: httpx.Client) -> None:
    """GET lists the connection environments, or is an unknown route, depending on the dialect."""
    identifier = omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID, ["staging"])
    response = api.get(PATH)
    if not omni.dialect.connection_environment_list:
        assert response.status_code == 404
        return
    assert response.json() == {
        "connectionEnvironments": [
            {
                "baseConnectionId": CONNECTION_ID,
                "connectionId": STAGING_CONNECTION_ID,
                "id": identifier,
                "userAttributeValues": ["staging"],
            }
        ]
    }


def test_other_methods_are_invalid(api: httpx.Client) -> None:
    """Other methods on these two paths get 400 "Invalid method", as documented."""
    for response in (api.patch(PATH), api.put(PATH), api.post(f"{PATH}/{UNKNOWN}")):
        assert (response.status_code, response.json()) == (400, {"detail": "Invalid method", "status": 400})


def test_changes_in_the_omni_ui(omni: OmniSimulator, api: httpx.Client) -> None:
    """The API sees changes made by the simulator's methods. The methods raise KeyError for unknown IDs."""
    identifier = omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID, ["a"])
    omni.edit_connection_environment(identifier, ["b"])
    assert omni.connection_environments() == [
        {
            "id": identifier,
            "base_connection_id": CONNECTION_ID,
            "connection_id": STAGING_CONNECTION_ID,
            "user_attribute_values": ["b"],
        }
    ]
    omni.delete_connection_environment(identifier)
    assert put(omni, api, identifier, "x").status_code == 404
    with pytest.raises(KeyError):
        omni.edit_connection_environment(identifier, [])
    with pytest.raises(KeyError):
        omni.add_connection_environment(CONNECTION_ID, UNKNOWN)
