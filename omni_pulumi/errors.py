"""The errors that this package raises, as one tree::

    Error                               advice, operation, resource_id, outcome_unknown, scope
    ├── ConfigurationError              settings or properties are missing or malformed: settings
    ├── AlreadyExistsError              creating would overwrite an object that exists: changes, undeclared
    │   └── AlreadyManagedError         another resource of this program manages the object: same_key
    ├── NoMatchError                    a lookup found nothing: existing
    ├── SeveralMatchesError             a lookup found several objects: matches
    ├── NothingToAdoptError             adopt="existing", and the object does not exist: nearest
    ├── CancelledError                  the user cancelled the run while a request waited to be sent
    ├── PartlyCreatedError              a create failed, and its object exists or may exist
    ├── RequestError                    there was no response
    │   ├── ConnectError                the service was not reached, so nothing was processed: cause
    │   └── ResponseLostError           the request was sent and may have been processed
    └── ResponseError                   the response reports an error: status, detail, meaning, retry_after
        ├── BadRequestError             400, 413, 422
        ├── AuthenticationError         401
        ├── PermissionDeniedError       403
        ├── NotFoundError               404, 410
        ├── ConflictError               409
        ├── RateLimitError              429
        ├── ServerError                 5xx
        └── UnexpectedResponseError     a redirect, the page of a proxy, JSON of another form: fields

Callers and tests use the class and the attributes. The text is for people and may change with any release.
The text is one line: what failed, why, and what to do. It never contains a secret, a header or a request body, and
the user part of a URL is masked in the text and in the attributes.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from typing_extensions import Required, Self, Unpack

from omni_pulumi.redact import redact

ConnectCause = Literal["name", "certificate", "tls", "proxy", "timeout", "refused", "other"]
"""Why a service was not reached."""

Scope = Literal["request", "parent", "instance"]
"""What would fail in the same way: only the request, all requests of a connection or project, or of the instance."""

Meaning = Literal["key_refused", "not_configured", "no_such_path", "other"]
"""What the words of a response mean: the key is unknown, dbt is not configured, the server has no such path."""


class _Details(TypedDict, total=False):
    """The optional arguments of :class:`Error`."""

    advice: str
    operation: str
    resource_id: str | None
    outcome_unknown: bool


class _ResponseDetails(_Details, total=False):
    """The arguments of :class:`ResponseError`, without the message."""

    status: Required[int]
    detail: str
    meaning: Meaning
    retry_after: float | None


class Error(Exception):
    """Base class of the errors that this package raises.

    Attributes:
        advice: what the user can do, the end of the text; empty when the message contains it.
        operation: what failed, such as ``delete dbt environment <id> of connection <id>``; empty when there is none.
        resource_id: ID of the object in its service, ``None`` when it has none yet.
        outcome_unknown: whether a failed write may have been applied, by this attempt or an earlier one. ``False`` for
            a read, and after reads that show that nothing was written.
        scope: what would fail in the same way.
    """

    scope: Scope = "request"

    def __init__(
        self,
        message: str,
        *,
        advice: str = "",
        operation: str = "",
        resource_id: str | None = None,
        outcome_unknown: bool = False,
    ) -> None:
        super().__init__(redact(message))
        self.advice = advice
        self.operation = operation
        self.resource_id = resource_id
        self.outcome_unknown = outcome_unknown

    def __str__(self) -> str:
        """Return the whole text."""
        return f"{self.message} {self.advice}".strip()

    @property
    def message(self) -> str:
        """What failed and why, without the advice."""
        return str(self.args[0])

    def __setattr__(self, name: str, value: object) -> None:
        """Mask the user part of URLs in every attribute."""
        if isinstance(value, str):
            value = redact(value)
        elif isinstance(value, tuple):
            value = tuple(redact(item) if isinstance(item, str) else item for item in value)
        super().__setattr__(name, value)

    def replace(self, message: str | None = None, **changes: object) -> Self:
        """Return a copy with another message, or with other values of attributes.

        Args:
            message: the message. Default: that of this error.
            changes: values by the name of their attribute.
        """
        error = type(self).__new__(type(self), self.message if message is None else redact(message))
        for name, value in {**vars(self), **changes}.items():
            setattr(error, name, value)
        return error


class ConfigurationError(Error):
    """Settings or properties are missing or malformed.

    Attributes:
        settings: their names, such as ``omni:apiKey``, ``HTTPS_PROXY`` or ``target_schema``.
    """

    def __init__(self, message: str, *, settings: tuple[str, ...]) -> None:
        super().__init__(message)
        self.settings = settings


class AlreadyExistsError(Error):
    """Creating would overwrite an object that exists, and the program does not adopt it.

    Attributes:
        resource_id: ID of the object that exists, ``None`` when the service does not return it.
        changes: paths of the properties that adopting it would change, such as ``variables.DBT_TARGET``.
        undeclared: what the object has, the program does not declare, and adopting the object would remove.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str,
        resource_id: str | None,
        changes: tuple[str, ...] = (),
        undeclared: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, operation=operation, resource_id=resource_id)
        self.changes = changes
        self.undeclared = undeclared


