"""dbt environments and their variables at the local Omni."""

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

OmniStart = Callable[[Dialect], OmniSimulator]
Connect = Callable[[str, str], httpx.Client]

UNKNOWN = "11111111-2222-4333-8444-555555555555"
PATH = f"/api/v1/connections/{OmniSimulator.connection_id}/dbt/environments"
BODY = {"name": "Development", "targetSchema": "dev"}


def listed(api: httpx.Client, **query: str) -> list[dict[str, Any]]:
    """The environments of the first page, in either form of the list."""
    answer = api.get(PATH, params=query)
    assert answer.status_code == 200
    body = answer.json()
    found: list[dict[str, Any]] = body if isinstance(body, list) else body["records"]
    return found


def created(api: httpx.Client, **fields: Any) -> dict[str, Any]:
    """A new environment as the answer to its creation shows it."""
    answer = api.post(PATH, json={**BODY, **fields})
    assert answer.status_code == 201
    environment: dict[str, Any] = answer.json()
    return environment


def updated(api: httpx.Client, identifier: str, **fields: Any) -> dict[str, Any]:
    """An environment as the answer to its update shows it."""
    answer = api.put(f"{PATH}/{identifier}", json={**BODY, **fields})
    assert answer.status_code == 200, answer.text
    environment: dict[str, Any] = answer.json()
    return environment


def values(omni: OmniSimulator) -> dict[str, str]:
    """What the service stores for the variables of the only environment."""
    (environment,) = omni.environments(omni.connection_id)
    return {variable["name"]: variable["value"] for variable in environment["variables"]}


def test_the_default_environment_comes_with_dbt(omni: OmniSimulator, api: httpx.Client) -> None:
    """Omni creates a shared production environment when dbt is set up, and no other becomes the default."""
    omni.configure_dbt(omni.connection_id)
    omni.configure_dbt(omni.connection_id, branch="main")
    (default,) = listed(api)
    assert (default["name"], default["targetSchema"]) == ("Production", "public")
    assert default["isDefaultEnvironment"] is True
    assert default["ownerId"] is None
    assert created(api)["isDefaultEnvironment"] is False


def test_deleting_the_default_environment(omni: OmniSimulator, api: httpx.Client) -> None:
    """No source says whether the default environment can be deleted: it depends on the dialect."""
    omni.configure_dbt(omni.connection_id)
    (default,) = listed(api)
    answer = api.delete(f"{PATH}/{default['id']}")
    assert answer.status_code == (200 if omni.dialect.default_environment_deletable else 400)
    assert len(listed(api)) == (0 if omni.dialect.default_environment_deletable else 1)


def test_create_answers_the_whole_environment(api: httpx.Client) -> None:
    """POST answers 201 with the environment, null for what was left out, and the list shows the same."""
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
    """No source calls for unique names: a request sent twice leaves two environments."""
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
def test_refused_fields(omni: OmniSimulator, api: httpx.Client, wrong: dict[str, Any]) -> None:
    """Types, minimal lengths, unknown fields and repeated variable names are refused, with nothing stored."""
    answer = api.post(PATH, json={**BODY, **wrong})
    assert answer.status_code == 400
    assert next(iter(wrong)) in answer.text
    assert omni.environments(omni.connection_id) == []
    existing = created(api)
    assert api.put(f"{PATH}/{existing['id']}", json={**BODY, **wrong}).status_code == 400
    assert listed(api) == [existing]


def test_variables_hold_one_at_least_on_create(api: httpx.Client) -> None:
    """Where a creation includes `variables`, at least one is in it."""
    assert api.post(PATH, json={**BODY, "variables": []}).status_code == 400


@pytest.mark.parametrize("name", BODY)
def test_create_needs_name_and_schema(api: httpx.Client, name: str) -> None:
    """A creation carries both."""
    assert api.post(PATH, json={key: value for key, value in BODY.items() if key != name}).status_code == 400


