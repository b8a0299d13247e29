"""Who may do what at the local Omni, and what does not exist there."""

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
    ("POST", "/api/v1/connection-environments"),
    ("PUT", f"/api/v1/connection-environments/{UNKNOWN}"),
    ("DELETE", f"/api/v1/connection-environments/{UNKNOWN}"),
]


def message(answer: httpx.Response) -> str:
    """An error's text, in either form; checks that the form is complete."""
    body = answer.json()
    if "detail" in body:
        assert body["status"] == answer.status_code
        return str(body["detail"])
    assert body["error"] == str(answer.status_code)
    return str(body["message"])


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize(
    "header", ["", "Bearer", "bearer omni-simulator-organization-key", "omni-simulator-organization-key"]
)
def test_no_token_is_401(omni: OmniSimulator, connect: Connect, method: str, path: str, header: str) -> None:
    """A missing or malformed Authorization header is answered with 401 at every endpoint."""
    answer = connect(omni.url, header).request(method, path)
    assert answer.status_code == 401
    assert message(answer)


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_a_bad_token_is_403(api: httpx.Client, method: str, path: str) -> None:
    """A live Omni answers an unknown token with 403, though 401 is documented."""
    answer = api.request(method, path, headers={"Authorization": "Bearer nobody"})
    assert (answer.status_code, message(answer)) == (403, "Invalid bearer token")


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_a_viewer_lists_environments_only(omni: OmniSimulator, api: httpx.Client, method: str, path: str) -> None:
    """Listing environments takes a Connection Viewer, everything else a Connection Admin."""
    answer = api.request(method, path, headers={"Authorization": f"Bearer {omni.viewer_token}"}, json={})
    allowed = (method, path) == ("GET", f"{DBT}/environments")
    assert answer.status_code == (200 if allowed else 403)


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
    """There is no POST of a configuration and no GET of a single environment of either kind."""
    answer = api.request(method, path)
    assert (answer.status_code, message(answer)) == (404, "Not Found")
    assert ("detail" in answer.json()) == (omni.dialect != PAGES)


@pytest.mark.parametrize("suffix", ["", "/environments"])
def test_the_connection_must_exist(api: httpx.Client, suffix: str) -> None:
    """A connection's id is a UUID (400), and one of the organization's connections (404)."""
    assert api.get(f"/api/v1/connections/warehouse/dbt{suffix}").status_code == 400
    answer = api.get(f"/api/v1/connections/{UNKNOWN}/dbt{suffix}")
    assert (answer.status_code, message(answer)) == (404, f"Connection with id {UNKNOWN} does not exist")


def test_the_form_of_errors_follows_the_source(omni: OmniSimulator, api: httpx.Client) -> None:
    """The pages show `error` and `message`, the generated document's service `detail` and `status`. The page of
    connection environments shows the second form in any case."""
    dbt = api.put(DBT, json={}).json()
    assert set(dbt) == ({"error", "message"} if omni.dialect == PAGES else {"detail", "status"})
    assert set(api.post("/api/v1/connection-environments", json={}).json()) == {"detail", "status"}
