"""What the Lightdash simulator converts before it validates and stores it.

The expected responses were observed on a real Lightdash.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from omni_pulumi.simulator import PROJECT_ID, LightdashSimulator
from tests.simulator.lightdash_sources import MINIMAL, SOURCES, WHOLE, error, stored

JSON = {"Content-Type": "application/json"}
GITHUB_ONLY = (400, "ParameterError", "Additional dbt sources currently support GitHub connections only")
DBT_CLOUD = {"type": "dbt_cloud_ide", "api_key": "k", "environment_id": "1"}
MANIFEST = {"type": "manifest", "manifest": "{}"}


def issues(response: httpx.Response) -> list[dict[str, dict[str, object]]]:
    """Returns the issues of each type of connection, from the message of a 422."""
    status, name, message = error(response)
    assert (status, name) == (422, "ValidateError")
    parsed: list[dict[str, dict[str, object]]] = json.loads(message.partition("Issues: ")[2])
    return parsed


def test_one_environment_variable_becomes_a_list(
    lightdash: LightdashSimulator, admin: httpx.Client, source: str
) -> None:
    """An object as `environment` is stored as a list of one."""
    variable = {"key": "A", "value": "1"}
    for response in (
        admin.patch(source, json={"dbtConnection": {**MINIMAL, "environment": variable}}),
        admin.post(SOURCES, json={"name": "marketing", "dbtConnection": {**MINIMAL, "environment": variable}}),
    ):
        assert response.status_code in {200, 201}
    assert [each["connection"]["environment"] for each in lightdash.sources(PROJECT_ID)] == [[variable], [variable]]
    assert admin.get(source).json()["results"]["dbtConnection"]["environment"] == [variable]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (None, {"environment.$0": {"message": "invalid object", "value": None}}),
        ("A=1", {"environment.$0": {"message": "invalid object", "value": "A=1"}}),
        (
            {"A": "1"},
            {
                "environment.$0.value": {"message": "'value' is required"},
                "environment.$0.key": {"message": "'key' is required"},
            },
        ),
        ({"key": "A", "value": 1}, {"environment.$0.value": {"message": "invalid string value", "value": 1}}),
        ([None], {"environment.$0": {"message": "invalid object", "value": None}}),
    ],
)
def test_other_values_of_environment(
    lightdash: LightdashSimulator,
    admin: httpx.Client,
    source: str,
    environment: object,
    expected: dict[str, dict[str, object]],
) -> None:
    """Another value as `environment` gets 422 with the issues of its only item. `error.data` has the value as sent."""
    connection = {**MINIMAL, "environment": environment}
    response = admin.patch(source, json={"dbtConnection": connection})
    assert issues(response)[2] == expected
    assert response.json()["error"]["data"]["body.dbtConnection"]["value"] == connection
    assert stored(lightdash) == WHOLE


def test_tags(admin: httpx.Client, source: str) -> None:
    """A text as `tags` becomes a list, so the connection is valid. Null gets 422 with an issue of the only item."""
    assert error(admin.patch(source, json={"dbtConnection": {**DBT_CLOUD, "tags": "a"}})) == GITHUB_ONLY
    response = admin.patch(source, json={"dbtConnection": {**DBT_CLOUD, "tags": None}})
    assert issues(response)[1] == {"tags.$0": {"message": "invalid string value", "value": None}}


@pytest.mark.parametrize("value", ["true", "false", "True", "FALSE", None, True, False])
def test_booleans(admin: httpx.Client, source: str, value: object) -> None:
    """Null and the texts "true" and "false" in any case are booleans, so the connection is valid."""
    for connection in ({"type": "none", "hideRefreshButton": value}, {**MANIFEST, "hideRefreshButton": value}):
        assert error(admin.patch(source, json={"dbtConnection": connection})) == GITHUB_ONLY


@pytest.mark.parametrize("value", ["yes", "", " true", 1, 0, {}])
def test_values_that_are_no_booleans(admin: httpx.Client, source: str, value: object) -> None:
    """Other values get 422."""
    response = admin.patch(source, json={"dbtConnection": {"type": "none", "hideRefreshButton": value}})
    path = "body.dbtConnection.hideRefreshButton"
    assert issues(response)[6] == {path: {"message": "invalid boolean value", "value": value}}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"fin\xffance", "fin\ufffdance"),
        (b"fin\xe2\x82", "fin\ufffd"),
        (b"\xc3\xa9\xf0\x9f\x92\xb0", "é💰"),
        (b"fin\\ud800ance", "fin\ufffdance"),
        (b"fin\\udcb0\\ud83d", "fin\ufffd\ufffd"),
        (b"\\ud83d\\udcb0", "💰"),
    ],
)
def test_names_that_are_not_unicode(admin: httpx.Client, source: str, name: bytes, expected: str) -> None:
    """U+FFFD is stored for invalid UTF-8 and for half of a surrogate pair. The list works afterwards."""
    connection = json.dumps(MINIMAL).encode()
    body = b'{"name": "%s", "dbtConnection": %s}' % (name, connection)
    created = admin.post(SOURCES, content=body, headers=JSON)
    assert (created.status_code, created.json()["results"]["name"]) == (201, expected)
    assert admin.get(SOURCES).json()["results"][2]["name"] == expected
    other = b'{"name": "2 %s"}' % name
    assert admin.patch(source, content=other, headers=JSON).json()["results"]["name"] == f"2 {expected}"


def test_a_lone_surrogate_in_a_connection(admin: httpx.Client, source: str) -> None:
    """Half of a surrogate pair in a connection is stored, and returned as an escape sequence.

    This was not observed. It follows from `JSON.stringify`, with which Lightdash encrypts connections and responds.
    """
    connection: dict[str, Any] = {**MINIMAL, "branch": "\ud800"}
    response = admin.patch(source, content=json.dumps({"dbtConnection": connection}).encode(), headers=JSON)
    assert response.status_code == 200
    assert rb'"branch":"\ud800"' in response.content
    assert rb'"branch":"\ud800"' in admin.get(source).content


@pytest.mark.parametrize("case", [str.upper, str.title])
def test_paths_in_another_case(lightdash: LightdashSimulator, admin: httpx.Client, source: str, case: Any) -> None:
    """A path can be in upper or lower case, apart from the ID of the project."""
    sources = case(SOURCES).replace(case(PROJECT_ID), PROJECT_ID)
    identifier = source.rpartition("/")[2]
    assert len(admin.get(sources).json()["results"]) == 2
    assert admin.post(sources, json={"name": "marketing", "dbtConnection": MINIMAL}).status_code == 201
    assert admin.patch(f"{sources}/{identifier}", json={"name": "renamed"}).status_code == 200
    assert admin.delete(f"{sources}/{identifier}").status_code == 200
    assert [each["name"] for each in lightdash.sources(PROJECT_ID)] == ["marketing"]
    assert admin.get(case("/api/v1/health")).json()["results"]["version"] == lightdash.version