def test_what_an_update_needs(omni: OmniSimulator, api: httpx.Client) -> None:
    """The page calls every field of an update optional; the generated document requires name and schema."""
    environment = created(api)
    answer = api.put(f"{PATH}/{environment['id']}", json={"name": "Renamed"})
    assert answer.status_code == (200 if omni.dialect == PAGES else 400)


def test_omitted_fields(omni: OmniSimulator, api: httpx.Client) -> None:
    """One source says that an update keeps what it omits, the other gives null and no variables as defaults."""
    fields = {"targetDatabase": "db", "targetName": "t", "targetRole": "r", "ownerId": USER_ID}
    environment = created(api, **fields, variables=[{"name": "A", "value": "1", "isSecret": False}])
    after = updated(api, environment["id"], name="Renamed")
    assert after["name"] == "Renamed"
    if omni.dialect.omitted_fields == "kept":
        assert after == {**environment, "name": "Renamed"}
    else:
        assert {name: after[name] for name in fields} == dict.fromkeys(fields)
        assert after["variables"] == []


def test_null_clears(api: httpx.Client) -> None:
    """null is a value of its own: no override, no owner."""
    environment = created(api, targetRole="r", ownerId=USER_ID)
    after = updated(api, environment["id"], targetRole=None, ownerId=None)
    assert (after["targetRole"], after["ownerId"]) == (None, None)


def test_secrets_never_come_back(omni: OmniSimulator, api: httpx.Client) -> None:
    """A secret's value is null in the answers to POST, PUT and GET."""
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
    """A known secret without a value, or with null, keeps the one it has."""
    environment = created(api, variables=[{"name": "TOKEN", "value": "s3cret", "isSecret": True}])
    (variable,) = environment["variables"]
    updated(api, environment["id"], variables=[{"id": variable["id"], "isSecret": True, **nothing}])
    assert values(omni) == {"TOKEN": "s3cret"}


def test_a_kept_secret_does_not_become_public(api: httpx.Client) -> None:
    """A secret cannot be read by calling it public: that takes a new value."""
    environment = created(api, variables=[{"name": "TOKEN", "value": "s3cret", "isSecret": True}])
    item: dict[str, Any] = {"id": environment["variables"][0]["id"], "isSecret": False}
    assert api.put(f"{PATH}/{environment['id']}", json={**BODY, "variables": [item]}).status_code == 400
    after = updated(api, environment["id"], variables=[{**item, "value": "open"}])
    assert after["variables"][0]["value"] == "open"


def test_an_id_keeps_the_variable(api: httpx.Client) -> None:
    """Items with an id update that variable, items without create one."""
    environment = created(api, variables=[{"name": "A", "value": "1", "isSecret": False}])
    known = {"id": environment["variables"][0]["id"], "value": "2", "isSecret": False}
    after = updated(api, environment["id"], variables=[{"name": "B", "value": "3", "isSecret": False}, known])
    assert after["variables"][0] == {**known, "name": "A"}
    assert after["variables"][1]["name"] == "B"


def test_names_with_an_id(omni: OmniSimulator, api: httpx.Client) -> None:
    """The page's example sends id and name; the generated document allows no name there. Neither changes a name."""
    environment = created(api, variables=[{"name": "A", "value": "1", "isSecret": False}])
    known = {"id": environment["variables"][0]["id"], "value": "2", "isSecret": False}
    same = api.put(f"{PATH}/{environment['id']}", json={**BODY, "variables": [{**known, "name": "A"}]})
    assert same.status_code == (200 if omni.dialect.named_variable_updates else 400)
    other = api.put(f"{PATH}/{environment['id']}", json={**BODY, "variables": [{**known, "name": "B"}]})
    assert other.status_code == 400


