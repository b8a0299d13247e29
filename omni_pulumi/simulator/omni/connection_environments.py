"""Connection environments: https://docs.omni.co/docs/API/connection-environments.

A creation sets no user attribute values: that takes a PUT afterwards. The wire form differs between Omni's sources,
comma-separated strings in one and arrays in the other, and each refuses what the other sends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from omni_pulumi.simulator.omni.call import Refusal, is_uuid
from omni_pulumi.simulator.wire import parse_json

if TYPE_CHECKING:
    from omni_pulumi.simulator.omni.call import Call
    from omni_pulumi.simulator.omni.organization import ConnectionEnvironment


def list_connection_environments(call: Call) -> JSONResponse:
    """GET: those of all base connections, where the instance has this endpoint."""
    _require_admin(call)
    return JSONResponse(_shown(list(call.organization.connection_environments.values())))


def create_connection_environments(call: Call) -> JSONResponse:
    """POST: all of the named connections become environments, or none."""
    _require_admin(call)
    body = _body(call, "baseConnectionId", "environmentConnectionIds")
    if not is_uuid(body["baseConnectionId"]):
        raise Refusal(400, "Bad Request: baseConnectionId: Base connection ID must be a valid UUID")
    connection_ids = _values(call, body, "environmentConnectionIds")
    if not all(is_uuid(each) for each in connection_ids):
        raise Refusal(400, "Bad Request: environmentConnectionIds: All environment connection IDs must be valid UUIDs")

    base = call.organization.connections.get(str(body["baseConnectionId"]).lower())
    if base is None:
        raise Refusal(404, f"Connection with id {body['baseConnectionId']} does not exist")
    wanted = [each.lower() for each in connection_ids]
    invalid = [
        each
        for index, each in enumerate(wanted)
        if each in wanted[:index] or not call.organization.can_be_environment(each, base)
    ]
    if invalid:
        names = ", ".join(invalid)
        raise Refusal(400, f"The following environment connection IDs are not valid for this connection: {names}")

    created = [call.organization.add_connection_environment(base.id, each) for each in wanted]
    if call.dialect.connection_environments == "generated":
        return JSONResponse(_shown(created), status_code=201)
    data = [{"id": each.id, "environmentConnectionId": each.connection_id} for each in created]
    return JSONResponse({"success": True, "data": data}, status_code=201)


def update_connection_environment(call: Call) -> JSONResponse:
    """PUT: the user attribute values that choose this environment, all of them."""
    environment = _environment(call)
    values = _values(call, _body(call, "userAttributeValues"), "userAttributeValues")
    if taken := call.organization.value_in_use(environment, values):
        raise Refusal(400, f'User attribute value "{taken}" is already in use')
    call.organization.set_values(environment, values)
    return JSONResponse({"success": True})


def delete_connection_environment(call: Call) -> JSONResponse:
    """DELETE: the association only, not the connection."""
    del call.organization.connection_environments[_environment(call).id]
    return JSONResponse({"success": True})


def invalid_method(_: Call) -> JSONResponse:
    """Any other method: these two paths answer 400, where others do not exist."""
    raise Refusal(400, "Invalid method")


def _require_admin(call: Call) -> None:
    if call.caller.role == "viewer":
        raise Refusal(403, "Permission denied")


def _environment(call: Call) -> ConnectionEnvironment:
    _require_admin(call)
    identifier = call.path["id"]
    if not is_uuid(identifier):
        raise Refusal(400, "Bad Request: id: Invalid uuid")
    environment = call.organization.connection_environments.get(identifier.lower())
    if environment is None:
        raise Refusal(404, f"Connection environment with id {identifier} does not exist")
    return environment


def _body(call: Call, *names: str) -> dict[str, object]:
    try:
        document = parse_json(call.raw)
    except ValueError:
        raise Refusal(400, "Bad Request: Invalid JSON") from None
    if not isinstance(document, dict):
        raise Refusal(400, "Bad Request: Expected object")
    if missing := [name for name in names if name not in document]:
        raise Refusal(400, f"Bad Request: {missing[0]}: Required")
    if unknown := [name for name in document if name not in names]:
        raise Refusal(400, f"Bad Request: {unknown[0]}: Unrecognized key")
    return document


def _values(call: Call, body: dict[str, object], name: str) -> list[str]:
    """The items of a field, in the wire form of the dialect. An empty string holds none."""
    value = body[name]
    if call.dialect.connection_environments == "pages":
        if not isinstance(value, str):
            raise Refusal(400, f"Bad Request: {name}: Expected string")
        return value.split(",") if value else []
    if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        raise Refusal(400, f"Bad Request: {name}: Expected array of strings")
    return value


def _shown(environments: list[ConnectionEnvironment]) -> dict[str, object]:
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
