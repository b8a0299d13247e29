"""What can go wrong, as one tree::

    Error
    ├── ConfigurationError              a URL or key is missing or malformed
    ├── AlreadyExistsError              creating would overwrite what somebody else made
    ├── CancelledError                  Ctrl-C while waiting to send a request
    ├── PartlyCreatedError              a create of several requests failed, and so did undoing it
    ├── RequestError                    no answer
    │   ├── ConnectError                the service was not reached: nothing was processed
    │   └── ResponseLostError           the request may have been processed, nobody knows
    └── ResponseError                   an answer, but not the one that was asked for
        ├── BadRequestError             400, 413, 422
        ├── AuthenticationError         401
        ├── PermissionDeniedError       403
        ├── NotFoundError               404, 410
        ├── ConflictError               409
        ├── RateLimitError              429
        ├── ServerError                 5xx
        └── UnexpectedResponseError     a redirect, a proxy's page, JSON of another shape

An error's text is one line: what was tried on what, what came back, what to do next. It never carries a secret, a
header or a request body.
"""


class Error(Exception):
    """Anything that this package raises on purpose.

    Attributes:
        may_be_done: whether an earlier attempt of the same request, whose answer got lost, may have been carried out.
    """

    may_be_done = False


class ConfigurationError(Error):
    """The URL or the key of a service is missing or malformed."""


class AlreadyExistsError(Error):
    """Creating would overwrite an object that exists and that this program has not taken over."""


class CancelledError(Error):
    """The run was cancelled while a request waited to be sent."""


class PartlyCreatedError(Error):
    """A create of several requests failed half-way and what it had made could not be removed again."""


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

    def __init__(self, message: str, *, status: int, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
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
    """An answer that the service's pages do not describe."""


def may_repeat(error: BaseException, *, idempotent: bool) -> bool:
    """Whether the same request may be sent again: nothing was processed, or processing it twice does no harm."""
    if isinstance(error, ConnectError | RateLimitError):
        return True
    if isinstance(error, ServerError):
        return idempotent and error.status in {502, 503, 504}
    return idempotent and isinstance(error, ResponseLostError)


def is_ambiguous(error: Error) -> bool:
    """Whether a write that ended so may have been carried out all the same."""
    if error.may_be_done:
        return True
    if isinstance(error, UnexpectedResponseError):
        return 200 <= error.status < 300
    return isinstance(error, ResponseLostError | ServerError)
