"""dbt environments of a connection: https://docs.omni.co/api/dbt/update-dbt-environment and its siblings.

There is no way to get a single one: a client lists and picks. Names need not be unique, so that a client which creates
the same environment twice is caught by its result and not helped by a refusal.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from omni_pulumi.simulator.omni.body import Shape, camel, filled_text, nullable, snake, text
from omni_pulumi.simulator.omni.call import Refusal
from omni_pulumi.simulator.omni.organization import DbtEnvironment, new_id
from omni_pulumi.simulator.omni.paging import page
from omni_pulumi.simulator.omni.variables import (
    create_variables,
    new_variables,
    update_variables,
    updated_variables,
    without_secrets,
)

if TYPE_CHECKING:
    from omni_pulumi.simulator.omni.body import Check
    from omni_pulumi.simulator.omni.call import Call
    from omni_pulumi.simulator.omni.organization import Connection


def list_dbt_environments(call: Call) -> JSONResponse:
    """GET: all of them at once, or page by page."""
    environments = call.organization.environments_of(_connection(call, allow_viewer=True).id)
    if call.dialect.environment_list == "array":
        return JSONResponse([_shown(environment) for environment in environments])
    return JSONResponse(page(environments, call.query, call.page_size_limit, shown=_shown))


def create_dbt_environment(call: Call) -> JSONResponse:
    """POST: never the default environment, which comes with the dbt configuration."""
    connection = _connection(call)
    body = call.body(_shape(new_variables, required=("name", "targetSchema")))
    fields: dict[str, Any] = {snake(name): value for name, value in body.items()}
    created = DbtEnvironment(
        id=new_id(),
        connection_id=connection.id,
        **fields
        | {
            "owner_id": _owner(call, body, otherwise=call.caller.user_id),
            "variables": create_variables(fields.get("variables", [])),
        },
    )
    call.organization.store(created)
    return JSONResponse(_shown(created), status_code=201)


def update_dbt_environment(call: Call) -> JSONResponse:
    """PUT: change fields and variables."""
    environment = _environment(call)
    body = call.body(_shape(updated_variables(call.dialect), required=call.dialect.required_on_update))
    if call.dialect.omitted_fields == "defaults":
        body = {"targetDatabase": None, "targetName": None, "targetRole": None, "variables": []} | body
        owner_otherwise = call.caller.user_id
    else:
        owner_otherwise = environment.owner_id
    fields: dict[str, Any] = {snake(name): value for name, value in body.items()}
    fields["owner_id"] = _owner(call, body, otherwise=owner_otherwise)
    if "variables" in fields:
        fields["variables"] = update_variables(environment.variables, fields["variables"], call.dialect)
    updated = replace(environment, **fields)
    call.organization.store(updated)
    return JSONResponse(_shown(updated))


def delete_dbt_environment(call: Call) -> JSONResponse:
    """DELETE: no source says whether the default environment can go."""
    environment = _environment(call)
    if environment.is_default_environment and not call.dialect.default_environment_deletable:
        raise Refusal(400, "The default dbt environment cannot be deleted")
    del call.organization.environments[environment.id]
    message = {"message": "dbt environment deleted successfully"} if call.dialect.environment_delete_message else {}
    return JSONResponse({**message, "success": True})


def _shape(variables: Check, required: tuple[str, ...]) -> Shape:
    return Shape(
        {
            "name": filled_text,
            "ownerId": nullable(text),
            "targetDatabase": nullable(text),
            "targetName": nullable(text),
            "targetRole": nullable(text),
            "targetSchema": filled_text,
            "variables": variables,
        },
        required,
    )


def _connection(call: Call, *, allow_viewer: bool = False) -> Connection:
    connection = call.connection(allow_viewer=allow_viewer)
    if not connection.supports_dbt:
        raise Refusal(403, "Connection does not support dbt")
    return connection


def _environment(call: Call) -> DbtEnvironment:
    connection = _connection(call)
    environment = call.organization.environments.get(call.identifier("environmentId"))
    if environment is None or environment.connection_id != connection.id:
        raise Refusal(404, "dbt environment not found")
    return environment


def _owner(call: Call, body: dict[str, Any], *, otherwise: str | None) -> str | None:
    """The owner that a request names, or null for a shared environment.

    A member of the organization; a personal access token can name its own user only.
    """
    if "ownerId" not in body:
        return otherwise
    owner: str | None = body["ownerId"]
    if owner is None:
        return None
    if owner.lower() not in call.organization.users:
        raise Refusal(400, "User specified in `ownerId` is not a member of the organization")
    if call.caller.user_id not in (None, owner.lower()):
        raise Refusal(403, "Non-admin user attempting to set `ownerId` for another user")
    return owner.lower()


def _shown(environment: DbtEnvironment) -> dict[str, object]:
    shown: dict[str, object] = {camel(name): value for name, value in asdict(environment).items()}
    del shown["connectionId"]
    return {**shown, "variables": [without_secrets(variable) for variable in environment.variables]}
