"""Real instances, and changes that are made to them outside Pulumi."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx

from tests.servicer import Stack

_RETRY_DELAYS = (5, 15, 45)
"""Seconds to wait after each 429."""


class OutsideClient:
    """Sends requests to an instance outside Pulumi."""

    def __init__(self, url: str, authorization: str) -> None:
        self._client = httpx.Client(base_url=url, headers={"Authorization": authorization}, timeout=60)

    def get(self, path: str) -> Any:
        """Return the JSON of a GET, ``None`` for 404 and 405."""
        response = self._send("GET", path)
        return None if response.status_code in {404, 405} else response.raise_for_status().json()

    def send(self, method: str, path: str, body: object = None) -> None:
        """Send a request that must succeed."""
        self._send(method, path, body).raise_for_status()

    def accepts(self, method: str, path: str, body: object) -> bool:
        """Send a request, and return whether it succeeds. Returns ``False`` for 400, and fails for other errors."""
        response = self._send(method, path, body)
        return response.status_code != 400 and bool(response.raise_for_status())

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(self, method: str, path: str, body: object = None) -> httpx.Response:
        for seconds in _RETRY_DELAYS:
            response = self._client.request(method, path, json=body)
            if response.status_code != 429:
                return response
            time.sleep(seconds)
        return self._client.request(method, path, json=body)


@dataclass(frozen=True)
class Omni:
    """An Omni instance.

    Attributes:
        stack: a stack that is configured for it.
        outside: sends requests to it outside Pulumi.
        connection_id: the connection that the tests use.
    """

    stack: Stack
    outside: OutsideClient
    connection_id: str

    @property
    def connection(self) -> str:
        """The path of the connection."""
        return f"/api/v1/connections/{self.connection_id}"

    @property
    def dbt(self) -> str:
        """The path of the dbt configuration."""
        return f"{self.connection}/dbt"

    def environment_user_attribute(self) -> str | None:
        """Return the name of the user attribute that selects an environment of the connection, ``None`` without one."""
        connections = self.outside.get("/api/v1/connections")["connections"]
        (connection,) = (each for each in connections if each["id"] == self.connection_id)
        names = ("userAttributeNameForConnectionEnvironments", "userAttributeNameForConnectionsEnvironments")
        return next((connection[name] for name in names if connection.get(name)), None)

    def configuration(self) -> dict[str, Any] | None:
        """Return the dbt configuration of the connection, ``None`` without one."""
        content = self.outside.get(self.dbt)
        return content if content and "sshUrl" in content else None

    def environments(self, name: str) -> list[str]:
        """Return the IDs of the dbt environments with a name."""
        ids: list[str] = []
        query = "?pageSize=100"
        while True:
            content = self.outside.get(f"{self.dbt}/environments{query}") or []
            page = content if isinstance(content, list) else content["records"]
            ids += [environment["id"] for environment in page if environment["name"] == name]
            info = {} if isinstance(content, list) else content.get("pageInfo", {})
            if not info.get("hasNextPage"):
                return ids
            query = f"?pageSize=100&cursor={info['nextCursor']}"

    def connection_environments(self, environment_connection_id: str) -> list[str] | None:
        """Return the IDs of the connection environments of both connections, ``None`` if Omni has no list of them."""
        content = self.outside.get("/api/v1/connection-environments")
        if content is None:
            return None
        return [
            each["id"]
            for each in content.get("connectionEnvironments") or content.get("data") or []
            if each.get("baseConnectionId") == self.connection_id
            and environment_connection_id in {each.get("connectionId"), each.get("environmentConnectionId")}
        ]


@dataclass(frozen=True)
class Lightdash:
    """A Lightdash instance.

    Attributes:
        stack: a stack that is configured for it.
        outside: sends requests to it outside Pulumi.
        project_uuid: the project that the tests use.
    """

    stack: Stack
    outside: OutsideClient
    project_uuid: str

    @property
    def dbt_sources(self) -> str:
        """The path of the dbt sources of the project."""
        return f"/api/v1/projects/{self.project_uuid}/dbt-sources"

    def sources(self, name: str) -> list[str]:
        """Return the UUIDs of the additional dbt sources with a name."""
        content = self.outside.get(self.dbt_sources)["results"]
        return [each["projectDbtSourceUuid"] for each in content if each["name"] == name and not each["isPrimary"]]
