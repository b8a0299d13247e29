"""Responses: the error for each status, message and content."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing

import httpx
import pydantic
import pytest

from omni_pulumi import errors
from omni_pulumi.api.request import Request
from omni_pulumi.api.transport import Transport
from tests.api.fake_network import HTML, KEY, SECRET, Serve, error, transport_to


@pytest.mark.parametrize(
    ("status", "kind", "subject"),
    [
        (400, errors.BadRequestError, "value"),
        (401, errors.AuthenticationError, "key"),
        (403, errors.PermissionDeniedError, "key"),
        (404, errors.NotFoundError, "ID"),
        (409, errors.ConflictError, "name"),
        (410, errors.NotFoundError, "ID"),
        (413, errors.BadRequestError, "value"),
        (418, errors.UnexpectedResponseError, "URL"),
        (422, errors.BadRequestError, "value"),
        (429, errors.RateLimitError, "again"),
        (500, errors.ServerError, "again"),
        (503, errors.ServerError, "again"),
        (599, errors.ServerError, "again"),
    ],
)
def test_each_status_has_an_error_class(
    serve: Serve, transport: Transport, status: int, kind: type[errors.ResponseError], subject: str
) -> None:
    """The error names the operation, the instance, the status, the request and what to do.

    The outcome of a write is unknown after 5xx only.
    """
    serve(httpx.Response(status, json={"error": "code", "message": "The thing is odd."}))
    raised = error(transport, "PUT")
    assert type(raised) is kind
    assert isinstance(raised, errors.ResponseError)
    assert (raised.status, raised.detail, raised.operation) == (status, "The thing is odd.", "list the things")
    assert raised.outcome_unknown == (status >= 500)
    cause, _, next_step = str(raised).partition("The thing is odd. ")
    for fact in ("list the things", "Omni", "https://acme.omniapp.co", str(status), "PUT /api/v1/things"):
        assert fact in cause
    assert subject in next_step


@pytest.mark.parametrize(
    ("detail", "is_about_key", "fact"),
    [
        ("Connection does not support dbt", False, "another object"),
        ("This dialect does not support dbt environments", False, "another object"),
        ("Permission denied or connection does not support dbt", True, "another object"),
        ("The environment belongs to a different organization", False, "ID"),
        ("This dbt source does not belong to the project", False, "ID"),
        ("Personal access tokens are disabled", False, "enable"),
        ("A second connection needs the Enterprise multi-connection add-on", False, "enable"),
        ("Permission denied - connection admin role required", True, "key"),
        ("You don't have access to this resource or action", True, "key"),
        ("", True, "key"),
    ],
)
def test_a_403_that_is_not_about_the_key(
    serve: Serve, transport: Transport, detail: str, *, is_about_key: bool, fact: str
) -> None:
    """The advice about a 403 follows the text of the service: only a text about permissions is about the key."""
    serve(httpx.Response(403, json={"error": "FORBIDDEN", "message": detail}))
    raised = error(transport)
    assert isinstance(raised, errors.PermissionDeniedError)
    advice = raised.advice
    assert ("API key is correct" in advice, fact in advice) == (is_about_key, True)


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        ({"error": "BAD_REQUEST", "message": "It is odd."}, "It is odd."),
        ({"detail": "It is odd.", "status": 400}, "It is odd."),
        ({"error": "It is odd."}, "It is odd."),
        ({"message": "It is odd."}, "It is odd."),
        (
            {"status": "error", "error": {"statusCode": 400, "name": "ParameterError", "message": "It is odd."}},
            "It is odd.",
        ),
        ("It is odd.", "It is odd."),
        ({"message": "It\r\n is\n\nodd."}, "It is odd."),
        ({"message": "x" * 1000}, f"{'x' * 300}…"),
        ({"message": {"text": "nested"}}, ""),
        ({"errors": ["odd"]}, ""),
        ([], ""),
        (None, ""),
    ],
    ids=repr,
)
def test_the_message_of_the_service(serve: Serve, transport: Transport, content: object, detail: str) -> None:
    """The error has the message of the service from each form of response, in one line of at most 300 characters."""
    serve(httpx.Response(400, json=content))
    raised = error(transport)
    assert isinstance(raised, errors.ResponseError)
    assert raised.detail == detail
    assert detail.rstrip(".") in str(raised)


@pytest.mark.parametrize("hidden", [KEY, SECRET])
@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda text: text, id="plain"),
        pytest.param(lambda text: json.dumps(text), id="JSON"),
        pytest.param(lambda text: json.dumps(text, ensure_ascii=False), id="JSON without ASCII escapes"),
    ],
)
def test_secrets_are_masked(serve: Serve, transport: Transport, hidden: str, form: Callable[[str], str]) -> None:
    """The API key and the secrets of the request are masked in the service's message, also as JSON strings."""
    serve(httpx.Response(400, json={"message": f"odd: {form(hidden)}!"}))
    raised = error(transport)
    assert isinstance(raised, errors.ResponseError)
    assert form(hidden).strip('"') not in str(raised)
    assert "[secret]" in raised.detail
    assert "hush" not in str(raised)


