"""Lightdash's endpoints for the dbt sources of a project, one method each.

Source: https://docs.lightdash.com/api-reference/v1/projects/update-dbt-source. An update only stores the source: it
does not recompile the project, and nothing checks the repository, the branch or the token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pydantic
from pydantic.alias_generators import to_camel

from omni_pulumi.api.shared import SharedReads
from omni_pulumi.api.transport import Instance, Transport

SECRET_FIELDS = ("personal_access_token", "api_key", "webhook_hmac_secret")
"""The fields of a connection that Lightdash never returns, and keeps when an update leaves them out."""


class _Model(pydantic.BaseModel):
    """Answers grow, so fields that are not known are ignored."""

    model_config = pydantic.ConfigDict(alias_generator=to_camel, frozen=True, hide_input_in_errors=True)


class DbtSource(_Model):
    """A dbt source as lists and writes answer it."""

    project_dbt_source_uuid: str
    name: str
    is_primary: bool = False
    precedence: int | None = None
    has_credential_error: bool = False


class EnvironmentVariable(_Model):
    """A variable of a connection's environment."""

    key: str
    value: str


class DbtConnection(_Model):
    """A connection without secrets. Its type says which other fields it has."""

    model_config = pydantic.ConfigDict(extra="allow")

    type: str
    environment: list[EnvironmentVariable] | None = None


class DbtSourceWithConnection(DbtSource):
    """A dbt source as it is read alone: with its connection.

    The connection is ``None`` when Lightdash can no longer decrypt the stored one.
    """

    dbt_connection: DbtConnection | None

    @classmethod
    def without_connection(cls, source: DbtSource) -> DbtSourceWithConnection:
        """Return a source whose connection cannot be read."""
        return cls(**source.model_dump(by_alias=True), dbtConnection=None)


class AbilityRule(_Model):
    """A permission of a token's owner. Lightdash checks permissions with CASL, and these are its raw rules.

    A rule applies to a project when the project meets all conditions. Lightdash also forms conditions such as
    ``{"projectUuid": {"$in": [...]}}``.
    """

    action: str | list[str]
    subject: str | list[str]
    conditions: dict[str, Any] | None = None
    inverted: bool = False

    def applies(self, action: str, subject: str, project_uuid: str) -> bool:
        """Return whether the rule is about an action on a subject of a project.

        A user belongs to one organization, so its ID excludes no project that the user can view. A condition that is
        not about organization or project is met by other objects only, such as the user's own preview projects.
        """
        conditions = self.conditions or {}
        return (
            action in _listed(self.action)
            and not {subject, "all"}.isdisjoint(_listed(self.subject))
            and conditions.keys() <= {"organizationUuid", "projectUuid"}
            and ("projectUuid" not in conditions or project_uuid in _listed(conditions["projectUuid"]))
        )


class User(_Model):
    """The owner of a token. Lightdash's description of its API does not mention the rules, so they may be missing."""

    ability_rules: list[AbilityRule] = []


class _OneUser(_Model):
    results: User


class _One(_Model):
    results: DbtSource


class _OneWithConnection(_Model):
    results: DbtSourceWithConnection


class _Many(_Model):
    results: list[DbtSource]


