"""One request to the local Lightdash: how it is authenticated, how its body is read, and how it is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from omni_pulumi.simulator.wire import parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from omni_pulumi.simulator.lightdash.instance import Instance

API_KEY = "ldpat_simulator_admin"
DEVELOPER_TOKEN = "ldpat_simulator_developer"  # noqa: S105 - made up, the same on every start
VIEWER_TOKEN = "ldpat_simulator_viewer"  # noqa: S105 - made up, the same on every start
MEMBER_TOKEN = "ldpat_simulator_member"  # noqa: S105 - made up, the same on every start
EXPIRED_TOKEN = "ldpat_simulator_expired"  # noqa: S105 - made up, the same on every start

LARGEST_BODY = 5 * 1024 * 1024

_UUID4 = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-4[0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}"

Issues = dict[str, dict[str, object]]
"""What is wrong with a request, by field: a message and, where one was sent, the value."""


class Answer(JSONResponse):
    """A JSON answer, labelled as Lightdash does it."""

    media_type = "application/json; charset=utf-8"


class Refusal(Exception):  # noqa: N818 - an answer, not a failure of the simulator
    """Lightdash's answer to a request that it does not carry out."""

    def __init__(self, status: int, name: str, message: str, data: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.message = message
        self.data = dict(data or {})

    def answer(self) -> Response:
        """The error as Lightdash words it. A 500 carries an event id for its operators."""
        error = {"statusCode": self.status, "name": self.name, "message": self.message, "data": self.data}
        event = {"sentryEventId": "0" * 32} if self.status == 500 else {}
        return Answer({"status": "error", "error": {**error, **event}}, status_code=self.status)


class Unauthenticated(Refusal):
    """No token that Lightdash would look up: its answer then is plain text without a Content-Type."""

    def __init__(self) -> None:
        super().__init__(401, "AuthorizationError", "Unauthorized")

    def answer(self) -> Response:
        """The bare word."""
        return Response(self.message, status_code=self.status)


def something_went_wrong() -> Refusal:
    """What Lightdash answers to several plain mistakes of its user."""
    return Refusal(500, "UnexpectedServerError", "Something went wrong.")


_ERRORS = {
    401: ("AuthorizationError", "Failed to authorize user"),
    403: ("ForbiddenError", "You don't have access to this resource or action"),
    404: ("NotFoundError", "API endpoint not found"),
    429: ("TooManyRequestsError", "Too many requests"),
}


def refusal(status: int) -> Refusal:
    """An error of this status, whatever was asked for."""
    name, message = _ERRORS.get(status, ("UnexpectedServerError", "Something went wrong."))
    return Refusal(status, name, message)


def forbidden() -> Refusal:
    """The refusal for a role that does not suffice."""
    return Refusal(403, "ForbiddenError", "You don't have access to this resource or action")


def validate_error(issues: Issues) -> Refusal:
    """422: all fields that do not fit, with the values that were sent, secrets among them."""
    message = ", ".join(f"{field}: {issue['message']}" for field, issue in issues.items())
    return Refusal(422, "ValidateError", message, issues)


class Role(Enum):
    """What a token's owner is in every project."""

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


def authenticated(authorization: str | None) -> Role:
    """The role behind an Authorization header.

    The scheme is `ApiKey`, spelt exactly so. Any other, or an empty token, gives the plain 401; a token that is unknown
    or expired gives the JSON one.
    """
    scheme, separator, token = (authorization or "").rstrip().partition(" ")
    if scheme != "ApiKey" or not separator:
        raise Unauthenticated
    try:
        return _ROLES[token]
    except KeyError:
        raise Refusal(401, "AuthorizationError", "Failed to authorize user") from None


def read_body(content_type: str | None, raw: bytes) -> object:
    """The body before anything else is looked at.

    A body of another content type is not read at all, and no complaint is made. Malformed JSON is answered with 500.
    """
    if len(raw) > LARGEST_BODY:
        raise Refusal(413, "PayloadTooLargeError", "Request payload exceeds the maximum allowed size")
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type != "application/json" or not raw.strip():
        return {}
    try:
        document = parse_json(raw)
    except ValueError:
        raise something_went_wrong() from None
    if not isinstance(document, dict | list):
        raise something_went_wrong()
    return document


@dataclass(frozen=True)
class Call:
    """A request whose caller is known."""

    instance: Instance
    version: str
    role: Role
    path: Mapping[str, str]
    body: object

    def path_issues(self) -> Issues:
        """Path ids that hold no UUID of version 4. The pattern is not anchored: one inside of other text passes."""
        return {
            name: {"message": f"Not match in '{_UUID4}'", "value": value}
            for name, value in self.path.items()
            if not re.search(_UUID4, value)
        }

    def require(self, *roles: Role) -> None:
        """Refuse other roles."""
        if self.role not in roles:
            raise forbidden()


def database_id(value: str) -> str:
    """An id as the database reads it: in either case, and nothing around it."""
    if not re.fullmatch(_UUID4, value):
        raise something_went_wrong()
    return value.lower()