def test_secrets_are_masked_before_a_message_is_shortened(serve: Serve, transport: Transport) -> None:
    """No part of a secret remains when the message is shortened within it."""
    serve(httpx.Response(400, json={"message": f"{'x' * 295}{SECRET}"}))
    assert "hu" not in str(error(transport)).partition("xxx")[2]


def test_a_secret_of_several_lines_is_masked(serve: Serve, transport: Transport) -> None:
    """A secret such as a private key is masked, although the message becomes one line."""
    secret = "-----BEGIN\nabc def\n-----END"
    serve(httpx.Response(400, json={"message": f"odd: {secret}"}))
    with pytest.raises(errors.BadRequestError) as caught:
        transport.send(Request(method="GET", path="/", operation="list the things", secrets=(secret,)))
    assert "abc" not in str(caught.value)


def test_error_data_of_lightdash_is_not_shown(serve: Serve, transport: Transport) -> None:
    """The error has nothing of ``error.data``, which can contain tokens, also ones that the request did not send."""
    data = {"body.dbtConnection": {"value": {"personal_access_token": "ghp_another"}}}
    serve(httpx.Response(422, json={"status": "error", "error": {"message": "It is odd", "data": data}}))
    assert "ghp_another" not in str(error(transport))


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (httpx.Response(404, html=HTML), errors.UnexpectedResponseError),
        (httpx.Response(403, html=HTML), errors.UnexpectedResponseError),
        (httpx.Response(200, html=HTML), errors.UnexpectedResponseError),
        (httpx.Response(200), errors.UnexpectedResponseError),
        (httpx.Response(204), errors.UnexpectedResponseError),
        (httpx.Response(404), errors.UnexpectedResponseError),
        (httpx.Response(502, html=HTML), errors.ServerError),
        (httpx.Response(401, text="Unauthorized"), errors.AuthenticationError),
        (httpx.Response(429, html=HTML), errors.RateLimitError),
    ],
    ids=lambda value: f"{value.status_code} {value.text[:9]}" if isinstance(value, httpx.Response) else "",
)
def test_a_response_without_json(
    serve: Serve, transport: Transport, response: httpx.Response, kind: type[errors.ResponseError]
) -> None:
    """A page of a proxy is not a response of the service, so its 404 does not mean that an object is deleted."""
    serve(response)
    raised = error(transport)
    assert type(raised) is kind
    assert isinstance(raised, errors.ResponseError)
    assert (raised.status, raised.detail) == (response.status_code, "")
    assert "html" not in str(raised)
    assert "not JSON" in str(raised)


REQUEST = Request(method="GET", path="/api/v1/things", operation="list the things")


class Thing(pydantic.BaseModel):
    """The model of a response."""

    id: str
    count: int


def test_invalid_fields_are_named(transport: Transport) -> None:
    """The error of a response that does not fit its model names the fields, and shows no value."""
    with pytest.raises(errors.UnexpectedResponseError) as caught:
        transport.parse(Thing, {"count": SECRET}, REQUEST)
    assert caught.value.fields == ("id", "count")
    assert [field for field in caught.value.fields if f"{field}: " not in str(caught.value)] == []
    assert "hush" not in f"{caught.value}{vars(caught.value)}"


@pytest.mark.parametrize("content", ["text", 1, [], None], ids=repr)
def test_a_response_that_is_no_object(transport: Transport, content: object) -> None:
    """The field of the error is empty when the response is no JSON object."""
    with pytest.raises(errors.UnexpectedResponseError) as caught:
        transport.parse(Thing, content, REQUEST)
    assert caught.value.fields == ("",)


