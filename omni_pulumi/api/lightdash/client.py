"""Lightdash's endpoints for the dbt sources of a project, one method each.

Source: https://docs.lightdash.com/api-reference/v1/projects/update-dbt-source. An update only stores the source: it
does not recompile the project, and nothing checks the repository, the branch or the token.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from omni_pulumi.api.exchange import Observer
from omni_pulumi.api.instance import Instance
from omni_pulumi.api.lightdash.models import SECRET_FIELDS, DbtSource, DbtSourceWithConnection, Project, Response, User
from omni_pulumi.api.read_cache import ReadCache
from omni_pulumi.api.request import Request
from omni_pulumi.api.transport import Transport


class LightdashClient:
    """Sends requests to one Lightdash instance with one personal access token. Safe to share between threads."""

    def __init__(self, instance: Instance) -> None:
        """Prepare a client. No request is sent yet."""
        self._transport = Transport("Lightdash", instance, "ApiKey")
        self.failures = self._transport.failures
        self.lookups: ReadCache[Any] = ReadCache(max_age=math.inf)
        self._lists: ReadCache[list[DbtSource]] = ReadCache()
        self._users: ReadCache[User] = ReadCache()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def observe(self, observer: Observer) -> None:
        """Call a function with each response, before it is parsed."""
        self._transport.observe(observer)

    def invalidate_lists(self) -> None:
        """Read each list again before it is used."""
        self._lists.invalidate_all()

    def list_projects(self) -> list[Project]:
        """Return the projects of the organization that the token may see.

        Source: https://docs.lightdash.com/api-reference/organizations/list-organization-projects.

        Raises:
            errors.AuthenticationError: the token is wrong or has expired.
        """
        request = Request(method="GET", path="/api/v1/org/projects", operation="list the projects")
        return self._transport.parse(Response[list[Project]], self._transport.send(request), request).results

    def list_dbt_sources(self, project_uuid: str, *, use_cache: bool = True) -> list[DbtSource]:
        """Return all dbt sources of a project, with the primary one, without their connections.

        Args:
            project_uuid: UUID of the project.
            use_cache: whether a response of the last 5 seconds may be used.

        Raises:
            errors.NotFoundError: the project does not exist.
        """
        if not use_cache:
            self._lists.invalidate(project_uuid)
        return self._lists.get(project_uuid, lambda: self._list_dbt_sources(project_uuid))

    def _list_dbt_sources(self, project_uuid: str) -> list[DbtSource]:
        request = Request(
            method="GET",
            path=_sources(project_uuid),
            operation=f"list the dbt sources of project {project_uuid}",
            parent_id=project_uuid,
        )
        return self._transport.parse(Response[list[DbtSource]], self._transport.send(request), request).results

    def get_dbt_source(self, project_uuid: str, source_uuid: str) -> DbtSourceWithConnection:
        """Return a dbt source with its connection.

        Raises:
            errors.NotFoundError: the project or the source does not exist, or it is the primary source.
            errors.ServerError: among other reasons, Lightdash can no longer decrypt the stored credentials.
        """
        request = Request(
            method="GET",
            path=f"{_sources(project_uuid)}/{source_uuid}",
            operation=f"read dbt source {source_uuid} of project {project_uuid}",
            resource_id=source_uuid,
            parent_id=project_uuid,
        )
        content = self._transport.send(request)
        return self._transport.parse(Response[DbtSourceWithConnection], content, request).results

    def create_dbt_source(self, project_uuid: str, name: str, connection: Mapping[str, Any]) -> DbtSource:
        """Create a dbt source and return it without its connection.

        Raises:
            errors.BadRequestError: Lightdash refuses the connection. Up to 1.237.0 it accepts only GitHub.
            errors.ConflictError: the name is in use in the project.
            errors.NotFoundError: the project does not exist.
        """
        request = Request(
            method="POST",
            path=_sources(project_uuid),
            operation=f'create dbt source "{name}" of project {project_uuid}',
            body={"name": name, "dbtConnection": connection},
            secrets=_secrets(connection),
            idempotent=False,
        )
        with self._lists.writing(project_uuid) as apply:
            created = self._transport.parse(Response[DbtSource], self._transport.send(request), request).results
            uuid = created.project_dbt_source_uuid
            apply(lambda sources: [*(s for s in sources if s.project_dbt_source_uuid != uuid), created])
        return created

    def update_dbt_source(
        self, project_uuid: str, source_uuid: str, name: str, connection: Mapping[str, Any] | None
    ) -> None:
        """Replace the name and the whole connection of a dbt source. ``None`` keeps the connection.

        A secret that is left out or empty keeps its stored value when the type stays the same. Any other field that is
        left out is removed.

        Raises:
            errors.BadRequestError: Lightdash refuses the connection. Up to 1.237.0 it accepts only GitHub.
            errors.ConflictError: the name is in use in the project.
            errors.NotFoundError: the project or the source does not exist, or it is the primary source.
        """
        request = Request(
            method="PATCH",
            path=f"{_sources(project_uuid)}/{source_uuid}",
            operation=f'update dbt source "{name}" ({source_uuid}) of project {project_uuid}',
            resource_id=source_uuid,
            body={"name": name, **({} if connection is None else {"dbtConnection": connection})},
            secrets=_secrets(connection or {}),
        )
        with self._lists.writing(project_uuid):
            self._transport.send(request)

    def delete_dbt_source(self, project_uuid: str, source_uuid: str) -> None:
        """Delete a dbt source.

        Raises:
            errors.NotFoundError: the project or the source does not exist, or it is the primary source.
        """
        request = Request(
            method="DELETE",
            path=f"{_sources(project_uuid)}/{source_uuid}",
            operation=f"delete dbt source {source_uuid} of project {project_uuid}",
            resource_id=source_uuid,
        )
        with self._lists.writing(project_uuid) as apply:
            self._transport.send(request)
            apply(lambda sources: [s for s in sources if s.project_dbt_source_uuid != source_uuid])

    def may_manage_project(self, project_uuid: str) -> bool | None:
        """Return whether the token may manage a project, ``None`` when Lightdash does not tell.

        From 1.237.0 on Lightdash returns the environment variables of a dbt source only to such tokens. Lightdash's own
        command line asks the same endpoint, which is not documented.

        Source: https://github.com/lightdash/lightdash/pull/26802.
        """
        user = self._users.get("user", self._user)
        return user.may("manage", "Project", project_uuid) if user.ability_rules else None

    def _user(self) -> User:
        request = Request(method="GET", path="/api/v1/user", operation="read the permissions of the token")
        return self._transport.parse(Response[User], self._transport.send(request), request).results


def _sources(project_uuid: str) -> str:
    return f"/api/v1/projects/{project_uuid}/dbt-sources"


def _secrets(connection: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(connection[field] for field in SECRET_FIELDS if connection.get(field))
