"""One request to the local Omni: who asks, about what, with which body; and the refusals all endpoints share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from omni_pulumi.simulator.omni.organization import USER_ID, Connection, Organization
from omni_pulumi.simulator.wire import parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from omni_pulumi.simulator.omni.body import Shape
    from omni_pulumi.simulator.omni.dialect import Dialect, ErrorForm

API_KEY = "omni-simulator-organization-key"
PERSONAL_ACCESS_TOKEN = "omni-simulator-personal-access-token"  # noqa: S105 - made up, the same on every start
VIEWER_TOKEN = "omni-simulator-viewer-token"  # noqa: S105 - made up, the same on every start

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Refusal(Exception):  # noqa: N818 - an answer, not a failure of the simulator
    """Omni's answer to a request that it does not carry out."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self, form: ErrorForm) -> dict[str, object]:
        """The answer's body in one of the two documented forms."""
        if form == "error_message":
            return {"error": str(self.status), "message": self.message}
        return {"detail": self.message, "status": self.status}


@dataclass(frozen=True)
class Caller:
    """Who a token belongs to. An Organization API key belongs to no user."""

    role: Literal["organization", "connection_admin", "viewer"]
    user_id: str | None = None


_CALLERS = {
    API_KEY: Caller("organization"),
    PERSONAL_ACCESS_TOKEN: Caller("connection_admin", USER_ID),
    VIEWER_TOKEN: Caller("viewer"),
}


def authenticated(authorization: str | None) -> Caller:
    """The caller behind an Authorization header.

    The pages document 401; a live instance answered an unknown token with 403. Both happen here.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme != "Bearer" or not token.strip():
        raise Refusal(401, "Missing or malformed Authorization header")
    try:
        return _CALLERS[token.strip()]
    except KeyError:
        raise Refusal(403, "Invalid bearer token") from None


def is_uuid(value: object) -> bool:
    """Whether `value` is the text form of a UUID of any version."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


@dataclass(frozen=True)
class Call:
    """A request whose caller is known."""

    organization: Organization
    dialect: Dialect
    page_size_limit: int
    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, str]
    raw: bytes

    def identifier(self, name: str) -> str:
        """A UUID of the path."""
        if not is_uuid(self.path[name]):
            raise Refusal(400, f"{name}: Invalid uuid")
        return self.path[name].lower()

    def connection(self, *, allow_viewer: bool = False) -> Connection:
        """The connection of the path, once the caller may use it. Only listing environments is open to viewers."""
        identifier = self.identifier("connectionId")
        connection = self.organization.connections.get(identifier)
        if connection is None:
            raise Refusal(404, f"Connection with id {identifier} does not exist")
        if self.caller.role == "viewer" and not allow_viewer:
            raise Refusal(403, "Permission denied - connection admin role required")
        return connection

    def body(self, shape: Shape) -> dict[str, object]:
        """The body, once it has the documented shape."""
        try:
            document = parse_json(self.raw)
        except ValueError:
            raise Refusal(400, "Invalid request body: not JSON") from None
        complaint = shape.complaint(document)
        if complaint or not isinstance(document, dict):
            raise Refusal(400, f"Invalid request body: {complaint}")
        return document
