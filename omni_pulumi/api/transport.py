"""The one place through which requests leave: authentication, time-outs, the way from an answer to a value or an error.

Redirects are not followed: both services answer without any, and a redirect would carry the key to another host.
"""

from __future__ import annotations

import http
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import httpx
import pydantic

from omni_pulumi.api import errors

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_DETAIL_LENGTH = 300

M = TypeVar("M", bound=pydantic.BaseModel)

_BY_STATUS: Mapping[int, type[errors.ResponseError]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    410: errors.NotFoundError,
    413: errors.BadRequestError,
    422: errors.BadRequestError,
    429: errors.RateLimitError,
}

_NEXT_STEP: Mapping[type[errors.ResponseError], str] = {
    errors.BadRequestError: "Correct the value that the message names.",
    errors.AuthenticationError: "Check that the key is right and has not expired.",
    errors.PermissionDeniedError: "Check that the key is right and that its owner may administer this object.",
    errors.NotFoundError: "Check the ID and that the URL points to the right instance.",
    errors.ConflictError: "Choose another name, or set adopt=True to take over what exists.",
    errors.RateLimitError: "Wait a minute, then run the same command again.",
    errors.ServerError: "Run the same command again; if it stays, ask the service's support.",
    errors.UnexpectedResponseError: "Check that the URL is the instance's own and that no proxy answers in its place.",
}


class Transport:
    """Sends JSON to one instance with one key and gives back JSON, or raises one of :mod:`omni_pulumi.api.errors`."""

    def __init__(self, service: str, base_url: str, authorization: str) -> None:
        """Connect to the instance at ``base_url`` (without a trailing slash); no request is sent yet."""
        self.service = service
        self.base_url = base_url
        self._authorization = authorization
        self._http = httpx.Client(
            base_url=base_url,
            headers={"Authorization": authorization, "Accept": "application/json"},
            timeout=_TIMEOUT,
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        what: str,
        body: object = None,
        params: Mapping[str, str] | None = None,
        secrets: Iterable[str] = (),
    ) -> Any:
        """Send one request and return the answer's JSON.

        Args:
            method: HTTP method.
            path: path below the instance's URL.
            what: what is tried on what, for the error text: "read the dbt configuration of connection ...".
            body: JSON body, none when ``None``.
            params: query parameters.
            secrets: values of the body that an error text must not repeat, even when the service does.

        Raises:
            errors.RequestError: no answer.
            errors.ResponseError: an answer outside 2xx, or one that is not JSON.
        """
        trial = f"Cannot {what}: {self.service} at {self.base_url}"
        try:
            response = self._http.request(method, path, json=body, params=params)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            reason = _one_line(str(error)) or type(error).__name__
            raise errors.ConnectError(
                f"{trial} cannot be reached ({reason}). Check the URL, the network and the proxy settings."
            ) from None
        except httpx.HTTPError as error:
            reason = _one_line(str(error)) or type(error).__name__
            raise errors.ResponseLostError(
                f"{trial} gave no answer to {method} {path} ({reason}), so it is not known whether it was carried out."
            ) from None
        return self._value(response, trial, [*secrets, self._authorization.partition(" ")[2]])

    def _value(self, response: httpx.Response, trial: str, secrets: list[str]) -> Any:
        content = _json(response)
        if response.is_success and content is not None:
            return content
        kind = _kind(response, content)
        detail = _without(secrets, _detail(content))
        request = response.request
        status = f"{response.status_code} {_phrase(response.status_code)}".strip()
        answered = f"answered {status} to {request.method} {request.url.path}"
        reason = f": {detail}" if detail else "" if content is not None else " with something that is not JSON"
        sentence = f"{trial} {answered}{reason}".rstrip(".")
        raise kind(f"{sentence}. {_NEXT_STEP[kind]}", status=response.status_code, detail=detail)

    def parse(self, model: type[M], content: object, *, what: str) -> M:
        """Read an answer's content as ``model``.

        Raises:
            errors.UnexpectedResponseError: naming the fields that are missing or of another type, never their values.
        """
        try:
            return model.model_validate(content)
        except pydantic.ValidationError as error:
            fields = "; ".join(
                f"{'.'.join(map(str, e['loc'])) or 'the whole'}: {e['msg']}"
                for e in error.errors(include_url=False, include_context=False, include_input=False)
            )
            raise errors.UnexpectedResponseError(
                f"Cannot {what}: {self.service} at {self.base_url} answered in an unexpected form ({fields}). "
                "Please report this with the version of omni-pulumi.",
                status=200,
            ) from None


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _kind(response: httpx.Response, content: object) -> type[errors.ResponseError]:
    """401 is the one status that Lightdash answers in plain text; every other error of the services is JSON."""
    if response.status_code >= 500:
        return errors.ServerError
    if content is None and response.status_code not in {401, 429}:
        return errors.UnexpectedResponseError
    return _BY_STATUS.get(response.status_code, errors.UnexpectedResponseError)


def _detail(content: object) -> str:
    """The message of the forms in use: ``{error, message}``, ``{detail, status}``, ``{error: {message}}``, plain text.

    Lightdash's ``error.data`` repeats the request, tokens included, and is never looked at.
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, Mapping):
        return ""
    error = content.get("error")
    inner = error.get("message") if isinstance(error, Mapping) else None
    for text in (inner, content.get("message"), content.get("detail"), error):
        if isinstance(text, str) and text:
            return text
    return ""


def _without(secrets: Iterable[str], text: str) -> str:
    for secret in secrets:
        for form in (secret, json.dumps(secret)[1:-1]):
            if form:
                text = text.replace(form, "[secret]")
    text = _one_line(text)
    return text if len(text) <= _DETAIL_LENGTH else f"{text[:_DETAIL_LENGTH]}…"


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""
