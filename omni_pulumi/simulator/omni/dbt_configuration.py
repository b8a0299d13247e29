"""dbt configuration of a connection: https://docs.omni.co/api/dbt/update-dbt-configuration and its siblings.

A connection without dbt is not an error: GET answers 200 with a message. PUT creates and updates alike, and its answer
does not show the configuration.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from omni_pulumi.simulator.omni.body import (
    Shape,
    boolean,
    camel,
    filled_text,
    nullable,
    one_of,
    project_root_path,
    snake,
    text,
)
from omni_pulumi.simulator.omni.call import Refusal
from omni_pulumi.simulator.omni.organization import DbtConfiguration

if TYPE_CHECKING:
    from omni_pulumi.simulator.omni.call import Call
    from omni_pulumi.simulator.omni.dialect import Dialect


def get_dbt_configuration(call: Call) -> JSONResponse:
    """GET: the configuration, or that there is none."""
    connection = call.connection()
    if connection.dbt is None:
        message = "dbt not configured for this connection"
        return JSONResponse({"message": message, "supportsDbt": connection.supports_dbt})
    configured = {camel(name): value for name, value in asdict(connection.dbt).items()}
    return JSONResponse({**configured, "supportsDbt": True})


def update_dbt_configuration(call: Call) -> JSONResponse:
    """PUT: link dbt, or change the link."""
    connection = call.connection()
    if not connection.supports_dbt:
        raise Refusal(403, "Connection does not support dbt")
    body = call.body(_shape(call.dialect))
    rotate_keys = body.pop("rotateKeys", False)
    if body.get("dbtVersion", "Auto") is None:
        body["dbtVersion"] = "Auto"  # answers never show null here

    kept = asdict(connection.dbt) if connection.dbt and call.dialect.omitted_fields == "kept" else {}
    fields: dict[str, Any] = kept | {snake(name): value for name, value in body.items()}
    call.organization.configure_dbt(connection.id, DbtConfiguration(**fields))
    if rotate_keys:
        call.organization.rotate_keys(connection.id)
    return JSONResponse({"message": "dbt configuration updated successfully", "success": True})


def delete_dbt_configuration(call: Call) -> JSONResponse:
    """DELETE: unlink dbt. What becomes of its environments is nowhere documented; here they stay."""
    connection = call.connection()
    if connection.dbt is None:
        raise Refusal(404, "dbt not configured for this connection")
    connection.dbt = None
    return JSONResponse({"message": "dbt repository unlinked successfully", "success": True})


def _shape(dialect: Dialect) -> Shape:
    return Shape(
        {
            "autogenRelationships": boolean,
            "branch": filled_text,
            "dbtVersion": nullable(one_of(dialect.dbt_versions) if dialect.dbt_versions else text),
            "enableSemanticLayer": boolean,
            "enableVirtualSchemas": boolean,
            "projectRootPath": nullable(project_root_path),
            "rotateKeys": boolean,
            "sshUrl": filled_text,
        },
        required=("autogenRelationships", "branch", "enableVirtualSchemas", "sshUrl"),
    )
