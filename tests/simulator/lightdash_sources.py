"""The dbt sources that the tests of the simulated Lightdash send, and how they read its responses."""

from __future__ import annotations

from typing import Any

import httpx

from omni_pulumi.simulator import PROJECT_ID, LightdashSimulator

SOURCES = f"/api/v1/projects/{PROJECT_ID}/dbt-sources"
MINIMAL = {
    "type": "github",
    "authorization_method": "personal_access_token",
    "repository": "example/finance",
    "branch": "main",
    "project_sub_path": "/dbt",
}
OPTIONAL = {
    "host_domain": "github.com",
    "target": "prod",
    "selector": "tag:nightly",
    "environment": [{"key": "DBT_ENV", "value": "one"}],
}
WHOLE = {**MINIMAL, **OPTIONAL, "personal_access_token": "github_pat_FAKE_one"}


def error(response: httpx.Response) -> tuple[int, str, str]:
    """Returns status, name and message of an error. Asserts that the error has all fields."""
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    body = response.json()
    assert body["status"] == "error"
    assert body["error"]["statusCode"] == response.status_code
    assert isinstance(body["error"]["data"], dict)
    assert ("sentryEventId" in body["error"]) == (response.status_code == 500)
    return response.status_code, body["error"]["name"], body["error"]["message"]


def stored(lightdash: LightdashSimulator) -> dict[str, Any]:
    """Returns the connection of the only source, including secrets."""
    (source,) = lightdash.sources(PROJECT_ID)
    connection: dict[str, Any] = source["connection"]
    return connection
