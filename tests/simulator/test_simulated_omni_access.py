"""Authentication, permissions, unknown routes and error formats of the Omni simulator."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from omni_pulumi.simulator import PAGES, OmniSimulator

Connect = Callable[[str, str], httpx.Client]

UNKNOWN = "11111111-2222-4333-8444-555555555555"
DBT = f"/api/v1/connections/{OmniSimulator.connection_id}/dbt"
ENDPOINTS = [
    ("GET", DBT),
    ("PUT", DBT),
    ("DELETE", DBT),
    ("GET", f"{DBT}/environments"),
    ("POST", f"{DBT}/environments"),
    ("PUT", f"{DBT}/environments/{UNKNOWN}"),
    ("DELETE", f"{DBT}/environments/{UNKNOWN}"),
    ("GET", "/api/v1/connections"),
    ("PATCH", f"/api/v1/connections/{OmniSimulator.connection_id}"),
    ("POST", "/api/v1/connection-environments"),
    ("PUT", f"/api/v1/connection-environments/{UNKNOWN}"),
    ("DELETE", f"/api/v1/connection-environments/{UNKNOWN}"),
    ("GET", "/api/scim/v2/Users"),
]


def message(response: httpx.Response) -> str:
    """Returns the message of an error in either format. Asserts that the error has all fields of the format."""
    body = response.json()
    if "detail" in body:
        assert body["status"] == response.status_code
        return str(body["detail"])
    assert body["error"] == str(response.status_code)
    return str(body["message"])


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize(
    "header", ["", "Bearer", "bearer omni-simulator-organization-key", "omni-simulator-organization-key"]
)
def test_a_missing_token_is_401(omni: OmniSimulator, connect: Connect, method: str, path: str, header: str) -> None:
    """Every endpoint responds with 401 to a missing or malformed Authorization header."""
    response = connect(omni.url, header).request(method, path)
    assert response.status_code == 401
    assert message(response)


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_an_unknown_token_is_403(api: httpx.Client, method: str, path: str) -> None:
    """Every endpoint responds with 403 to an unknown token, as a live Omni does. The documentation says 401."""
    response = api.request(method, path, headers={"Authorization": "Bearer unknown"})
    assert (response.status_code, message(response)) == (403, "Invalid bearer token")


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_a_viewer_can_only_list_dbt_environments(
    omni: OmniSimulator, api: httpx.Client, method: str, path: str
) -> None:
    """Listing dbt environments requires Connection Viewer. Every other endpoint requires Connection Admin."""
    response = api.request(method, path, headers={"Authorization": f"Bearer {omni.viewer_token}"}, json={})
    allowed = (method, path) == ("GET", f"{DBT}/environments")
    assert response.status_code == (200 if allowed else 403)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/api/v1/unknown"),
        ("GET", f"{DBT}/"),
        ("POST", DBT),
        ("GET", f"{DBT}/environments/{UNKNOWN}"),
        ("PATCH", f"{DBT}/environments/{UNKNOWN}"),
        ("GET", f"/api/v1/connection-environments/{UNKNOWN}"),
    ],
)
def test_unknown_routes_are_404(omni: OmniSimulator, api: httpx.Client, method: str, path: str) -> None:
    """POST of a dbt configuration and GET of a single environment do not exist."""
    response = api.request(method, path)
    assert (response.status_code, message(response)) == (404, "Not Found")
    assert ("detail" in response.json()) == (omni.dialect != PAGES)


@pytest.mark.parametrize("suffix", ["", "/environments"])
def test_the_connection_must_exist(api: httpx.Client, suffix: str) -> None:
    """A connection ID that is no UUID gets 400, an unknown one gets 404."""
    assert api.get(f"/api/v1/connections/warehouse/dbt{suffix}").status_code == 400
    response = api.get(f"/api/v1/connections/{UNKNOWN}/dbt{suffix}")
    assert (response.status_code, message(response)) == (404, f"Connection with id {UNKNOWN} does not exist")


def test_the_error_format_depends_on_the_dialect(omni: OmniSimulator, api: httpx.Client) -> None:
    """dbt errors have the dialect's fields. Errors of connection environments always have `detail` and `status`."""
    dbt = api.put(DBT, json={}).json()
    assert set(dbt) == ({"error", "message"} if omni.dialect == PAGES else {"detail", "status"})
    assert set(api.post("/api/v1/connection-environments", json={}).json()) == {"detail", "status"}


def test_only_an_organization_key_lists_users(omni: OmniSimulator, api: httpx.Client) -> None:
    """The list of users requires an organization API key. No user of the simulator has the name of a filter."""
    path, filtered = "/api/scim/v2/Users", {"filter": 'userName eq "a@example.com"', "count": "1"}
    assert api.get(path).json()["totalResults"] == 2
    assert api.get(path, params=filtered).json()["Resources"] == []
    assert api.get(path, params={"pageSize": "1"}).status_code == 400
    token = {"Authorization": f"Bearer {omni.personal_access_token}"}
    assert api.get(path, params=filtered, headers=token).status_code == 403