def test_a_secret_that_starts_with_another_secret(serve: Serve, transport: Transport) -> None:
    """The longer secret is masked completely, in whatever order the secrets are given."""
    serve(httpx.Response(400, json={"message": "odd: token-extra"}))
    with pytest.raises(errors.BadRequestError) as caught:
        transport.send(
            Request(
                method="PUT",
                path="/",
                operation="write the things",
                secrets=(
                    "token",
                    "token-extra",
                ),
            )
        )
    assert caught.value.detail == "odd: [secret]"


@pytest.mark.parametrize("content", [{"success": False, "message": "locked"}, {"status": "error", "error": "locked"}])
def test_200_with_an_error_in_the_content(serve: Serve, transport: Transport, content: object) -> None:
    """``"success": false`` and ``"status": "error"`` are errors with an unknown outcome, whatever the status."""
    serve(httpx.Response(200, json=content))
    raised = error(transport, "PUT")
    assert "locked" in str(raised)
    assert raised.outcome_unknown


@pytest.mark.parametrize("given", ["Mon, 01 Jan 99999999999 00:00:00 GMT", "nan", "inf", "soon", ""])
def test_an_invalid_retry_after(serve: Serve, transport: Transport, given: str) -> None:
    """An invalid ``Retry-After`` is ignored."""
    serve(httpx.Response(503, json={}, headers={"Retry-After": given}))
    raised = error(transport)
    assert isinstance(raised, errors.ServerError)
    assert raised.retry_after is None


def test_json_with_too_many_levels(serve: Serve, transport: Transport) -> None:
    """JSON that exceeds the recursion limit of the parser is an error of the response."""
    serve(httpx.Response(200, text="[" * 200_000))
    assert isinstance(error(transport), errors.UnexpectedResponseError)


def next_step(transport: Transport, method: str = "PUT") -> str:
    """Return what the error of a request says after the message "odd"."""
    return str(error(transport, method)).partition("odd. ")[2]


def advice(serve: Serve, transport: Transport, status: int, method: str = "PUT", **headers: str) -> str:
    """Return what the error of a response with a status says to do."""
    serve(httpx.Response(status, json={"message": "odd"}, headers=headers))
    text = next_step(transport, method)
    assert text
    return text


@pytest.mark.parametrize(
    ("seconds", "time"),
    [("1", "1 seconds"), ("61", "61 seconds"), ("130", "3 minutes"), ("3600", "60 minutes"), ("86400", "24 hours")],
)
@pytest.mark.parametrize("status", [429, 503])
def test_advice_has_retry_after(serve: Serve, transport: Transport, status: int, seconds: str, time: str) -> None:
    """The advice has the time of ``Retry-After``, rounded up."""
    assert time in advice(serve, transport, status, **{"Retry-After": seconds})


def test_advice_for_a_conflict(serve: Serve, transport: Transport) -> None:
    """The advice for a 409 mentions the name for a POST, and not for a DELETE."""
    assert "name" in advice(serve, transport, 409, "POST")
    assert "name" not in advice(serve, transport, 409, "DELETE")


@pytest.mark.parametrize("status", [408, 413])
def test_advice_for_408_and_413(serve: Serve, transport: Transport, status: int) -> None:
    """408 and 413 have their own advice, which is the same for a response of a proxy that is not JSON."""
    expected = advice(serve, transport, status)
    assert expected not in {advice(serve, transport, 400), advice(serve, transport, 418)}
    serve(httpx.Response(status, html=HTML))
    assert str(error(transport)).endswith(expected)


def test_advice_names_the_path_of_the_url(serve: Serve) -> None:
    """The advice for a 404 names the path of the instance's URL until a request has succeeded."""
    with closing(transport_to("https://acme.omniapp.co/foo/bar")) as transport:
        assert "/foo/bar:" in advice(serve, transport, 404)
        assert "/foo/bar:" not in advice(serve, transport, 400)
        serve(httpx.Response(200, json={}))
        transport.send(Request(method="GET", path="/api/v1/things", operation="list the things"))
        assert "/foo/bar:" not in advice(serve, transport, 404)
    with closing(transport_to("https://acme.omniapp.co")) as transport:
        assert "path" not in advice(serve, transport, 404)
