"""Connections and their environment user attribute: https://docs.omni.co/docs/API/connections.

The environment user attribute of a base connection is the user attribute whose values select a connection environment.
Its default values select the base connection. Omni's API descriptions differ in the fields of responses, in the body of
PATCH, and in whether GET of one connection exists. `Dialect` has a field for each difference.

The documentation does not cover the following cases, so the simulator does the simplest thing:

- An unknown attribute name gets 400.
- A connection environment cannot get a value that is a default value of its base connection. The documentation has this
  rule for PATCH of the base connection only.
- Several default values in one string are separated by commas. The documentation shows a single value.
- In the older body of PATCH, the name is required, null removes the attribute, and omitted values are null.

The simulator does not route users. It rejects the documented filters of the list, and the other fields of PATCH
(`baseRole` and credentials), with 400, because no client here uses them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from omni_pulumi.simulator.json_codec import parse_json
from omni_pulumi.simulator.omni.organization import EnvironmentUserAttribute
from omni_pulumi.simulator.omni.request import ApiError, is_uuid
from omni_pulumi.simulator.omni.schema import ObjectSchema, array_of, nullable, string

if TYPE_CHECKING:
    from omni_pulumi.simulator.omni.dialect import Dialect
    from omni_pulumi.simulator.omni.organization import Connection
    from omni_pulumi.simulator.omni.request import Request

_ATTRIBUTE_FIELD = "environmentUserAttribute"
_NAME_FIELD = "userAttributeNameForConnectionEnvironments"
_VALUES_FIELD = "userAttributeValuesForDefaultEnvironment"

_ATTRIBUTE_SCHEMA = ObjectSchema(
    {"attributeName": string, "defaultValues": nullable(array_of(string))}, required=("attributeName", "defaultValues")
)
_SCHEMAS = {
    _ATTRIBUTE_FIELD: ObjectSchema({_ATTRIBUTE_FIELD: nullable(_ATTRIBUTE_SCHEMA.schema_error)}),
    _NAME_FIELD: ObjectSchema({_NAME_FIELD: nullable(string), _VALUES_FIELD: nullable(string)}),
}


def list_connections(request: Request) -> JSONResponse:
    """GET: lists all connections. The list has no pages, so a `cursor` is rejected."""
    _require_admin(request)
    if request.query:
        unknown = next(iter(request.query))
        raise ApiError(400, f"Bad Request: formErrors: Unrecognized key(s) in object: '{unknown}'")
    connections = request.organization.connections.values()
    return JSONResponse({"connections": [_to_json(each, request.dialect) for each in connections]})


def get_connection(request: Request) -> JSONResponse:
    """GET: returns a connection. Not every dialect has this endpoint."""
    return JSONResponse({"connection": _to_json(_connection(request), request.dialect)})


def update_connection(request: Request) -> JSONResponse:
    """PATCH: sets or removes the environment user attribute. The response does not contain it."""
    connection = _connection(request)
    attribute = _requested_attribute(request)
    if attribute:
        if attribute.attribute_name not in request.organization.user_attributes:
            raise ApiError(400, f'User attribute "{attribute.attribute_name}" does not exist')
        values = attribute.default_values or ()
        if used := request.organization.value_in_use(connection.id, values, used_by=connection.id):
            raise ApiError(400, f'User attribute value "{used}" is already in use')
    if attribute == connection.environment_user_attribute:
        return JSONResponse({"success": True, "message": "No updates were made to the connection."})
    connection.environment_user_attribute = attribute
    return JSONResponse({"success": True, "message": "Updated environment user attribute settings."})


def _require_admin(request: Request) -> None:
    if request.caller.role == "viewer":
        raise ApiError(403, "Permission denied")


def _connection(request: Request) -> Connection:
    _require_admin(request)
    connection_id = request.path_params["id"]
    if not is_uuid(connection_id):
        raise ApiError(400, "Bad Request: id: Invalid uuid")
    connection = request.organization.connections.get(connection_id.lower())
    if connection is None:
        raise ApiError(404, "Connection not found")
    return connection


def _requested_attribute(request: Request) -> EnvironmentUserAttribute | None:
    """Return the attribute of the request body, or None to remove it."""
    required = request.dialect.connection_update
    body = _body(request, _SCHEMAS[required])
    if required not in body:
        raise ApiError(400, f"Bad Request: {required}: Required")
    if body[required] is None:
        return None
    if required == _ATTRIBUTE_FIELD:
        name, values = body[_ATTRIBUTE_FIELD]["attributeName"], body[_ATTRIBUTE_FIELD]["defaultValues"]
    else:
        name, values = body[_NAME_FIELD], _split(body.get(_VALUES_FIELD))
    return EnvironmentUserAttribute(name, None if values is None else tuple(values))


def _split(values: str | None) -> list[str] | None:
    if values is None:
        return None
    return values.split(",") if values else []


def _body(request: Request, schema: ObjectSchema) -> dict[str, Any]:
    try:
        document = parse_json(request.raw_body)
    except ValueError:
        raise ApiError(400, "Bad Request: Invalid JSON") from None
    if document == {}:
        raise ApiError(400, "Bad Request: Empty request body")
    schema_error = schema.schema_error(document)
    if schema_error or not isinstance(document, dict):
        raise ApiError(400, f"Bad Request: {schema_error}")
    return document


def _to_json(connection: Connection, dialect: Dialect) -> dict[str, object]:
    attribute = connection.environment_user_attribute
    values = attribute.default_values if attribute else None
    return {
        "baseRole": "QUERIER",
        "branchConnectionEnvironmentOverridesUserAttr": False,
        "database": None,
        "defaultSchema": None,
        "deletedAt": None,
        "dialect": connection.dialect,
        "environmentConnectionSwitchesSchemaModel": False,
        "id": connection.id,
        "name": connection.name,
        dialect.user_attribute_field: attribute.attribute_name if attribute else None,
        _VALUES_FIELD: ",".join(values) if values is not None and dialect.default_values == "string" else values,
    }
