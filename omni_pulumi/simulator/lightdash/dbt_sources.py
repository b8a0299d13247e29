"""The dbt sources of a project: https://docs.lightdash.com/api-reference/v1/projects/update-project-dbt-source.

An update replaces the connection whole, except that a secret left out is kept. Only GitHub connections are accepted.
The primary source, a project's own dbt connection, shows in the list under the project's id and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from omni_pulumi.simulator.lightdash.call import (
    Answer,
    Call,
    Refusal,
    Role,
    database_id,
    something_went_wrong,
    validate_error,
)
from omni_pulumi.simulator.lightdash.connection_schema import (
    create_issues,
    update_issues,
    with_kept_secrets,
    without_secrets,
)
from omni_pulumi.simulator.lightdash.environment_keys import refuse_environment_keys
from omni_pulumi.simulator.lightdash.instance import NameTakenError

if TYPE_CHECKING:
    from omni_pulumi.simulator.lightdash.call import Issues
    from omni_pulumi.simulator.lightdash.instance import Source

_VIEW = (Role.ADMIN, Role.DEVELOPER, Role.VIEWER)
_MANAGE = (Role.ADMIN,)


def list_dbt_sources(call: Call) -> Answer:
    """GET of all: the primary first, then by precedence."""
    project_id = _project(call, _VIEW)
    primary = _summary(
        call.path["projectUuid"],
        "Project dbt connection",
        0,
        call.instance.primary_connections[project_id],
        is_primary=True,
    )
    additional = [_shown(source) for source in call.instance.sources_of(project_id)]
    return _ok([primary, *additional])


def create_dbt_source(call: Call) -> Answer:
    """POST: the answer shows no connection."""
    project_id = _project(call, _MANAGE, create_issues(call.body))
    body = cast("dict[str, Any]", call.body)
    _refuse_connection(call, body["dbtConnection"])
    try:
        created = call.instance.add(project_id, _storable(body["name"]), body["dbtConnection"])
    except NameTakenError as taken:
        raise Refusal(409, "AlreadyExistsError", str(taken)) from None
    return _ok(_shown(created), status=201)


def get_dbt_source(call: Call) -> Answer:
    """GET of one: its connection without the secrets."""
    source = _source(call, _VIEW)
    if source.connection is None:
        raise Refusal(
            500,
            "UnexpectedServerError",
            f'Could not load credentials for dbt source "{source.name}" — '
            "remove it and add it again with a fresh connection.",
        )
    connection = without_secrets(source.connection)
    if _has_environment_rules(call) and call.role is not Role.ADMIN:
        connection.pop("environment", None)
    return _ok({**_shown(source), "dbtConnection": connection})


def update_dbt_source(call: Call) -> Answer:
    """PATCH: unknown fields, and an empty or missing body, are accepted and change nothing."""
    source = _source(call, _MANAGE, update_issues(call.body))
    body = cast("dict[str, Any]", call.body)
    fields: dict[str, Any] = {}
    if "dbtConnection" in body:
        _refuse_connection(call, body["dbtConnection"])
        fields["connection"] = with_kept_secrets(body["dbtConnection"], source.connection)
    if "name" in body:
        fields["name"] = _storable(body["name"])
    try:
        updated = call.instance.edit(source, **fields)
    except NameTakenError as taken:
        raise Refusal(409, "AlreadyExistsError", str(taken)) from None
    return _ok(_shown(updated))


def delete_dbt_source(call: Call) -> Answer:
    """DELETE: the answer has no results."""
    del call.instance.sources[_source(call, _MANAGE).id]
    return Answer({"status": "ok"})


def _project(call: Call, roles: tuple[Role, ...], body_issues: Issues | None = None) -> str:
    """The project of the path. The order of the checks is Lightdash's: shape, project, role."""
    if issues := call.path_issues() | (body_issues or {}):
        raise validate_error(issues)
    project_id = database_id(call.path["projectUuid"])
    if project_id not in call.instance.primary_connections:
        raise Refusal(404, "NotFoundError", f"Cannot find project with id: {call.path['projectUuid']}")
    call.require(*roles)
    return project_id


def _source(call: Call, roles: tuple[Role, ...], body_issues: Issues | None = None) -> Source:
    """The source of the path. The project's id is compared as text: in upper case, no source belongs to it."""
    _project(call, roles, body_issues)
    source = call.instance.sources.get(database_id(call.path["projectDbtSourceUuid"]))
    if source is None:
        raise Refusal(404, "NotFoundError", f"Cannot find dbt source with id: {call.path['projectDbtSourceUuid']}")
    if source.project_id != call.path["projectUuid"]:
        raise Refusal(403, "ForbiddenError", "This dbt source does not belong to the project")
    return source


def _refuse_connection(call: Call, connection: dict[str, Any]) -> None:
    if connection["type"] != "github":
        raise Refusal(400, "ParameterError", "Additional dbt sources currently support GitHub connections only")
    if _has_environment_rules(call):
        refuse_environment_keys(connection)


def _has_environment_rules(call: Call) -> bool:
    return call.version == "1.237.0"


def _storable(name: str) -> str:
    """A name that the database takes. There is no check before it, so that its failure becomes a 500."""
    if len(name) > 255 or "\0" in name:
        raise something_went_wrong()
    return name


def _shown(source: Source) -> dict[str, object]:
    return _summary(source.id, source.name, source.precedence, source.connection, is_primary=False)


def _summary(
    identifier: str, name: str, precedence: int, connection: dict[str, Any] | None, *, is_primary: bool
) -> dict[str, object]:
    known = connection or {}
    return {
        "projectDbtSourceUuid": identifier,
        "name": name,
        "isPrimary": is_primary,
        "precedence": precedence,
        "type": known.get("type"),
        "hasCredentialError": connection is None,
        "repository": known.get("repository"),
        "branch": known.get("branch"),
        "projectSubPath": known.get("project_sub_path"),
    }


def _ok(results: object, status: int = 200) -> Answer:
    return Answer({"status": "ok", "results": results}, status_code=status)
