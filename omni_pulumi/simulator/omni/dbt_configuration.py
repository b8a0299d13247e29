"""The dbt configuration of a connection: https://docs.omni.co/api/dbt/update-dbt-configuration and related pages.

GET of a connection without dbt responds with 200 and a message. PUT creates and updates. Its response does not contain
the configuration.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from omni_pulumi.simulator.omni.organization import DbtConfiguration
from omni_pulumi.simulator.omni.request import ApiError
from omni_pulumi.simulator.omni.schema import (
    ObjectSchema,
    boolean,
    non_empty_string,
    nullable,
    one_of,
    project_root_path,
    string,
    to_camel_case,
    to_snake_case,
)

if TYPE_CHECKING:
    from omni_pulumi.simulator.omni.dialect import Dialect
    from omni_pulumi.simulator.omni.request import Request


def get_dbt_configuration(request: Request) -> JSONResponse:
    """GET: returns the configuration, or a message if dbt is not configured."""
    connection = request.connection()
    if connection.dbt is None:
        message = "dbt not configured for this connection"
        return JSONResponse({"message": message, "supportsDbt": connection.supports_dbt})
    configuration = {to_camel_case(name): value for name, value in asdict(connection.dbt).items()}
    return JSONResponse({**configuration, "supportsDbt": True})


def update_dbt_configuration(request: Request) -> JSONResponse:
    """PUT: creates or updates the configuration."""
    connection = request.connection()
    if not connection.supports_dbt:
        raise ApiError(403, "Connection does not support dbt")
    body = request.body(_schema(request.dialect))
    rotate_keys = body.pop("rotateKeys", False)
    if body.get("dbtVersion", "Auto") is None:
        body["dbtVersion"] = "Auto"  # dbtVersion is never null in a response

    for name in ("sshUrl", "branch", "projectRootPath"):
        if body.get(name):
            body[name] = request.dialect.stored_form(str(body[name]))
    kept = asdict(connection.dbt) if connection.dbt and request.dialect.omitted_fields == "kept" else {}
    fields: dict[str, Any] = kept | {to_snake_case(name): value for name, value in body.items()}
    request.organization.configure_dbt(connection.id, DbtConfiguration(**fields))
    if rotate_keys:
        request.organization.rotate_keys(connection.id)
    return JSONResponse({"message": "dbt configuration updated successfully", "success": True})


def delete_dbt_configuration(request: Request) -> JSONResponse:
    """DELETE: removes the configuration. Keeps the dbt environments; the documentation does not mention them."""
    connection = request.connection()
    if connection.dbt is None:
        raise ApiError(404, "dbt not configured for this connection")
    connection.dbt = None
    return JSONResponse({"message": "dbt repository unlinked successfully", "success": True})


def _schema(dialect: Dialect) -> ObjectSchema:
    return ObjectSchema(
        {
            "autogenRelationships": boolean,
            "branch": non_empty_string,
            "dbtVersion": nullable(one_of(dialect.dbt_versions) if dialect.dbt_versions else string),
            "enableSemanticLayer": boolean,
            "enableVirtualSchemas": boolean,
            "projectRootPath": nullable(project_root_path),
            "rotateKeys": boolean,
            "sshUrl": non_empty_string,
        },
        required=("autogenRelationships", "branch", "enableVirtualSchemas", "sshUrl"),
    )
