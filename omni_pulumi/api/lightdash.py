"""Lightdash's endpoints for the dbt sources of a project, one method each.

Source: https://docs.lightdash.com/api-reference/v1/projects/update-dbt-source. An update only stores the source: it
does not recompile the project, and nothing checks the repository, the branch or the token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pydantic
from pydantic.alias_generators import to_camel

from omni_pulumi.api.transport import Transport

SECRET_FIELDS = ("personal_access_token", "api_key", "webhook_hmac_secret")
"""The fields of a connection that Lightdash never returns, and keeps when an update leaves them out."""


class _Model(pydantic.BaseModel):
    """Answers grow, so fields that are not known are ignored."""

    model_config = pydantic.ConfigDict(alias_generator=to_camel, frozen=True, hide_input_in_errors=True)


class DbtSource(_Model):
    """An additional dbt source. ``dbt_connection`` is there when one source is read, and comes without secrets."""

    project_dbt_source_uuid: str
    name: str
    is_primary: bool = False
    precedence: int | None = None
    has_credential_error: bool = False
    dbt_connection: dict[str, Any] | None = None


class _One(_Model):
    results: DbtSource


class _Many(_Model):
    results: list[DbtSource]


class LightdashClient:
    """Talks to one Lightdash instance with one personal access token. Safe to share between threads."""

    def __init__(self, url: str, api_key: str) -> None:
        """Connect to ``url``, the instance's address without ``/api``, e.g. ``https://app.lightdash.cloud``."""
        self._transport = Transport("Lightdash", url, f"ApiKey {api_key}")

    def list_dbt_sources(self, project_uuid: str) -> list[DbtSource]:
        """All dbt sources of a project, the primary one included, without their connections.

        Raises:
            errors.NotFoundError: no such project.
        """
        what = f"list the dbt sources of project {project_uuid}"
        content = self._transport.request("GET", _sources(project_uuid), what=what)
        return self._transport.parse(_Many, content, what=what).results

    def get_dbt_source(self, project_uuid: str, source_uuid: str) -> DbtSource:
        """One dbt source with its connection.

        Raises:
            errors.NotFoundError: no such project, no such source, or the primary source.
            errors.ServerError: among others, when the stored credentials can no longer be decrypted.
        """
        what = f"read dbt source {source_uuid} of project {project_uuid}"
        content = self._transport.request("GET", f"{_sources(project_uuid)}/{source_uuid}", what=what)
        return self._transport.parse(_One, content, what=what).results

    def create_dbt_source(self, project_uuid: str, name: str, connection: Mapping[str, Any]) -> DbtSource:
        """Create a dbt source and return it without its connection.

        Raises:
            errors.BadRequestError: the connection is refused; today only GitHub is accepted.
            errors.ConflictError: the name is in use in the project.
            errors.NotFoundError: no such project.
        """
        what = f'create dbt source "{name}" of project {project_uuid}'
        content = self._transport.request(
            "POST",
            _sources(project_uuid),
            what=what,
            body={"name": name, "dbtConnection": connection},
            secrets=_secrets(connection),
        )
        return self._transport.parse(_One, content, what=what).results

    def update_dbt_source(
        self, project_uuid: str, source_uuid: str, name: str, connection: Mapping[str, Any]
    ) -> DbtSource:
        """Replace a dbt source's name and whole connection, and return it without its connection.

        A secret that is left out or empty keeps its stored value when the type stays the same; any other field that is
        left out is dropped.

        Raises:
            errors.BadRequestError: the connection is refused; today only GitHub is accepted.
            errors.ConflictError: the name is in use in the project.
            errors.NotFoundError: no such project, no such source, or the primary source.
        """
        what = f'update dbt source "{name}" ({source_uuid}) of project {project_uuid}'
        content = self._transport.request(
            "PATCH",
            f"{_sources(project_uuid)}/{source_uuid}",
            what=what,
            body={"name": name, "dbtConnection": connection},
            secrets=_secrets(connection),
        )
        return self._transport.parse(_One, content, what=what).results

    def delete_dbt_source(self, project_uuid: str, source_uuid: str) -> None:
        """Delete a dbt source.

        Raises:
            errors.NotFoundError: no such project, no such source, or the primary source.
        """
        what = f"delete dbt source {source_uuid} of project {project_uuid}"
        self._transport.request("DELETE", f"{_sources(project_uuid)}/{source_uuid}", what=what)


def _sources(project_uuid: str) -> str:
    return f"/api/v1/projects/{project_uuid}/dbt-sources"


def _secrets(connection: Mapping[str, Any]) -> list[str]:
    return [connection[field] for field in SECRET_FIELDS if connection.get(field)]
