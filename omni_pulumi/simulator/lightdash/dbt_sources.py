"""The dbt sources of a project: https://docs.lightdash.com/api-reference/v1/projects/update-project-dbt-source.

PATCH replaces the whole connection but keeps omitted secrets. Only GitHub connections are accepted. The list also
contains the primary source, which is the project's own dbt connection, under the project's ID. The other endpoints do
not find it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omni_pulumi.simulator.json_codec import replace_surrogates
from omni_pulumi.simulator.lightdash.connection_schema import (
    validate_create,
    validate_update,
    with_saved_secrets,
    without_secrets,
)
from omni_pulumi.simulator.lightdash.environment_keys import check_environment_keys
from omni_pulumi.simulator.lightdash.instance import NameTakenError
from omni_pulumi.simulator.lightdash.request import (
    ApiError,
    LightdashResponse,
    Request,
    Role,
    database_id,
    unexpected_server_error,
    validate_error,
)

if TYPE_CHECKING:
    from omni_pulumi.simulator.lightdash.instance import Source
    from omni_pulumi.simulator.lightdash.request import Issues

_READERS = (Role.ADMIN, Role.DEVELOPER, Role.VIEWER)
_WRITERS = (Role.ADMIN,)


def list_dbt_sources(request: Request) -> LightdashResponse:
    """GET: lists the sources, the primary source first, then by precedence."""
    project_id = _project(request, _READERS)
    primary = _summary(
        request.path_params["projectUuid"],
        "Project dbt connection",
        0,
        request.instance.primary_connections[project_id],
        is_primary=True,
    )
    additional = [_to_json(source) for source in request.instance.sources_of(project_id)]
    return _ok([primary, *additional])


def create_dbt_source(request: Request) -> LightdashResponse:
    """POST: creates a source. The response does not contain the connection."""
    body, issues = validate_create(request.body)
    project_id = _project(request, _WRITERS, issues)
    _check_connection(request, body["dbtConnection"])
    try:
        connection = _stored_connection(request, body["dbtConnection"])
        created = request.instance.add(project_id, _stored_name(body["name"]), connection)
    except NameTakenError as error:
        raise ApiError(409, "AlreadyExistsError", str(error)) from None
    return _ok(_to_json(created), status=201)


def get_dbt_source(request: Request) -> LightdashResponse:
    """GET: returns a source and its connection without secrets."""
    source = _source(request, _READERS)
    if source.connection is None:
        raise ApiError(
            500,
            "UnexpectedServerError",
            f'Could not load credentials for dbt source "{source.name}" — '
            "remove it and add it again with a fresh connection.",
        )
    connection = without_secrets(source.connection)
    if _checks_environment_keys(request) and request.role is not Role.ADMIN:
        connection.pop("environment", None)
    return _ok({**_to_json(source), "dbtConnection": connection})


def update_dbt_source(request: Request) -> LightdashResponse:
    """PATCH: updates name or connection. Accepts unknown fields and an empty or missing body, and ignores them."""
    body, issues = validate_update(request.body)
    source = _source(request, _WRITERS, issues)
    fields: dict[str, Any] = {}
    if "dbtConnection" in body:
        _check_connection(request, body["dbtConnection"])
        fields["connection"] = with_saved_secrets(_stored_connection(request, body["dbtConnection"]), source.connection)
    if "name" in body:
        fields["name"] = _stored_name(body["name"])
    try:
        updated = request.instance.edit(source, **fields)
    except NameTakenError as error:
        raise ApiError(409, "AlreadyExistsError", str(error)) from None
    return _ok(_to_json(updated))


def delete_dbt_source(request: Request) -> LightdashResponse:
    """DELETE: deletes a source. The response has no results."""
    del request.instance.sources[_source(request, _WRITERS).id]
    return LightdashResponse({"status": "ok"})


def _project(request: Request, roles: tuple[Role, ...], body_issues: Issues | None = None) -> str:
    """Return the project that the path names. Check in Lightdash's order: schema, project, role."""
    if issues := request.path_issues() | (body_issues or {}):
        raise validate_error(issues)
    project_id = database_id(request.path_params["projectUuid"])
    if project_id not in request.instance.primary_connections:
        raise ApiError(404, "NotFoundError", f"Cannot find project with id: {request.path_params['projectUuid']}")
    request.require(*roles)
    return project_id


def _source(request: Request, roles: tuple[Role, ...], body_issues: Issues | None = None) -> Source:
    """Return the source that the path names.

    Lightdash compares the project ID of the source with the path as text, so an ID in upper case does not match.
    """
    _project(request, roles, body_issues)
    source_id = request.path_params["projectDbtSourceUuid"]
    source = request.instance.sources.get(database_id(source_id))
    if source is None:
        raise ApiError(404, "NotFoundError", f"Cannot find dbt source with id: {source_id}")
    if source.project_id != request.path_params["projectUuid"]:
        raise ApiError(403, "ForbiddenError", "This dbt source does not belong to the project")
    return source


def _check_connection(request: Request, connection: dict[str, Any]) -> None:
    if connection["type"] != "github":
        raise ApiError(400, "ParameterError", "Additional dbt sources currently support GitHub connections only")
    if _checks_environment_keys(request):
        check_environment_keys(connection)


def _stored_connection(request: Request, connection: dict[str, Any]) -> dict[str, Any]:
    """Return a connection with its texts in the form in which Lightdash stores them."""
    form = request.stored_form
    stored = dict(connection)
    for name in ("repository", "branch", "project_sub_path", "target", "selector", "host_domain"):
        if isinstance(connection.get(name), str):
            stored[name] = form(connection[name])
    if connection.get("environment"):
        stored["environment"] = [item | {"value": form(item["value"])} for item in connection["environment"]]
    return stored


def _checks_environment_keys(request: Request) -> bool:
    return request.version == "1.237.0"


def _stored_name(name: str) -> str:
    """Return the name as the database stores it. Raise a 500 if the database rejects it: Lightdash checks no names."""
    if len(name) > 255 or "\0" in name:
        raise unexpected_server_error()
    return replace_surrogates(name)


def _to_json(source: Source) -> dict[str, object]:
    return _summary(source.id, source.name, source.precedence, source.connection, is_primary=False)


def _summary(
    source_id: str, name: str, precedence: int, connection: dict[str, Any] | None, *, is_primary: bool
) -> dict[str, object]:
    fields = connection or {}
    return {
        "projectDbtSourceUuid": source_id,
        "name": name,
        "isPrimary": is_primary,
        "precedence": precedence,
        "type": fields.get("type"),
        "hasCredentialError": connection is None,
        "repository": fields.get("repository"),
        "branch": fields.get("branch"),
        "projectSubPath": fields.get("project_sub_path"),
    }


def _ok(results: object, status: int = 200) -> LightdashResponse:
    return LightdashResponse({"status": "ok", "results": results}, status_code=status)
