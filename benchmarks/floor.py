"""The least that a dynamic provider can do: one bare request for each operation, no check, no diff, no retries.

It is importable, so that the state has only its path, and it keeps one connection open. A read uses a list that is
read once in each command.
"""

from __future__ import annotations

import functools
import os
import threading
from typing import Any

import httpx
from pulumi import dynamic

_READING = threading.Lock()


class EnvironmentProvider(dynamic.ResourceProvider):
    """Creates, reads, updates and deletes dbt environments."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Create an environment."""
        answer = _send("POST", _path(props), _body(props))
        return dynamic.CreateResult(answer["id"], props)

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Find an environment in the list of its connection."""
        with _READING:
            environment = _environments(_path(props))[id_]
        current = {**props, "targetSchema": environment["targetSchema"]}
        return dynamic.ReadResult(id_, current, current)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Write an environment."""
        _send("PUT", f"{_path(_news)}/{_id}", _body(_news))
        return dynamic.UpdateResult(_news)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete an environment."""
        _send("DELETE", f"{_path(_props)}/{_id}", None)


class Environment(dynamic.Resource, module="bench", name="Environment"):
    """A dbt environment."""

    def __init__(self, name: str, props: dict[str, Any]) -> None:
        """Declare the resource."""
        super().__init__(EnvironmentProvider(), name, props)


@functools.cache
def _environments(path: str) -> dict[str, Any]:
    """Return the environments of a connection by ID."""
    found: dict[str, Any] = {}
    query = "?pageSize=100"
    while True:
        page = _send("GET", path + query, None)
        found |= {environment["id"]: environment for environment in page["records"]}
        if not page["pageInfo"]["hasNextPage"]:
            return found
        query = f"?pageSize=100&cursor={page['pageInfo']['nextCursor']}"


@functools.cache
def _client() -> httpx.Client:
    headers = {"Authorization": f"Bearer {os.environ['OMNI_API_KEY']}"}
    return httpx.Client(base_url=os.environ["OMNI_BASE_URL"], headers=headers)


def _send(method: str, path: str, body: object) -> Any:
    return _client().request(method, path, json=body).raise_for_status().json()


def _path(props: dict[str, Any]) -> str:
    return f"/api/v1/connections/{props['connectionId']}/dbt/environments"


def _body(props: dict[str, Any]) -> dict[str, Any]:
    variables = [{"name": name, "value": value, "isSecret": False} for name, value in props["variables"].items()]
    secrets = [{"name": name, "value": value, "isSecret": True} for name, value in props["secretVariables"].items()]
    return {"name": props["name"], "targetSchema": props["targetSchema"], "variables": variables + secrets}
