"""dbt environments and their variables of the Omni simulator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from omni_pulumi.simulator import (
    GENERATED,
    OTHER_CONNECTION_ID,
    OTHER_USER_ID,
    PAGES,
    USER_ID,
    Dialect,
    OmniSimulator,
)

StartOmni = Callable[[Dialect], OmniSimulator]
Connect = Callable[[str, str], httpx.Client]

UNKNOWN = "11111111-2222-4333-8444-555555555555"
PATH = f"/api/v1/connections/{OmniSimulator.connection_id}/dbt/environments"
BODY = {"name": "Development", "targetSchema": "dev"}


def listed(api: httpx.Client, **query: str) -> list[dict[str, Any]]:
    """Returns the environments of the first page, from either format of the list."""
    response = api.get(PATH, params=query)
    assert response.status_code == 200
    body = response.json()
    found: list[dict[str, Any]] = body if isinstance(body, list) else body["records"]
    return found


def created(api: httpx.Client, **fields: Any) -> dict[str, Any]:
    """Creates an environment and returns it from the response."""
    response = api.post(PATH, json={**BODY, **fields})
    assert response.status_code == 201
    environment: dict[str, Any] = response.json()
    return environment


def updated(api: httpx.Client, identifier: str, **fields: Any) -> dict[str, Any]:
    """Updates an environment and returns it from the response."""
    response = api.put(f"{PATH}/{identifier}", json={**BODY, **fields})
    assert response.status_code == 200, response.text
    environment: dict[str, Any] = response.json()
    return environment


def values(omni: OmniSimulator) -> dict[str, str]:
    """Returns the stored variable values of the only environment."""
    (environment,) = omni.environments(omni.connection_id)
    return {variable["name"]: variable["value"] for variable in environment["variables"]}


def test_omni_creates_the_default_environment(omni: OmniSimulator, api: httpx.Client) -> None:
    """Configuring dbt creates a shared default environment once. Environments created by POST are not the default."""
    omni.configure_dbt(omni.connection_id)
    omni.configure_dbt(omni.connection_id, branch="main")
    (default,) = listed(api)
    assert (default["name"], default["targetSchema"]) == ("Production", "public")
    assert default["isDefaultEnvironment"] is True
    assert default["ownerId"] is None
    assert created(api)["isDefaultEnvironment"] is False


def test_deleting_the_default_environment(omni: OmniSimulator, api: httpx.Client) -> None:
    """The dialect says whether the default environment can be deleted."""
    omni.configure_dbt(omni.connection_id)
    (default,) = listed(api)
    response = api.delete(f"{PATH}/{default['id']}")
    assert response.status_code == (200 if omni.dialect.default_environment_deletable else 400)
    assert len(listed(api)) == (0 if omni.dialect.default_environment_deletable else 1)


def test_create(api: httpx.Client) -> None:
    """POST responds with 201 and the environment, with null for omitted fields. The list contains the same."""
    environment = created(api)
    assert environment == {
        **BODY,
        "id": environment["id"],
        "isDefaultEnvironment": False,
        "ownerId": None,
        "targetDatabase": None,
        "targetName": None,
        "targetRole": None,
        "variables": [],
    }
    assert listed(api) == [environment]


def test_names_need_not_be_unique(api: httpx.Client) -> None:
    """A repeated POST creates two environments with the same name."""
    assert created(api)["id"] != created(api)["id"]
    assert len(listed(api)) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": None},
        {"targetSchema": ""},
        {"targetSchema": 1},
        {"targetDatabase": 1},
        {"targetName": []},
        {"targetRole": False},
        {"ownerId": 7},
        {"isDefaultEnvironment": True},
        {"variables": None},
        {"variables": {}},
        {"variables": ["A"]},
        {"variables": [{"name": "A", "value": "1"}]},
        {"variables": [{"name": "", "value": "1", "isSecret": False}]},
        {"variables": [{"name": "A", "value": None, "isSecret": True}]},
        {"variables": [{"name": "A", "value": "1", "isSecret": "no"}]},
        {"variables": [{"name": "A", "value": "1", "isSecret": False, "note": "x"}]},
        {"variables": [{"name": "A", "value": v, "isSecret": False} for v in "12"]},
    ],
)
def test_rejected_fields(omni: OmniSimulator, api: httpx.Client, wrong: dict[str, Any]) -> None:
    """Wrong types, empty strings, unknown fields and repeated variable names get 400. Nothing is stored."""
    response = api.post(PATH, json={**BODY, **wrong})
    assert response.status_code == 400
    assert next(iter(wrong)) in response.text
    assert omni.environments(omni.connection_id) == []
    existing = created(api)
    assert api.put(f"{PATH}/{existing['id']}", json={**BODY, **wrong}).status_code == 400
    assert listed(api) == [existing]


def test_create_rejects_empty_variables(api: httpx.Client) -> None:
    """A POST with empty `variables` gets 400."""
    assert api.post(PATH, json={**BODY, "variables": []}).status_code == 400


@pytest.mark.parametrize("name", BODY)
def test_create_requires_name_and_schema(api: httpx.Client, name: str) -> None:
    """A POST without `name` or `targetSchema` gets 400."""
    assert api.post(PATH, json={key: value for key, value in BODY.items() if key != name}).status_code == 400


def test_fields_required_by_an_update(omni: OmniSimulator, api: httpx.Client) -> None:
    """In the documentation pages every field of a PUT is optional. The generated document requires name and schema."""
    environment = created(api)
    response = api.put(f"{PATH}/{environment['id']}", json={"name": "Renamed"})
    assert response.status_code == (200 if omni.dialect == PAGES else 400)


def test_omitted_fields(omni: OmniSimulator, api: httpx.Client) -> None:
    """A PUT keeps the fields that it omits or resets them to null and no variables, depending on the dialect."""
    fields = {"targetDatabase": "db", "targetName": "t", "targetRole": "r", "ownerId": USER_ID}
    environment = created(api, **fields, variables=[{"name": "A", "value": "1", "isSecret": False}])
    after = updated(api, environment["id"], name="Renamed")
    assert after["name"] == "Renamed"
    if omni.dialect.omitted_fields == "kept":
        assert after == {**environment, "name": "Renamed"}
    else:
        assert {name: after[name] for name in fields} == dict.fromkeys(fields)
        assert after["variables"] == []


def test_null_clears_a_field(api: httpx.Client) -> None:
    """A null `targetRole` or `ownerId` in a PUT removes it."""
    environment = created(api, targetRole="r", ownerId=USER_ID)
    after = updated(api, environment["id"], targetRole=None, ownerId=None)
    assert (after["targetRole"], after["ownerId"]) == (None, None)


def test_responses_contain_no_secret_values(omni: OmniSimulator, api: httpx.Client) -> None:
    """A secret value is null in the responses to POST, PUT and GET."""
    variables = [
        {"name": "TOKEN", "value": "s3cret", "isSecret": True},
        {"name": "TARGET", "value": "dev", "isSecret": False},
    ]
    environment = created(api, variables=variables)
    assert [variable["value"] for variable in environment["variables"]] == [None, "dev"]
    known = [{"id": each["id"], "isSecret": each["isSecret"], "value": "new"} for each in environment["variables"]]
    after = updated(api, environment["id"], variables=known)
    assert [variable["value"] for variable in after["variables"]] == [None, "new"]
    assert listed(api) == [after]
    assert values(omni) == {"TOKEN": "new", "TARGET": "new"}


@pytest.mark.parametrize("nothing", [{}, {"value": None}], ids=["omitted", "null"])
def test_a_secret_is_kept(omni: OmniSimulator, api: httpx.Client, nothing: dict[str, None]) -> None:
    """A PUT that omits a secret value, or sends null, keeps it."""
    environment = created(api, variables=[{"name": "TOKEN", "value": "s3cret", "isSecret": True}])
    (variable,) = environment["variables"]
    updated(api, environment["id"], variables=[{"id": variable["id"], "isSecret": True, **nothing}])
    assert values(omni) == {"TOKEN": "s3cret"}


def test_a_secret_becomes_public_only_with_a_new_value(api: httpx.Client) -> None:
    """A secret variable cannot become public without a new value."""
    environment = created(api, variables=[{"name": "TOKEN", "value": "s3cret", "isSecret": True}])
    item: dict[str, Any] = {"id": environment["variables"][0]["id"], "isSecret": False}
    assert api.put(f"{PATH}/{environment['id']}", json={**BODY, "variables": [item]}).status_code == 400
    after = updated(api, environment["id"], variables=[{**item, "value": "open"}])
    assert after["variables"][0]["value"] == "open"


def test_items_with_and_without_an_id(api: httpx.Client) -> None:
    """An item with an ID updates that variable. An item without an ID creates a variable."""
    environment = created(api, variables=[{"name": "A", "value": "1", "isSecret": False}])
    known = {"id": environment["variables"][0]["id"], "value": "2", "isSecret": False}
    after = updated(api, environment["id"], variables=[{"name": "B", "value": "3", "isSecret": False}, known])
    assert after["variables"][0] == {**known, "name": "A"}
    assert after["variables"][1]["name"] == "B"


def test_names_with_an_id(omni: OmniSimulator, api: httpx.Client) -> None:
    """The dialect says whether an item can have both ID and name. The name of a variable cannot change."""
    environment = created(api, variables=[{"name": "A", "value": "1", "isSecret": False}])
    known = {"id": environment["variables"][0]["id"], "value": "2", "isSecret": False}
    same = api.put(f"{PATH}/{environment['id']}", json={**BODY, "variables": [{**known, "name": "A"}]})
    assert same.status_code == (200 if omni.dialect.named_variable_updates else 400)
    other = api.put(f"{PATH}/{environment['id']}", json={**BODY, "variables": [{**known, "name": "B"}]})
    assert other.status_code == 400


@pytest.mark.parametrize("omitted", ["kept", "deleted"])
def test_omitted_variables(start_omni: StartOmni, connect: Connect, omitted: Any) -> None:
    """A PUT keeps or deletes the variables that it omits, depending on the dialect."""
    omni = start_omni(replace(PAGES, omitted_variables=omitted))
    api = connect(omni.url, f"Bearer {omni.api_key}")
    variables = [{"name": name, "value": "1", "isSecret": False} for name in "AB"]
    environment = created(api, variables=variables)
    updated(api, environment["id"], variables=[{"id": environment["variables"][1]["id"], "isSecret": False}])
    assert list(values(omni)) == (["A", "B"] if omitted == "kept" else ["B"])
    updated(api, environment["id"], variables=[])
    assert list(values(omni)) == (["A", "B"] if omitted == "kept" else [])


def test_rejected_variable_updates(omni: OmniSimulator, api: httpx.Client) -> None:
    """An unknown ID, a repeated ID or name, and an item without `isSecret` get 400."""
    environment = created(api, variables=[{"name": "A", "value": "1", "isSecret": False}])
    known = {"id": environment["variables"][0]["id"], "isSecret": False}
    new = {"name": "A", "value": "2", "isSecret": False}
    for variables in ([{**known, "id": UNKNOWN}], [known, known], [known, new], [{"id": known["id"]}]):
        response = api.put(f"{PATH}/{environment['id']}", json={**BODY, "variables": variables})
        assert response.status_code == 400
        assert "variables" in response.text
    assert values(omni) == {"A": "1"}


def test_owners(omni: OmniSimulator, api: httpx.Client, connect: Connect) -> None:
    """An Organization API key can set any member as owner, a personal access token only its own user or none.

    A user who is not a member gets 400.
    """
    assert created(api, ownerId=OTHER_USER_ID)["ownerId"] == OTHER_USER_ID
    assert api.post(PATH, json={**BODY, "ownerId": UNKNOWN}).status_code == 400

    personal = connect(omni.url, f"Bearer {omni.personal_access_token}")
    assert created(personal)["ownerId"] == USER_ID
    assert created(personal, ownerId=USER_ID)["ownerId"] == USER_ID
    shared = created(personal, ownerId=None)
    assert shared["ownerId"] is None
    assert personal.post(PATH, json={**BODY, "ownerId": OTHER_USER_ID}).status_code == 403
    assert personal.put(f"{PATH}/{shared['id']}", json={**BODY, "ownerId": OTHER_USER_ID}).status_code == 403
    assert personal.post(PATH, json={**BODY, "ownerId": UNKNOWN}).status_code == 400


def test_an_environment_belongs_to_its_connection(omni: OmniSimulator, api: httpx.Client) -> None:
    """The ID of an environment of another connection gets 404. An ID that is no UUID gets 400."""
    elsewhere = omni.add_environment(OTHER_CONNECTION_ID, name="Elsewhere", target_schema="x")
    assert listed(api) == []
    for identifier, status in ((elsewhere, 404), (UNKNOWN, 404), ("production", 400)):
        assert api.put(f"{PATH}/{identifier}", json=BODY).status_code == status
        assert api.delete(f"{PATH}/{identifier}").status_code == status


def test_delete(omni: OmniSimulator, api: httpx.Client) -> None:
    """DELETE responds with `success`, in one dialect also with a message. A second DELETE gets 404."""
    path = f"{PATH}/{created(api)['id']}"
    response = api.delete(path)
    assert (response.status_code, response.json()["success"]) == (200, True)
    assert ("message" in response.json()) == omni.dialect.environment_delete_message
    assert api.delete(path).status_code == 404
    assert omni.environments(omni.connection_id) == []


def test_paging(start_omni: StartOmni, connect: Connect) -> None:
    """The paged list has 20 records by default, by name descending. Following the cursors returns each record once.

    Deleting a record that was already returned does not affect the next page.
    """
    omni = start_omni(GENERATED)
    api = connect(omni.url, f"Bearer {omni.api_key}")
    names = [f"PR_{number:02}" for number in range(45)]
    for name in names:
        omni.add_environment(omni.connection_id, name=name, target_schema="x")
    first = api.get(PATH).json()
    assert [record["name"] for record in first["records"]] == names[:-21:-1]
    cursor = first["pageInfo"].pop("nextCursor")
    assert first["pageInfo"] == {"hasNextPage": True, "pageSize": 20, "totalRecords": 45}

    omni.delete_environment(first["records"][-1]["id"])
    second = api.get(PATH, params={"cursor": cursor, "pageSize": "100"}).json()
    assert [record["name"] for record in second["records"]] == names[-21::-1]
    assert (second["pageInfo"]["hasNextPage"], second["pageInfo"]["nextCursor"]) == (False, None)
    assert [each["name"] for each in listed(api, sortDirection="asc", pageSize="3")] == names[:3]


@pytest.mark.parametrize(
    "query",
    [
        {"pageSize": "0"},
        {"pageSize": "101"},
        {"pageSize": "x"},
        {"cursor": "x"},
        {"cursor": "MQ=="},
        {"sortDirection": "up"},
        {"sortField": "id"},
    ],
)
def test_rejected_queries(start_omni: StartOmni, connect: Connect, query: dict[str, str]) -> None:
    """The paged list rejects invalid page sizes, cursors and sorting. The array ignores its query."""
    for dialect, status in ((GENERATED, 400), (PAGES, 200)):
        omni = start_omni(dialect)
        assert connect(omni.url, f"Bearer {omni.api_key}").get(PATH, params=query).status_code == status


def test_the_page_size_can_be_limited() -> None:
    """`page_size_limit` limits the page size, so that few environments fill several pages."""
    with OmniSimulator(dialect=GENERATED, page_size_limit=1) as omni:
        for name in "AB":
            omni.add_environment(omni.connection_id, name=name, target_schema="x")
        headers = {"Authorization": f"Bearer {omni.api_key}"}
        response = httpx.get(f"{omni.url}{PATH}?pageSize=100", headers=headers).json()
        assert len(response["records"]) == 1
        assert response["pageInfo"]["hasNextPage"] is True


def test_changes_in_the_omni_ui(omni: OmniSimulator, api: httpx.Client) -> None:
    """The API sees changes made by the simulator's methods. `environments` includes secret values."""
    identifier = omni.add_environment(omni.connection_id, name="Web", target_schema="web", target_role="r")
    omni.edit_environment(identifier, target_schema="changed")
    omni.set_variable(identifier, "A", "1")
    omni.set_variable(identifier, "TOKEN", "s3cret", is_secret=True)
    (before,) = listed(api)
    assert (before["targetSchema"], before["targetRole"]) == ("changed", "r")
    assert [(each["name"], each["value"]) for each in before["variables"]] == [("A", "1"), ("TOKEN", None)]
    omni.set_variable(identifier, "A", "2")
    omni.remove_variable(identifier, "TOKEN")
    assert listed(api)[0]["variables"] == [{**before["variables"][0], "value": "2"}]
    (stored,) = omni.environments(omni.connection_id)
    assert stored["variables"] == [{"id": before["variables"][0]["id"], "name": "A", "value": "2", "is_secret": False}]
    with pytest.raises(KeyError):
        omni.remove_variable(identifier, "TOKEN")
    omni.delete_environment(identifier)
    with pytest.raises(KeyError):
        omni.delete_environment(identifier)
