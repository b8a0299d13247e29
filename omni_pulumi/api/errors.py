"""The errors that this package raises, as one tree::

    Error                               operation, resource_id, outcome_unknown, scope
    ├── ConfigurationError              settings, or a resource's properties, are missing or malformed: settings
    ├── AlreadyExistsError              creating would overwrite an object that exists: changes, undeclared
    │   └── AlreadyManagedError         another resource of this program manages it: same_key
    ├── NothingToAdoptError             adopt="existing", and there is no such object: nearest
    ├── CancelledError                  Ctrl-C while a request waited to be sent
    ├── PartlyCreatedError              a create failed, and its object is, or may be, still in the service
    ├── RequestError                    no answer
    │   ├── ConnectError                the service was not reached: nothing was processed
    │   └── ResponseLostError           the request was sent and may have been processed
    └── ResponseError                   an answer other than the expected one: status, detail, retry_after
        ├── BadRequestError             400, 413, 422
        ├── AuthenticationError         401
        ├── PermissionDeniedError       403
        ├── NotFoundError               404, 410
        ├── ConflictError               409
        ├── RateLimitError              429
        ├── ServerError                 5xx
        └── UnexpectedResponseError     a redirect, a proxy's page, JSON of another shape: fields

Callers and tests ask the class and the attributes. The text is for people and may change with any release.
An error's text is one line: what was tried on what, what came back, what to do next. It never carries a secret, a
header or a request body, and the user part of a URL is masked in the text and in the attributes.
"""

from __future__ import annotations

from typing import Literal

from typing_extensions import Self

from omni_pulumi.api.redact import mask_urls

Scope = Literal["request", "parent", "instance"]
"""What fails as long as a failure lasts: one request, those about a connection or project, or all of an instance."""


class Error(Exception):
    """Base class of the errors that this package raises.

    Attributes:
        operation: what was tried on what, such as ``delete dbt environment <id> of connection <id>``; empty when
            there is none.
        resource_id: ID of the object concerned in its service, ``None`` when the object has none yet.
        outcome_unknown: whether a write may have been carried out although it failed, by this attempt or an earlier
            one. ``False`` for a read, and after reads that have shown that nothing was written.
        scope: what would fail in the same way.
    """

    scope: Scope = "request"

    def __init__(
        self, message: str, *, operation: str = "", resource_id: str | None = None, outcome_unknown: bool = False
    ) -> None:
        super().__init__(mask_urls(message))
        self.operation = operation
        self.resource_id = resource_id
        self.outcome_unknown = outcome_unknown

    def __setattr__(self, name: str, value: object) -> None:
        """Mask the user part of URLs, whoever sets the attribute, and also when it is set later."""
        if isinstance(value, str):
            value = mask_urls(value)
        elif isinstance(value, tuple):
            value = tuple(mask_urls(item) if isinstance(item, str) else item for item in value)
        super().__setattr__(name, value)

    def repeated(self, message: str, *, operation: str) -> Self:
        """Return an error of the same class, status and detail for an operation that changed nothing."""
        error = type(self).__new__(type(self), mask_urls(message))
        vars(error).update(vars(self))
        error.operation, error.resource_id, error.outcome_unknown = operation, None, False
        return error


class ConfigurationError(Error):
    """Settings, or a resource's properties, are missing or malformed.

    Attributes:
        settings: their names: a key of the stack's configuration such as ``omni:apiKey``, an environment variable such
            as ``HTTPS_PROXY``, or a property such as ``targetSchema``.
    """

    def __init__(self, message: str, *, settings: tuple[str, ...]) -> None:
        super().__init__(message)
        self.settings = settings


class AlreadyExistsError(Error):
    """Creating would overwrite an object that exists and that this program has not adopted.

    Attributes:
        resource_id: ID of the object that exists, ``None`` where the service does not tell it.
        changes: paths of the properties that adopting it would change, such as ``variables.DBT_TARGET``.
        undeclared: what the object has and the program does not declare, and what adopting it would remove.
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
    """The program says ``adopt="existing"``, and there is no such object.

    Attributes:
        nearest: the objects that may be meant.
    """

    def __init__(self, message: str, *, operation: str, nearest: tuple[str, ...] = ()) -> None:
        super().__init__(message, operation=operation)
        self.nearest = nearest


class CancelledError(Error):
    """The run was cancelled while a request waited to be sent."""


class PartlyCreatedError(Error):
    """A create failed, and the object that it created, or may have created, is still in the service.

    Attributes:
        resource_id: ID of the object, ``None`` when it is not known whether there is one.
        outcome_unknown: always ``True``: the state lacks an object that the service may have.
    """

    def __init__(self, message: str, *, operation: str, resource_id: str | None) -> None:
        super().__init__(message, operation=operation, resource_id=resource_id, outcome_unknown=True)


class RequestError(Error):
    """A request got no answer."""


class ConnectError(RequestError):
    """The service was not reached, so nothing was processed."""


class ResponseLostError(RequestError):
    """The request was sent and the answer did not arrive: it may have been processed."""


class ResponseError(Error):
    """The service answered with something else than what was asked for.

    Attributes:
        status: HTTP status of the answer.
        detail: the service's own message, without secrets, at most a few hundred characters.
        retry_after: seconds after which the service wants to be asked again, ``None`` when it does not say.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        detail: str = "",
        retry_after: float | None = None,
        operation: str = "",
        resource_id: str | None = None,
        outcome_unknown: bool = False,
    ) -> None:
        super().__init__(message, operation=operation, resource_id=resource_id, outcome_unknown=outcome_unknown)
        self.status = status
        self.detail = detail
        self.retry_after = retry_after


class BadRequestError(ResponseError):
    """400, 413 or 422: the service refuses the content."""


class AuthenticationError(ResponseError):
    """401: the key is missing, unknown or expired."""


class PermissionDeniedError(ResponseError):
    """403: the key may not do this. Omni also answers this to an unknown key."""


class NotFoundError(ResponseError):
    """404 or 410, in the service's own error format: a proxy's "not found" page is no such evidence."""


class ConflictError(ResponseError):
    """409: the name is taken."""


class RateLimitError(ResponseError):
    """429: too many requests for this key."""


class ServerError(ResponseError):
    """5xx. Lightdash also answers 500 to some plain mistakes in a request."""


class UnexpectedResponseError(ResponseError):
    """An answer that the service's pages do not describe.

    Attributes:
        fields: paths of the answer's fields that are missing or of another type, such as ``records.0.targetSchema``; an
            empty path stands for the whole answer.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        detail: str = "",
        retry_after: float | None = None,
        fields: tuple[str, ...] = (),
        operation: str = "",
        resource_id: str | None = None,
        outcome_unknown: bool = False,
    ) -> None:
        super().__init__(
            message,
            status=status,
            detail=detail,
            retry_after=retry_after,
            operation=operation,
            resource_id=resource_id,
            outcome_unknown=outcome_unknown,
        )
        self.fields = fields


def may_repeat(error: BaseException, *, idempotent: bool) -> bool:
    """Whether the same request may be sent again: nothing was processed, or processing it twice does no harm."""
    if isinstance(error, ConnectError | RateLimitError):
        return True
    if isinstance(error, ServerError):
        return idempotent and error.status in {502, 503, 504}
    return idempotent and isinstance(error, ResponseLostError)
