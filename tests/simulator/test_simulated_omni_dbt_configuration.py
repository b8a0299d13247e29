"""The dbt configuration of a connection at the local Omni."""

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


def test_no_configuration_is_no_error(api: httpx.Client) -> None:
    """GET answers 200 with a message where dbt is not configured, and says whether it could be."""
    answer = api.get(DBT)
    assert answer.status_code == 200
    assert answer.json() == {"message": "dbt not configured for this connection", "supportsDbt": True}
    assert api.get(f"/api/v1/connections/{CONNECTION_WITHOUT_DBT_ID}/dbt").json()["supportsDbt"] is False


def test_put_creates_and_does_not_echo(api: httpx.Client) -> None:
    """PUT answers a message and `success` only; GET shows the configuration, with defaults for what was left out."""
    answer = api.put(DBT, json=REQUIRED)
    assert answer.status_code == 200
    assert answer.json() == {"message": "dbt configuration updated successfully", "success": True}
    assert api.get(DBT).json() == {
        **REQUIRED,
        "dbtVersion": "Auto",
        "enableSemanticLayer": False,
        "projectRootPath": None,
        "supportsDbt": True,
    }


def test_omitted_fields(omni: OmniSimulator, api: httpx.Client) -> None:
    """One source says that a PUT keeps what it omits, the other gives defaults."""
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


def test_a_null_version_reads_auto(api: httpx.Client) -> None:
    """`dbtVersion` may be null in a request and never is in an answer."""
    api.put(DBT, json={**WHOLE, "dbtVersion": None})
    assert api.get(DBT).json()["dbtVersion"] == "Auto"


def test_the_versions_move(omni: OmniSimulator, api: httpx.Client) -> None:
    """The page has a closed list of versions, the generated document any text."""
    answer = api.put(DBT, json={**REQUIRED, "dbtVersion": "1.12"})
    assert answer.status_code == (400 if omni.dialect == PAGES else 200)


@pytest.mark.parametrize("path", ["", None, "dbt", "a b/c-d_e.f", "a/b/"])
def test_accepted_project_roots(api: httpx.Client, path: str | None) -> None:
    """A project's root is a relative path of plain characters, empty, or null."""
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
def test_refused_fields(omni: OmniSimulator, api: httpx.Client, wrong: dict[str, Any]) -> None:
    """Types, minimal lengths, the pattern of the root path, and unknown fields are checked: 400, nothing stored."""
    answer = api.put(DBT, json={**REQUIRED, **wrong})
    assert answer.status_code == 400
    assert next(iter(wrong)) in answer.text
    assert omni.dbt_configuration(omni.connection_id) is None


@pytest.mark.parametrize("name", REQUIRED)
def test_required_fields(api: httpx.Client, name: str) -> None:
    """Four fields are in every PUT, an update's too."""
    api.put(DBT, json=REQUIRED)
    answer = api.put(DBT, json={key: value for key, value in REQUIRED.items() if key != name})
    assert answer.status_code == 400
    assert name in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"branch": NaN}'])
def test_bodies_that_are_no_object(api: httpx.Client, body: bytes) -> None:
    """A body that is no JSON object is refused."""
    assert api.put(DBT, content=body).status_code == 400


def test_rotating_keys_is_an_action(omni: OmniSimulator, api: httpx.Client) -> None:
    """`rotateKeys` does something once per request and is no part of the configuration."""
    api.put(DBT, json=REQUIRED)
    assert omni.key_rotations == {}
    for rotate in (True, False, True):
        api.put(DBT, json={**REQUIRED, "rotateKeys": rotate})
    assert omni.key_rotations == {omni.connection_id: 2}
    assert "rotateKeys" not in api.get(DBT).json()


def test_delete_unlinks(omni: OmniSimulator, api: httpx.Client) -> None:
    """DELETE removes the link; without one it is 404. The environments stay, and none is created a second time."""
    assert api.delete(DBT).status_code == 404
    api.put(DBT, json=REQUIRED)
    answer = api.delete(DBT)
    assert answer.json() == {"message": "dbt repository unlinked successfully", "success": True}
    assert omni.dbt_configuration(omni.connection_id) is None
    assert api.delete(DBT).status_code == 404
    api.put(DBT, json=REQUIRED)
    assert len(omni.environments(omni.connection_id)) == 1


def test_dbt_must_be_supported(api: httpx.Client) -> None:
    """A connection whose database dbt does not support takes no configuration and has no environments."""
    path = f"/api/v1/connections/{CONNECTION_WITHOUT_DBT_ID}/dbt"
    assert api.put(path, json=REQUIRED).status_code == 403
    assert api.get(f"{path}/environments").status_code == 403
    assert api.post(f"{path}/environments", json={"name": "x", "targetSchema": "x"}).status_code == 403


def test_the_web_page(omni: OmniSimulator, api: httpx.Client) -> None:
    """What is changed in the web page shows in the API, and the other way round."""
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


def test_a_dialect_can_be_mixed() -> None:
    """Each contradiction is a field of its own, so that tests can try mixtures of both sources."""
    with OmniSimulator(dialect=replace(PAGES, omitted_fields="defaults")) as omni:
        headers = {"Authorization": f"Bearer {omni.api_key}"}
        for body in (WHOLE, REQUIRED):
            httpx.put(omni.url + DBT, json=body, headers=headers)
        assert (omni.dbt_configuration(omni.connection_id) or {})["project_root_path"] is None
