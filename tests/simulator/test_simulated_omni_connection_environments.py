"""Connection environments at the local Omni."""

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


def wire(omni: OmniSimulator, *values: str) -> str | list[str]:
    """Values as the dialect sends them."""
    return ",".join(values) if omni.dialect.connection_environments == "pages" else list(values)


def create(omni: OmniSimulator, api: httpx.Client, *connection_ids: str, base: str = CONNECTION_ID) -> httpx.Response:
    """POST in the wire form of the dialect."""
    body = {"baseConnectionId": base, "environmentConnectionIds": wire(omni, *connection_ids)}
    return api.post(PATH, json=body)


def put(omni: OmniSimulator, api: httpx.Client, identifier: str, *values: str) -> httpx.Response:
    """PUT in the wire form of the dialect."""
    return api.put(f"{PATH}/{identifier}", json={"userAttributeValues": wire(omni, *values)})


def test_create(omni: OmniSimulator, api: httpx.Client) -> None:
    """POST answers 201 with one item per connection, in the order sent. No values are set yet."""
    answer = create(omni, api, STAGING_CONNECTION_ID, DEVELOPMENT_CONNECTION_ID)
    assert answer.status_code == 201
    stored = omni.connection_environments()
    assert [each["connection_id"] for each in stored] == [STAGING_CONNECTION_ID, DEVELOPMENT_CONNECTION_ID]
    if omni.dialect.connection_environments == "pages":
        data = [{"id": each["id"], "environmentConnectionId": each["connection_id"]} for each in stored]
        assert answer.json() == {"success": True, "data": data}
    else:
        assert answer.json()["connectionEnvironments"][0] == {
            "baseConnectionId": CONNECTION_ID,
            "connectionId": STAGING_CONNECTION_ID,
            "id": stored[0]["id"],
            "userAttributeValues": [],
        }


def test_the_other_wire_form_is_refused(omni: OmniSimulator, api: httpx.Client) -> None:
    """Strings in one source, arrays in the other: the wrong one is a 400 about that field, and nothing is written."""
    pages = omni.dialect.connection_environments == "pages"
    body = {
        "baseConnectionId": CONNECTION_ID,
        "environmentConnectionIds": [STAGING_CONNECTION_ID] if pages else STAGING_CONNECTION_ID,
    }
    answer = api.post(PATH, json=body)
    assert answer.status_code == 400
    assert "environmentConnectionIds" in answer.json()["detail"]
    identifier = omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID)
    answer = api.put(f"{PATH}/{identifier}", json={"userAttributeValues": ["a"] if pages else "a"})
    assert answer.status_code == 400
    assert "userAttributeValues" in answer.json()["detail"]


@pytest.mark.parametrize(
    "invalid", [UNKNOWN, CONNECTION_ID, OTHER_DIALECT_CONNECTION_ID, DEVELOPMENT_CONNECTION_ID, "twice"]
)
def test_which_connections_are_valid(omni: OmniSimulator, api: httpx.Client, invalid: str) -> None:
    """An environment connection exists, has the base's kind of database, is not the base and not used for it already;
    otherwise none of the request's connections is taken, and the answer names those at fault."""
    omni.add_connection_environment(CONNECTION_ID, DEVELOPMENT_CONNECTION_ID)
    wrong = STAGING_CONNECTION_ID if invalid == "twice" else invalid
    answer = create(omni, api, STAGING_CONNECTION_ID, wrong)
    assert answer.status_code == 400
    assert answer.json() == {
        "detail": f"The following environment connection IDs are not valid for this connection: {wrong}",
        "status": 400,
    }
    assert len(omni.connection_environments()) == 1


def test_one_connection_for_two_bases(omni: OmniSimulator, api: httpx.Client) -> None:
    """A connection may be an environment of another base as well."""
    assert create(omni, api, STAGING_CONNECTION_ID).status_code == 201
    assert create(omni, api, STAGING_CONNECTION_ID, base=OTHER_CONNECTION_ID).status_code == 201


