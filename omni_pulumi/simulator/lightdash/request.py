"""A request to the Lightdash simulator: authentication, parsing of the body, and error responses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from omni_pulumi.simulator.json_codec import compact_json, parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from omni_pulumi.simulator.forms import StoredForm
    from omni_pulumi.simulator.lightdash.instance import Instance

API_KEY = "ldpat_simulator_admin"
DEVELOPER_TOKEN = "ldpat_simulator_developer"  # noqa: S105 - not a secret, the same on every start
VIEWER_TOKEN = "ldpat_simulator_viewer"  # noqa: S105 - not a secret, the same on every start
MEMBER_TOKEN = "ldpat_simulator_member"  # noqa: S105 - not a secret, the same on every start
EXPIRED_TOKEN = "ldpat_simulator_expired"  # noqa: S105 - not a secret, the same on every start

MAX_BODY_SIZE = 5 * 1024 * 1024

_UUID4 = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-4[0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}"

Issues = dict[str, dict[str, object]]
"""Validation errors by field path: a message and, if the field was sent, its value."""


class LightdashResponse(JSONResponse):
    """A JSON response with Lightdash's Content-Type."""

    media_type = "application/json; charset=utf-8"

    def render(self, content: object) -> bytes:
        """Return JSON as Lightdash writes it."""
        return compact_json(content).encode()


class ApiError(Exception):
    """An error response of Lightdash."""

    def __init__(self, status: int, name: str, message: str, data: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.message = message
        self.data = dict(data or {})

    def response(self) -> Response:
        """Return the error in Lightdash's format. A 500 contains a Sentry event ID."""
        error = {"statusCode": self.status, "name": self.name, "message": self.message, "data": self.data}
        event = {"sentryEventId": "0" * 32} if self.status == 500 else {}
        return LightdashResponse({"status": "error", "error": {**error, **event}}, status_code=self.status)


class MissingTokenError(ApiError):
    """The request has no token. The response is plain text without a Content-Type."""

    def __init__(self) -> None:
        super().__init__(401, "AuthorizationError", "Unauthorized")

    def response(self) -> Response:
        """Return the plain text response."""
        return Response(self.message, status_code=self.status)


def unexpected_server_error() -> ApiError:
    """Return the 500 with which Lightdash responds to several kinds of invalid requests."""
    return ApiError(500, "UnexpectedServerError", "Something went wrong.")


_ERRORS = {
    401: ("AuthorizationError", "Failed to authorize user"),
    403: ("ForbiddenError", "You don't have access to this resource or action"),
    404: ("NotFoundError", "API endpoint not found"),
    429: ("TooManyRequestsError", "Too many requests"),
}


def error_with_status(status: int) -> ApiError:
    """Return an error with this status."""
    name, message = _ERRORS.get(status, ("UnexpectedServerError", "Something went wrong."))
    return ApiError(status, name, message)


def validate_error(issues: Issues) -> ApiError:
    """Return a 422 with all invalid fields and their values, including secrets."""
    message = ", ".join(f"{field}: {issue['message']}" for field, issue in issues.items())
    return ApiError(422, "ValidateError", message, issues)


class Role(Enum):
    """The role of a token's owner in every project."""

    ADMIN = "admin"
    DEVELOPER = "developer"
    VIEWER = "viewer"
    MEMBER = "member"


_ROLES = {
    API_KEY: Role.ADMIN,
    DEVELOPER_TOKEN: Role.DEVELOPER,
    VIEWER_TOKEN: Role.VIEWER,
    MEMBER_TOKEN: Role.MEMBER,
}


def authenticate(authorization: str | None) -> Role:
    """Return the role of the token in an Authorization header. The scheme must be exactly `ApiKey`.

    Raises:
        MissingTokenError: The scheme is another one, or the token is empty.
        ApiError: The token is unknown or expired.
    """
    scheme, separator, token = (authorization or "").rstrip().partition(" ")
    if scheme != "ApiKey" or not separator:
        raise MissingTokenError
    try:
        return _ROLES[token]
    except KeyError:
        raise ApiError(401, "AuthorizationError", "Failed to authorize user") from None


def parse_body(content_type: str | None, raw_body: bytes) -> object:
    """Parse a JSON body. Ignore a body with another Content-Type.

    Raises:
        ApiError: 413 for a body over 5 MB, 500 for malformed JSON.
    """
    if len(raw_body) > MAX_BODY_SIZE:
        raise ApiError(413, "PayloadTooLargeError", "Request payload exceeds the maximum allowed size")
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type != "application/json" or not raw_body.strip():
        return {}
    try:
        document = parse_json(raw_body)
    except ValueError:
        raise unexpected_server_error() from None
    if not isinstance(document, dict | list):
        raise unexpected_server_error()
    return document


@dataclass(frozen=True)
class Request:
    """An authenticated request."""

    instance: Instance
    version: str
    stored_form: StoredForm
    role: Role
    path_params: Mapping[str, str]
    body: object

    def path_issues(self) -> Issues:
        """Return the path parameters that contain no UUID v4. Lightdash's pattern also matches within other text."""
        return {
            name: {"message": f"Not match in '{_UUID4}'", "value": value}
            for name, value in self.path_params.items()
            if not re.search(_UUID4, value)
        }

    def require(self, *roles: Role) -> None:
        """Raise a 403 unless the caller has one of these roles."""
        if self.role not in roles:
            raise error_with_status(403)


def database_id(value: str) -> str:
    """Parse an ID as the database does: in upper or lower case, without surrounding text."""
    if not re.fullmatch(_UUID4, value):
        raise unexpected_server_error()
    return value.lower()
