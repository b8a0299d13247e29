"""Connection environments: https://docs.omni.co/docs/API/connection-environments.

POST sets no user attribute values; a later PUT does. Omni's API descriptions differ in the format of lists in requests:
comma-separated strings in one, arrays in the other. Each dialect rejects the other format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from omni_pulumi.simulator.json_codec import parse_json
from omni_pulumi.simulator.omni.request import ApiError, is_uuid

if TYPE_CHECKING:
    from omni_pulumi.simulator.omni.organization import ConnectionEnvironment
    from omni_pulumi.simulator.omni.request import Request


def list_connection_environments(request: Request) -> JSONResponse:
    """GET: lists the connection environments of all base connections. Not every dialect has this endpoint."""
    _require_admin(request)
    return JSONResponse(_to_json(list(request.organization.connection_environments.values())))


def create_connection_environments(request: Request) -> JSONResponse:
    """POST: creates a connection environment for each named connection, or none if one is invalid."""
    _require_admin(request)
    body = _body(request, "baseConnectionId", "environmentConnectionIds")
    if not is_uuid(body["baseConnectionId"]):
        raise ApiError(400, "Bad Request: baseConnectionId: Base connection ID must be a valid UUID")
    connection_ids = _values(request, body, "environmentConnectionIds")
    if not all(is_uuid(each) for each in connection_ids):
        raise ApiError(400, "Bad Request: environmentConnectionIds: All environment connection IDs must be valid UUIDs")

    base = request.organization.connections.get(str(body["baseConnectionId"]).lower())
    if base is None:
        raise ApiError(404, f"Connection with id {body['baseConnectionId']} does not exist")
    requested = [each.lower() for each in connection_ids]
    invalid = [
        each
        for index, each in enumerate(requested)
        if each in requested[:index] or not request.organization.can_be_environment(each, base)
    ]
    if invalid:
        names = ", ".join(invalid)
        raise ApiError(400, f"The following environment connection IDs are not valid for this connection: {names}")

    created = [request.organization.add_connection_environment(base.id, each) for each in requested]
    if request.dialect.connection_environments == "generated":
        return JSONResponse(_to_json(created), status_code=201)
    data = [{"id": each.id, "environmentConnectionId": each.connection_id} for each in created]
    return JSONResponse({"success": True, "data": data}, status_code=201)


def update_connection_environment(request: Request) -> JSONResponse:
    """PUT: replaces the user attribute values that select this environment."""
    environment = _environment(request)
    values = _values(request, _body(request, "userAttributeValues"), "userAttributeValues")
    base_id = environment.base_connection_id
    if used := request.organization.value_in_use(base_id, values, used_by=environment.id):
        raise ApiError(400, f'User attribute value "{used}" is already in use')
    request.organization.set_values(environment, values)
    return JSONResponse({"success": True})


def delete_connection_environment(request: Request) -> JSONResponse:
    """DELETE: deletes the connection environment, not its connection."""
    del request.organization.connection_environments[_environment(request).id]
    return JSONResponse({"success": True})


def invalid_method(_: Request) -> JSONResponse:
    """Respond with 400 to any other method, as documented for these paths."""
    raise ApiError(400, "Invalid method")


def _require_admin(request: Request) -> None:
    if request.caller.role == "viewer":
        raise ApiError(403, "Permission denied")


def _environment(request: Request) -> ConnectionEnvironment:
    _require_admin(request)
    environment_id = request.path_params["id"]
    if not is_uuid(environment_id):
        raise ApiError(400, "Bad Request: id: Invalid uuid")
    environment = request.organization.connection_environments.get(environment_id.lower())
    if environment is None:
        raise ApiError(404, f"Connection environment with id {environment_id} does not exist")
    return environment


def _body(request: Request, *names: str) -> dict[str, object]:
    try:
        document = parse_json(request.raw_body)
    except ValueError:
        raise ApiError(400, "Bad Request: Invalid JSON") from None
    if not isinstance(document, dict):
        raise ApiError(400, "Bad Request: Expected object")
    if missing := [name for name in names if name not in document]:
        raise ApiError(400, f"Bad Request: {missing[0]}: Required")
    if unknown := [name for name in document if name not in names]:
        raise ApiError(400, f"Bad Request: {unknown[0]}: Unrecognized key")
    return document


def _values(request: Request, body: dict[str, object], name: str) -> list[str]:
    """Return the items of a list field in the format of the dialect. An empty string contains no items."""
    value = body[name]
    if request.dialect.connection_environments == "pages":
        if not isinstance(value, str):
            raise ApiError(400, f"Bad Request: {name}: Expected string")
        return value.split(",") if value else []
    if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        raise ApiError(400, f"Bad Request: {name}: Expected array of strings")
    return value


def _to_json(environments: list[ConnectionEnvironment]) -> dict[str, object]:
    return {
        "connectionEnvironments": [
            {
                "baseConnectionId": each.base_connection_id,
                "connectionId": each.connection_id,
                "id": each.id,
                "userAttributeValues": list(each.user_attribute_values),
            }
            for each in environments
        ]
    }