class LightdashClient:
    """Talks to one Lightdash instance with one personal access token. Safe to share between threads."""

    def __init__(self, instance: Instance) -> None:
        """Prepare for an instance; no request is sent yet."""
        self._transport = Transport("Lightdash", instance, "ApiKey")
        self.failures = self._transport.failures
        self._lists: SharedReads[list[DbtSource]] = SharedReads()
        self._users: SharedReads[User] = SharedReads()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def forget_lists(self) -> None:
        """Read each list again before it is used."""
        self._lists.forget_all()

    def list_dbt_sources(self, project_uuid: str, *, fresh: bool = False) -> list[DbtSource]:
        """All dbt sources of a project, the primary one included, without their connections.

        Args:
            project_uuid: UUID of the project.
            fresh: whether an answer of the last seconds, which serves all who ask meanwhile, will not do.

        Raises:
            errors.NotFoundError: no such project.
        """
        if fresh:
            self._lists.forget(project_uuid)
        return self._lists.get(project_uuid, lambda: self._list_dbt_sources(project_uuid))

    def _list_dbt_sources(self, project_uuid: str) -> list[DbtSource]:
        operation = f"list the dbt sources of project {project_uuid}"
        content = self._transport.request("GET", _sources(project_uuid), operation=operation, parent_id=project_uuid)
        return self._transport.parse(_Many, content, operation=operation).results

    def get_dbt_source(self, project_uuid: str, source_uuid: str) -> DbtSourceWithConnection:
        """One dbt source with its connection.

        Raises:
            errors.NotFoundError: no such project, no such source, or the primary source.
            errors.ServerError: among others, when the stored credentials can no longer be decrypted.
        """
        operation = f"read dbt source {source_uuid} of project {project_uuid}"
        path = f"{_sources(project_uuid)}/{source_uuid}"
        content = self._transport.request(
            "GET", path, operation=operation, resource_id=source_uuid, parent_id=project_uuid
        )
        return self._transport.parse(_OneWithConnection, content, operation=operation, resource_id=source_uuid).results

    def create_dbt_source(self, project_uuid: str, name: str, connection: Mapping[str, Any]) -> DbtSource:
        """Create a dbt source and return it without its connection.

        Raises:
            errors.BadRequestError: the connection is refused; today only GitHub is accepted.
            errors.ConflictError: the name is in use in the project.
            errors.NotFoundError: no such project.
        """
        operation = f'create dbt source "{name}" of project {project_uuid}'
        with self._lists.writing(project_uuid):
            content = self._transport.request(
                "POST",
                _sources(project_uuid),
                operation=operation,
                body={"name": name, "dbtConnection": connection},
                secrets=_secrets(connection),
                idempotent=False,
            )
        return self._transport.parse(_One, content, operation=operation, outcome_unknown=True).results

    def update_dbt_source(self, project_uuid: str, source_uuid: str, name: str, connection: Mapping[str, Any]) -> None:
        """Replace a dbt source's name and whole connection.

        A secret that is left out or empty keeps its stored value when the type stays the same; any other field that is
        left out is dropped.

        Raises:
            errors.BadRequestError: the connection is refused; today only GitHub is accepted.
            errors.ConflictError: the name is in use in the project.
            errors.NotFoundError: no such project, no such source, or the primary source.
        """
        operation = f'update dbt source "{name}" ({source_uuid}) of project {project_uuid}'
        with self._lists.writing(project_uuid):
            self._transport.request(
                "PATCH",
                f"{_sources(project_uuid)}/{source_uuid}",
                operation=operation,
                resource_id=source_uuid,
                body={"name": name, "dbtConnection": connection},
                secrets=_secrets(connection),
            )

    def delete_dbt_source(self, project_uuid: str, source_uuid: str) -> None:
        """Delete a dbt source.

        Raises:
            errors.NotFoundError: no such project, no such source, or the primary source.
        """
        operation = f"delete dbt source {source_uuid} of project {project_uuid}"
        with self._lists.writing(project_uuid):
            self._transport.request(
                "DELETE", f"{_sources(project_uuid)}/{source_uuid}", operation=operation, resource_id=source_uuid
            )

    def may_manage_project(self, project_uuid: str) -> bool:
        """Return whether Lightdash says that the token may manage a project.

        From 1.237.0 on Lightdash returns the environment variables of a dbt source only to such tokens. Its own command
        line asks the same endpoint, which is not documented.

        Source: https://github.com/lightdash/lightdash/pull/26802.
        """
        rules = self._users.get("user", self._user).ability_rules
        about = [rule for rule in rules if rule.applies("manage", "Project", project_uuid)]
        return bool(about) and not about[-1].inverted  # CASL: the last rule counts

    def _user(self) -> User:
        operation = "read the permissions of the token"
        content = self._transport.request("GET", "/api/v1/user", operation=operation)
        return self._transport.parse(_OneUser, content, operation=operation).results


def _listed(value: Any) -> Sequence[Any]:
    """Return one value, many values, or the values of ``{"$in": [...]}`` as a sequence."""
    if isinstance(value, Mapping):
        return _listed(value.get("$in", ()))
    return value if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def _sources(project_uuid: str) -> str:
    return f"/api/v1/projects/{project_uuid}/dbt-sources"


def _secrets(connection: Mapping[str, Any]) -> list[str]:
    return [connection[field] for field in SECRET_FIELDS if connection.get(field)]
