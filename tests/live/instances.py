"""Real instances, and what somebody else does there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx

from tests.servicer import Stack

_PAUSES = (5, 15, 45)
"""Seconds to wait after a 429, each longer."""


class Others:
    """Requests behind the stack's back: what somebody else does there."""

    def __init__(self, url: str, authorization: str) -> None:
        self._client = httpx.Client(base_url=url, headers={"Authorization": authorization}, timeout=60)

    def get(self, path: str) -> Any:
        """What is there, ``None`` for 404 and 405."""
        response = self._send("GET", path)
        return None if response.status_code in {404, 405} else response.raise_for_status().json()

    def send(self, method: str, path: str, body: object = None) -> None:
        """Change something that has to be there."""
        self._send(method, path, body).raise_for_status()

    def accepts(self, method: str, path: str, body: object) -> bool:
        """Change something, unless the form of the body is refused."""
        response = self._send(method, path, body)
        return response.status_code != 400 and bool(response.raise_for_status())

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(self, method: str, path: str, body: object = None) -> httpx.Response:
        for seconds in _PAUSES:
            response = self._client.request(method, path, json=body)
            if response.status_code != 429:
                return response
            time.sleep(seconds)
        return self._client.request(method, path, json=body)


@dataclass(frozen=True)
class Omni:
    """A real Omni: a stack for it, and what others do there."""

    stack: Stack
    others: Others
    connection_id: str

    @property
    def connection(self) -> str:
        """Path of the connection."""
        return f"/api/v1/connections/{self.connection_id}"

    @property
    def dbt(self) -> str:
        """Path of the connection's dbt configuration."""
        return f"{self.connection}/dbt"

    def environment_user_attribute(self) -> str | None:
        """Name of the user attribute that selects an environment of the connection, ``None`` without one."""
        connections = self.others.get("/api/v1/connections")["connections"]
        (connection,) = (each for each in connections if each["id"] == self.connection_id)
        names = ("userAttributeNameForConnectionEnvironments", "userAttributeNameForConnectionsEnvironments")
        return next((connection[name] for name in names if connection.get(name)), None)

    def configuration(self) -> dict[str, Any] | None:
        """The connection's dbt configuration, ``None`` without one."""
        content = self.others.get(self.dbt)
        return content if content and "sshUrl" in content else None

    def environments(self, name: str) -> list[str]:
        """IDs of the dbt environments of a name."""
        found: list[str] = []
        query = "?pageSize=100"
        while True:
            content = self.others.get(f"{self.dbt}/environments{query}") or []
            page = content if isinstance(content, list) else content["records"]
            found += [environment["id"] for environment in page if environment["name"] == name]
            info = {} if isinstance(content, list) else content.get("pageInfo", {})
            if not info.get("hasNextPage"):
                return found
            query = f"?pageSize=100&cursor={info['nextCursor']}"

    def connection_environments(self, environment_connection_id: str) -> list[str] | None:
        """IDs of the connection environments of the two connections, ``None`` where Omni has no list of them."""
        content = self.others.get("/api/v1/connection-environments")
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
    """A real Lightdash: a stack for it, and what others do there."""

    stack: Stack
    others: Others
    project_uuid: str

    @property
    def dbt_sources(self) -> str:
        """Path of the project's dbt sources."""
        return f"/api/v1/projects/{self.project_uuid}/dbt-sources"

    def sources(self, name: str) -> list[str]:
        """UUIDs of the additional dbt sources of a name."""
        content = self.others.get(self.dbt_sources)["results"]
        return [each["projectDbtSourceUuid"] for each in content if each["name"] == name and not each["isPrimary"]]
