"""The dbt environments of a connection: https://docs.omni.co/api/dbt/update-dbt-environment and related pages.

The API has no GET of a single environment. Names need not be unique, because no documentation requires it: a client
that repeats a POST creates two environments.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from omni_pulumi.simulator.omni.organization import DbtEnvironment, new_id
from omni_pulumi.simulator.omni.paging import paginate
from omni_pulumi.simulator.omni.request import ApiError
from omni_pulumi.simulator.omni.schema import (
    ObjectSchema,
    non_empty_string,
    nullable,
    string,
    to_camel_case,
    to_snake_case,
)
from omni_pulumi.simulator.omni.variables import (
    check_new_variables,
    check_variable_updates,
    create_variables,
    update_variables,
    variable_to_json,
)

if TYPE_CHECKING:
    from omni_pulumi.simulator.omni.dialect import Dialect
    from omni_pulumi.simulator.omni.organization import Connection
    from omni_pulumi.simulator.omni.request import Request
    from omni_pulumi.simulator.omni.schema import Check


def list_dbt_environments(request: Request) -> JSONResponse:
    """GET: lists the environments, in pages or all at once."""
    environments = request.organization.environments_of(_connection(request, allow_viewer=True).id)
    if request.dialect.environment_list == "array":
        return JSONResponse([_to_json(environment) for environment in environments])
    return JSONResponse(paginate(environments, request.query, request.page_size_limit, to_json=_to_json))


def create_dbt_environment(request: Request) -> JSONResponse:
    """POST: creates an environment. Omni itself creates the default environment."""
    connection = _connection(request)
    body = _stored(request.body(_schema(check_new_variables, required=("name", "targetSchema"))), request.dialect)
    fields: dict[str, Any] = {to_snake_case(name): value for name, value in body.items()}
    created = DbtEnvironment(
        id=new_id(),
        connection_id=connection.id,
        **fields
        | {
            "owner_id": _owner(request, body, default=request.caller.user_id),
            "variables": create_variables(fields.get("variables", [])),
        },
    )
    request.organization.store(created)
    return JSONResponse(_to_json(created), status_code=201)


def update_dbt_environment(request: Request) -> JSONResponse:
    """PUT: updates fields and variables."""
    environment = _environment(request)
    schema = _schema(check_variable_updates(request.dialect), required=request.dialect.required_on_update)
    body = _stored(request.body(schema), request.dialect)
    if request.dialect.omitted_fields == "defaults":
        body = {"targetDatabase": None, "targetName": None, "targetRole": None, "variables": []} | body
        default_owner = request.caller.user_id
    else:
        default_owner = environment.owner_id
    fields: dict[str, Any] = {to_snake_case(name): value for name, value in body.items()}
    fields["owner_id"] = _owner(request, body, default=default_owner)
    if "variables" in fields:
        fields["variables"] = update_variables(environment.variables, fields["variables"], request.dialect)
    updated = replace(environment, **fields)
    request.organization.store(updated)
    return JSONResponse(_to_json(updated))


def delete_dbt_environment(request: Request) -> JSONResponse:
    """DELETE: deletes an environment. The dialect says whether the default environment can be deleted."""
    environment = _environment(request)
    if environment.is_default_environment and not request.dialect.default_environment_deletable:
        raise ApiError(400, "The default dbt environment cannot be deleted")
    del request.organization.environments[environment.id]
    has_message = request.dialect.environment_delete_message
    message = {"message": "dbt environment deleted successfully"} if has_message else {}
    return JSONResponse({**message, "success": True})


def _stored(body: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    """Return the body with its texts in the form in which Omni stores them."""
    stored = dict(body)
    for name in ("targetSchema", "targetDatabase", "targetName", "targetRole"):
        if body.get(name) is not None:
            stored[name] = dialect.stored_form(body[name])
    if "variables" in body:
        stored["variables"] = [
            item | {"value": dialect.stored_form(item["value"])} if not item["isSecret"] and item.get("value") else item
            for item in body["variables"]
        ]
    return stored


def _schema(check_variables: Check, required: tuple[str, ...]) -> ObjectSchema:
    return ObjectSchema(
        {
            "name": non_empty_string,
            "ownerId": nullable(string),
            "targetDatabase": nullable(string),
            "targetName": nullable(string),
            "targetRole": nullable(string),
            "targetSchema": non_empty_string,
            "variables": check_variables,
        },
        required,
    )


def _connection(request: Request, *, allow_viewer: bool = False) -> Connection:
    connection = request.connection(allow_viewer=allow_viewer)
    if not connection.supports_dbt:
        raise ApiError(403, "Connection does not support dbt")
    return connection


def _environment(request: Request) -> DbtEnvironment:
    connection = _connection(request)
    environment = request.organization.environments.get(request.path_uuid("environmentId"))
    if environment is None or environment.connection_id != connection.id:
        raise ApiError(404, "dbt environment not found")
    return environment


def _owner(request: Request, body: dict[str, Any], *, default: str | None) -> str | None:
    """Return the owner's user ID, or None for a shared environment.

    The owner must be a member of the organization. With a personal access token it must be the token's own user.
    """
    if "ownerId" not in body:
        return default
    owner_id: str | None = body["ownerId"]
    if owner_id is None:
        return None
    if owner_id.lower() not in request.organization.users:
        raise ApiError(400, "User specified in `ownerId` is not a member of the organization")
    if request.caller.user_id not in (None, owner_id.lower()):
        raise ApiError(403, "Non-admin user attempting to set `ownerId` for another user")
    return owner_id.lower()


def _to_json(environment: DbtEnvironment) -> dict[str, object]:
    document: dict[str, object] = {to_camel_case(name): value for name, value in asdict(environment).items()}
    del document["connectionId"]
    return {**document, "variables": [variable_to_json(variable) for variable in environment.variables]}