@pytest.mark.parametrize("omitted", ["kept", "deleted"])
def test_omitted_variables(omni_with: OmniStart, connect: Connect, omitted: Any) -> None:
    """Nobody says whether a variable that an update leaves out is deleted: both can be tried."""
    omni = omni_with(replace(PAGES, omitted_variables=omitted))
    api = connect(omni.url, f"Bearer {omni.api_key}")
    variables = [{"name": name, "value": "1", "isSecret": False} for name in "AB"]
    environment = created(api, variables=variables)
    updated(api, environment["id"], variables=[{"id": environment["variables"][1]["id"], "isSecret": False}])
    assert list(values(omni)) == (["A", "B"] if omitted == "kept" else ["B"])
    updated(api, environment["id"], variables=[])
    assert list(values(omni)) == (["A", "B"] if omitted == "kept" else [])


def test_refused_variable_updates(omni: OmniSimulator, api: httpx.Client) -> None:
    """An unknown id, the same id or name twice, and an item without `isSecret` are refused."""
    environment = created(api, variables=[{"name": "A", "value": "1", "isSecret": False}])
    known = {"id": environment["variables"][0]["id"], "isSecret": False}
    new = {"name": "A", "value": "2", "isSecret": False}
    for variables in ([{**known, "id": UNKNOWN}], [known, known], [known, new], [{"id": known["id"]}]):
        answer = api.put(f"{PATH}/{environment['id']}", json={**BODY, "variables": variables})
        assert answer.status_code == 400
        assert "variables" in answer.text
    assert values(omni) == {"A": "1"}


def test_owners(omni: OmniSimulator, api: httpx.Client, connect: Connect) -> None:
    """An Organization API key names any member as owner; a personal access token owns what it creates, may make it
    shared, and names no other user. Who is no member is refused."""
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
    """An environment's id is a UUID (400) of an environment of this connection (404)."""
    elsewhere = omni.add_environment(OTHER_CONNECTION_ID, name="Elsewhere", target_schema="x")
    assert listed(api) == []
    for identifier, status in ((elsewhere, 404), (UNKNOWN, 404), ("production", 400)):
        assert api.put(f"{PATH}/{identifier}", json=BODY).status_code == status
        assert api.delete(f"{PATH}/{identifier}").status_code == status


def test_delete(omni: OmniSimulator, api: httpx.Client) -> None:
    """DELETE answers `success`, in one source with a message, and 404 the second time."""
    path = f"{PATH}/{created(api)['id']}"
    answer = api.delete(path)
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert ("message" in answer.json()) == omni.dialect.environment_delete_message
    assert api.delete(path).status_code == 404
    assert omni.environments(omni.connection_id) == []


def test_pages(omni_with: OmniStart, connect: Connect) -> None:
    """The paged list holds 20 by name descending unless asked otherwise; following the cursors gives all, once each,
    though one that was seen is deleted on the way."""
    omni = omni_with(GENERATED)
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
def test_refused_queries(omni_with: OmniStart, connect: Connect, query: dict[str, str]) -> None:
    """The paged list takes 1 to 100 records, a cursor of its own, and its documented sorting. The array takes no query
    and ignores one."""
    for dialect, status in ((GENERATED, 400), (PAGES, 200)):
        omni = omni_with(dialect)
        assert connect(omni.url, f"Bearer {omni.api_key}").get(PATH, params=query).status_code == status


def test_the_page_size_can_be_limited() -> None:
    """A test need not create a hundred environments to see a second page."""
    with OmniSimulator(dialect=GENERATED, page_size_limit=1) as omni:
        for name in "AB":
            omni.add_environment(omni.connection_id, name=name, target_schema="x")
        headers = {"Authorization": f"Bearer {omni.api_key}"}
        answer = httpx.get(f"{omni.url}{PATH}?pageSize=100", headers=headers).json()
        assert len(answer["records"]) == 1
        assert answer["pageInfo"]["hasNextPage"] is True


def test_the_web_page(omni: OmniSimulator, api: httpx.Client) -> None:
    """What is changed in the web page shows in the API; what the API is told is stored, secrets included."""
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