def test_refused_creations(omni: OmniSimulator, api: httpx.Client) -> None:
    """Ids are UUIDs, the base exists, the body is a JSON object with these two fields."""
    answer = create(omni, api, STAGING_CONNECTION_ID, base="warehouse")
    assert answer.json()["detail"] == "Bad Request: baseConnectionId: Base connection ID must be a valid UUID"
    answer = create(omni, api, "staging")
    assert answer.json()["detail"] == (
        "Bad Request: environmentConnectionIds: All environment connection IDs must be valid UUIDs"
    )
    answer = create(omni, api, STAGING_CONNECTION_ID, base=UNKNOWN)
    assert (answer.status_code, answer.json()["detail"]) == (404, f"Connection with id {UNKNOWN} does not exist")
    assert api.post(PATH, content=b"{").json() == {"detail": "Bad Request: Invalid JSON", "status": 400}
    whole: dict[str, Any] = {"baseConnectionId": CONNECTION_ID, "environmentConnectionIds": wire(omni)}
    refused: list[object] = [[], {}, {"baseConnectionId": CONNECTION_ID}, {**whole, "name": "x"}]
    for body in refused:
        assert api.post(PATH, json=body).status_code == 400
    assert omni.connection_environments() == []


def test_update_replaces_the_values(omni: OmniSimulator, api: httpx.Client) -> None:
    """PUT answers `success` only and sets all values; none is a set too."""
    identifier = omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID, ["old"])
    for values in (["dev", "staging"], ["staging"], []):
        answer = put(omni, api, identifier, *values)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        assert omni.connection_environments()[0]["user_attribute_values"] == values


def test_values_are_unique_within_a_base(omni: OmniSimulator, api: httpx.Client) -> None:
    """A value chooses one environment of a base connection; another base may use it again."""
    identifier = omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID, ["staging"])
    omni.add_connection_environment(CONNECTION_ID, DEVELOPMENT_CONNECTION_ID, ["dev"])
    omni.add_connection_environment(OTHER_CONNECTION_ID, DEVELOPMENT_CONNECTION_ID, ["elsewhere"])
    for values in (["x", "dev"], ["dev", "dev"]):
        answer = put(omni, api, identifier, *values)
        assert answer.status_code == 400
        assert answer.json()["detail"] == 'User attribute value "dev" is already in use'
    assert put(omni, api, identifier, "staging", "elsewhere").status_code == 200


def test_update_and_delete_need_an_existing_one(omni: OmniSimulator, api: httpx.Client) -> None:
    """The id is the association's own UUID, not the environment connection's as in the old guide's example."""
    omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID)
    for identifier in (UNKNOWN, STAGING_CONNECTION_ID):
        for answer in (put(omni, api, identifier, "x"), api.delete(f"{PATH}/{identifier}")):
            assert answer.status_code == 404
            assert answer.json()["detail"] == f"Connection environment with id {identifier} does not exist"
    answer = put(omni, api, "staging", "x")
    assert (answer.status_code, answer.json()["detail"]) == (400, "Bad Request: id: Invalid uuid")


def test_delete(omni: OmniSimulator, api: httpx.Client) -> None:
    """DELETE removes the association; the connection can then be used again."""
    identifier = omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID)
    answer = api.delete(f"{PATH}/{identifier}")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert api.delete(f"{PATH}/{identifier}").status_code == 404
    assert create(omni, api, STAGING_CONNECTION_ID).status_code == 201


def test_the_list_may_not_exist(omni: OmniSimulator, api: httpx.Client) -> None:
    """The list is in one source only; where it is missing, it is an unknown route."""
    identifier = omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID, ["staging"])
    answer = api.get(PATH)
    if not omni.dialect.connection_environment_list:
        assert answer.status_code == 404
        return
    assert answer.json() == {
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
    """The page documents 400 "Invalid method" for these two paths."""
    for answer in (api.patch(PATH), api.put(PATH), api.post(f"{PATH}/{UNKNOWN}")):
        assert (answer.status_code, answer.json()) == (400, {"detail": "Invalid method", "status": 400})


def test_the_web_page(omni: OmniSimulator, api: httpx.Client) -> None:
    """What is changed in the web page is what the API finds."""
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
