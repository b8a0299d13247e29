"""An authenticated request to the Omni simulator, and the errors that all endpoints share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from omni_pulumi.simulator.json_codec import parse_json
from omni_pulumi.simulator.omni.organization import USER_ID, Connection, Organization

if TYPE_CHECKING:
    from collections.abc import Mapping

    from omni_pulumi.simulator.omni.dialect import Dialect, ErrorFormat
    from omni_pulumi.simulator.omni.schema import ObjectSchema

API_KEY = "omni-simulator-organization-key"
PERSONAL_ACCESS_TOKEN = "omni-simulator-personal-access-token"  # noqa: S105 - not a secret, the same on every start
VIEWER_TOKEN = "omni-simulator-viewer-token"  # noqa: S105 - not a secret, the same on every start

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class ApiError(Exception):
    """An error response of Omni."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self, error_format: ErrorFormat) -> dict[str, object]:
        """Return the response body in one of the two documented formats."""
        if error_format == "error_message":
            return {"error": str(self.status), "message": self.message}
        return {"detail": self.message, "status": self.status}


@dataclass(frozen=True)
class Caller:
    """The owner of a token. An Organization API key belongs to no user."""

    role: Literal["organization", "connection_admin", "viewer"]
    user_id: str | None = None


_CALLERS = {
    API_KEY: Caller("organization"),
    PERSONAL_ACCESS_TOKEN: Caller("connection_admin", USER_ID),
    VIEWER_TOKEN: Caller("viewer"),
}


def authenticate(authorization: str | None) -> Caller:
    """Return the owner of the token in an Authorization header.

    Raises:
        ApiError: 401 for a missing or malformed header, as documented. 403 for an unknown token, as observed on a live
            instance.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme != "Bearer" or not token.strip():
        raise ApiError(401, "Missing or malformed Authorization header")
    try:
        return _CALLERS[token.strip()]
    except KeyError:
        raise ApiError(403, "Invalid bearer token") from None


def is_uuid(value: object) -> bool:
    """Return whether `value` is a UUID of any version, as text."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


@dataclass(frozen=True)
class Request:
    """An authenticated request."""

    organization: Organization
    dialect: Dialect
    page_size_limit: int
    caller: Caller
    path_params: Mapping[str, str]
    query: Mapping[str, str]
    raw_body: bytes

    def path_uuid(self, name: str) -> str:
        """Return a path parameter that is a UUID."""
        if not is_uuid(self.path_params[name]):
            raise ApiError(400, f"{name}: Invalid uuid")
        return self.path_params[name].lower()

    def connection(self, *, allow_viewer: bool = False) -> Connection:
        """Return the connection that the path names. Viewers may list dbt environments only."""
        connection_id = self.path_uuid("connectionId")
        connection = self.organization.connections.get(connection_id)
        if connection is None:
            raise ApiError(404, f"Connection with id {connection_id} does not exist")
        if self.caller.role == "viewer" and not allow_viewer:
            raise ApiError(403, "Permission denied - connection admin role required")
        return connection

    def body(self, schema: ObjectSchema) -> dict[str, object]:
        """Return the request body if it matches a schema."""
        try:
            document = parse_json(self.raw_body)
        except ValueError:
            raise ApiError(400, "Invalid request body: not JSON") from None
        schema_error = schema.schema_error(document)
        if schema_error or not isinstance(document, dict):
            raise ApiError(400, f"Invalid request body: {schema_error}")
        return document