class AlreadyManagedError(AlreadyExistsError):
    """Another resource of this program manages the object.

    Attributes:
        same_key: whether the other resource uses the same API key.
    """

    def __init__(self, message: str, *, operation: str, resource_id: str | None, same_key: bool) -> None:
        super().__init__(message, operation=operation, resource_id=resource_id)
        self.same_key = same_key


class NothingToAdoptError(Error):
    """The program sets ``adopt="existing"``, and the object does not exist.

    Attributes:
        nearest: the objects that may be meant.
    """

    def __init__(self, message: str, *, operation: str, nearest: tuple[str, ...] = ()) -> None:
        super().__init__(message, operation=operation)
        self.nearest = nearest


class NoMatchError(Error):
    """A lookup found nothing.

    Attributes:
        existing: IDs of what exists.
    """

    def __init__(self, message: str, *, operation: str, existing: tuple[str, ...]) -> None:
        super().__init__(message, operation=operation)
        self.existing = existing


class SeveralMatchesError(Error):
    """A lookup found several objects.

    Attributes:
        matches: their IDs.
    """

    def __init__(self, message: str, *, operation: str, matches: tuple[str, ...]) -> None:
        super().__init__(message, operation=operation)
        self.matches = matches


class CancelledError(Error):
    """The user cancelled the run while a request waited to be sent."""


class PartlyCreatedError(Error):
    """A create failed, and its object exists or may exist.

    Attributes:
        resource_id: ID of the object, ``None`` when it is not known.
        outcome_unknown: always ``True``, because the object is not in the state.
    """

    def __init__(self, message: str, *, operation: str, resource_id: str | None) -> None:
        super().__init__(message, operation=operation, resource_id=resource_id, outcome_unknown=True)


class RequestError(Error):
    """There was no response."""


class ConnectError(RequestError):
    """The service was not reached, so nothing was processed.

    Attributes:
        cause: what failed: resolving the name, verifying the certificate, another part of TLS, the proxy, waiting for a
            connection, a port where nothing listens, or something else.
    """

    def __init__(self, message: str, *, cause: ConnectCause, **details: Unpack[_Details]) -> None:
        super().__init__(message, **details)
        self.cause: ConnectCause = cause


class ResponseLostError(RequestError):
    """The request was sent and no response arrived, so it may have been processed."""

    def __str__(self) -> str:
        """Return the whole text, which says whether a write may have been applied."""
        consequence = " The request may have been applied." if self.outcome_unknown else ""
        return f"{self.message}{consequence} {self.advice}".strip()


class ResponseError(Error):
    """The response reports an error.

    Attributes:
        status: HTTP status.
        detail: the service's message without secrets, at most 300 characters. It is for people: a secret of one letter
            masks parts of words.
        meaning: what the whole message means, found before it was masked.
        retry_after: seconds of the ``Retry-After`` header, ``None`` when there is none.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        detail: str = "",
        meaning: Meaning = "other",
        retry_after: float | None = None,
        **details: Unpack[_Details],
    ) -> None:
        super().__init__(message, **details)
        self.status = status
        self.detail = detail
        self.meaning: Meaning = meaning
        self.retry_after = retry_after


class BadRequestError(ResponseError):
    """400, 413 or 422: the service refuses the request's content."""


class AuthenticationError(ResponseError):
    """401: the API key is missing, unknown or expired."""


class PermissionDeniedError(ResponseError):
    """403: the owner of the API key may not do this. Omni also answers 403 to an unknown key."""


class NotFoundError(ResponseError):
    """404 or 410 in the service's own error format. The "not found" page of a proxy is an `UnexpectedResponseError`."""


class ConflictError(ResponseError):
    """409: the name is taken."""


class RateLimitError(ResponseError):
    """429: too many requests with this API key."""


class ServerError(ResponseError):
    """5xx. Lightdash also answers 500 to some mistakes in a request."""


class UnexpectedResponseError(ResponseError):
    """A response that the vendor does not document.

    Attributes:
        fields: paths of fields that are missing or of another type, such as ``records.0.targetSchema``. An empty path
            is the whole content.
    """

    def __init__(self, message: str, *, fields: tuple[str, ...] = (), **details: Unpack[_ResponseDetails]) -> None:
        super().__init__(message, **details)
        self.fields = fields
