"""The dbt configuration of a connection of the Omni simulator."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from omni_pulumi.simulator import CONNECTION_WITHOUT_DBT_ID, PAGES, OmniSimulator

DBT = f"/api/v1/connections/{OmniSimulator.connection_id}/dbt"
REQUIRED = {
    "autogenRelationships": True,
    "branch": "main",
    "enableVirtualSchemas": False,
    "sshUrl": "git@github.com:example/dbt.git",
}
WHOLE = {**REQUIRED, "dbtVersion": "1.11", "enableSemanticLayer": True, "projectRootPath": "analytics/dbt"}


def test_get_without_a_configuration_is_200(api: httpx.Client) -> None:
    """GET of a connection without dbt responds with 200, a message, and whether the connection supports dbt."""
    response = api.get(DBT)
    assert response.status_code == 200
    assert response.json() == {"message": "dbt not configured for this connection", "supportsDbt": True}
    assert api.get(f"/api/v1/connections/{CONNECTION_WITHOUT_DBT_ID}/dbt").json()["supportsDbt"] is False


def test_the_put_response_does_not_contain_the_configuration(api: httpx.Client) -> None:
    """PUT responds with a message and `success`. GET returns the configuration, with defaults for omitted fields."""
    response = api.put(DBT, json=REQUIRED)
    assert response.status_code == 200
    assert response.json() == {"message": "dbt configuration updated successfully", "success": True}
    assert api.get(DBT).json() == {
        **REQUIRED,
        "dbtVersion": "Auto",
        "enableSemanticLayer": False,
        "projectRootPath": None,
        "supportsDbt": True,
    }


def test_omitted_fields(omni: OmniSimulator, api: httpx.Client) -> None:
    """A PUT keeps the fields that it omits or resets them to their defaults, depending on the dialect."""
    api.put(DBT, json=WHOLE)
    assert api.get(DBT).json() == {**WHOLE, "supportsDbt": True}
    api.put(DBT, json={**REQUIRED, "branch": "develop"})
    kept = (
        WHOLE
        if omni.dialect.omitted_fields == "kept"
        else {
            "dbtVersion": "Auto",
            "enableSemanticLayer": False,
            "projectRootPath": None,
        }
    )
    assert api.get(DBT).json() == {**kept, **REQUIRED, "branch": "develop", "supportsDbt": True}


def test_a_null_version_becomes_auto(api: httpx.Client) -> None:
    """A null `dbtVersion` in a request is "Auto" in the response to GET."""
    api.put(DBT, json={**WHOLE, "dbtVersion": None})
    assert api.get(DBT).json()["dbtVersion"] == "Auto"


def test_dbt_versions(omni: OmniSimulator, api: httpx.Client) -> None:
    """The documentation pages accept a closed list of dbt versions, the generated document accepts any text."""
    response = api.put(DBT, json={**REQUIRED, "dbtVersion": "1.12"})
    assert response.status_code == (400 if omni.dialect == PAGES else 200)


@pytest.mark.parametrize("path", ["", None, "dbt", "a b/c-d_e.f", "a/b/"])
def test_accepted_project_roots(api: httpx.Client, path: str | None) -> None:
    """`projectRootPath` can be a relative path, empty or null."""
    assert api.put(DBT, json={**REQUIRED, "projectRootPath": path}).status_code == 200
    assert api.get(DBT).json()["projectRootPath"] == path


@pytest.mark.parametrize(
    "wrong",
    [
        {"projectRootPath": "/dbt"},
        {"projectRootPath": "a/../b"},
        {"projectRootPath": "a*b"},
        {"projectRootPath": "dbt\n"},
        {"projectRootPath": 5},
        {"branch": ""},
        {"sshUrl": ""},
        {"branch": None},
        {"sshUrl": 1},
        {"autogenRelationships": "true"},
        {"enableVirtualSchemas": None},
        {"enableSemanticLayer": 1},
        {"rotateKeys": "yes"},
        {"dbtVersion": 1.11},
        {"supportsDbt": True},
    ],
)
def test_rejected_fields(omni: OmniSimulator, api: httpx.Client, wrong: dict[str, Any]) -> None:
    """Wrong types, empty strings, invalid root paths and unknown fields get a 400 that names the field."""
    response = api.put(DBT, json={**REQUIRED, **wrong})
    assert response.status_code == 400
    assert next(iter(wrong)) in response.text
    assert omni.dbt_configuration(omni.connection_id) is None


@pytest.mark.parametrize("name", REQUIRED)
def test_required_fields(api: httpx.Client, name: str) -> None:
    """Every PUT requires four fields, including updates."""
    api.put(DBT, json=REQUIRED)
    response = api.put(DBT, json={key: value for key, value in REQUIRED.items() if key != name})
    assert response.status_code == 400
    assert name in response.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"branch": NaN}'])
def test_the_body_must_be_a_json_object(api: httpx.Client, body: bytes) -> None:
    """A body that is not a JSON object gets 400."""
    assert api.put(DBT, content=body).status_code == 400


def test_rotate_keys(omni: OmniSimulator, api: httpx.Client) -> None:
    """Each PUT with `rotateKeys` true rotates the keys once. GET does not return `rotateKeys`."""
    api.put(DBT, json=REQUIRED)
    assert omni.key_rotations == {}
    for rotate in (True, False, True):
        api.put(DBT, json={**REQUIRED, "rotateKeys": rotate})
    assert omni.key_rotations == {omni.connection_id: 2}
    assert "rotateKeys" not in api.get(DBT).json()


def test_delete(omni: OmniSimulator, api: httpx.Client) -> None:
    """DELETE removes the configuration, or responds with 404 if there is none. The dbt environments remain."""
    assert api.delete(DBT).status_code == 404
    api.put(DBT, json=REQUIRED)
    response = api.delete(DBT)
    assert response.json() == {"message": "dbt repository unlinked successfully", "success": True}
    assert omni.dbt_configuration(omni.connection_id) is None
    assert api.delete(DBT).status_code == 404
    api.put(DBT, json=REQUIRED)
    assert len(omni.environments(omni.connection_id)) == 1


def test_dbt_must_be_supported(api: httpx.Client) -> None:
    """A connection whose database dbt does not support gets 403 for configuration and environments."""
    path = f"/api/v1/connections/{CONNECTION_WITHOUT_DBT_ID}/dbt"
    assert api.put(path, json=REQUIRED).status_code == 403
    assert api.get(f"{path}/environments").status_code == 403
    assert api.post(f"{path}/environments", json={"name": "x", "targetSchema": "x"}).status_code == 403


def test_changes_in_the_omni_ui(omni: OmniSimulator, api: httpx.Client) -> None:
    """The API and the simulator's methods see each other's changes. The methods raise KeyError for unknown IDs."""
    omni.configure_dbt(omni.connection_id, branch="web")
    assert api.get(DBT).json()["branch"] == "web"
    assert [each["name"] for each in omni.environments(omni.connection_id)] == ["Production"]
    api.put(DBT, json=WHOLE)
    omni.configure_dbt(omni.connection_id, project_root_path="elsewhere")
    assert api.get(DBT).json() == {**WHOLE, "projectRootPath": "elsewhere", "supportsDbt": True}
    assert (omni.dbt_configuration(omni.connection_id) or {})["dbt_version"] == "1.11"
    omni.unlink_dbt(omni.connection_id)
    assert "message" in api.get(DBT).json()
    for unknown in (omni.dbt_configuration, omni.configure_dbt, omni.unlink_dbt, omni.environments):
        with pytest.raises(KeyError):
            unknown("nothing")


def test_a_mixed_dialect() -> None:
    """A test can change a single field of a dialect."""
    with OmniSimulator(dialect=replace(PAGES, omitted_fields="defaults")) as omni:
        headers = {"Authorization": f"Bearer {omni.api_key}"}
        for body in (WHOLE, REQUIRED):
            httpx.put(omni.url + DBT, json=body, headers=headers)
        assert (omni.dbt_configuration(omni.connection_id) or {})["project_root_path"] is None
