"""From an answer, or its absence, to a value or an error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing

import httpx
import pydantic
import pytest

from omni_pulumi.api import errors
from omni_pulumi.api.instance import Instance
from omni_pulumi.api.request import Request
from omni_pulumi.api.transport import Transport

KEY = 'key"with\\quotes'
SECRET = 'hush"hush\\ü'
HTML = "<!DOCTYPE html>\n<html><body>Not found</body></html>"

Handler = Callable[[httpx.Request], httpx.Response]
Serve = Callable[[Handler | httpx.Response], None]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Answers instead of the network, below the real client."""

    def use(handler: Handler | httpx.Response) -> None:
        def handle(_transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
            request.read()
            return handler if isinstance(handler, httpx.Response) else handler(request)

        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)

    return use


def transport_to(url: str) -> Transport:
    """A transport that tries once."""
    return Transport("Omni", Instance(url, KEY, total_timeout=0), "Bearer")


@pytest.fixture
def transport() -> Iterator[Transport]:
    with closing(transport_to("https://acme.omniapp.co")) as transport:
        yield transport


def error(transport: Transport, method: str = "GET") -> errors.Error:
    """The error that a request ends with, whose text is one line."""
    with pytest.raises(errors.Error) as caught:
        transport.send(Request(method=method, path="/api/v1/things", operation="list the things", secrets=(SECRET,)))
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    "content",
    [{"success": True}, [], {}, "text", 0, False, None],
    ids=["object", "list", "empty", "text", "zero", "false", "null"],
)
def test_an_answer_is_its_json(serve: Serve, transport: Transport, content: object) -> None:
    """Whatever JSON comes with 2xx is the value, ``null`` too."""
    serve(httpx.Response(201, content=json.dumps(content)))
    assert transport.send(Request(method="GET", path="/api/v1/things", operation="list the things")) == content


def test_a_request_has_key_parameters_and_json(serve: Serve, transport: Transport) -> None:
    """A request goes below the instance's URL, with the key, and says that its body is JSON."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    serve(handle)
    transport.send(
        Request(
            method="POST", path="/api/v1/things", operation="make a thing", body={"a": None}, params={"pageSize": "100"}
        )
    )
    (request,) = seen
    assert str(request.url) == "https://acme.omniapp.co/api/v1/things?pageSize=100"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.content) == {"a": None}


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
def test_a_status_becomes_an_error(
    serve: Serve, transport: Transport, status: int, kind: type[errors.ResponseError], subject: str
) -> None:
    """Each status has its class, and the error says what was tried on what, what came back, and what to see to.

    After 5xx the write may have been carried out; after a refusal it was not.
    """
    serve(httpx.Response(status, json={"error": "code", "message": "The thing is odd."}))
    raised = error(transport, "PUT")
    assert type(raised) is kind
    assert isinstance(raised, errors.ResponseError)
    assert (raised.status, raised.detail, raised.operation) == (status, "The thing is odd.", "list the things")
    assert raised.outcome_unknown == (status >= 500)
    told, _, next_step = str(raised).partition("The thing is odd. ")
    for fact in ("list the things", "Omni", "https://acme.omniapp.co", str(status), "PUT /api/v1/things"):
        assert fact in told
    assert subject in next_step


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
def test_the_service_s_message(serve: Serve, transport: Transport, content: object, detail: str) -> None:
    """The message is found in every form in use, in one line of bearable length."""
    serve(httpx.Response(400, json=content))
    raised = error(transport)
    assert isinstance(raised, errors.ResponseError)
    assert raised.detail == detail
    assert detail.rstrip(".") in str(raised)


@pytest.mark.parametrize("hidden", [KEY, SECRET])
@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda text: text, id="as it is"),
        pytest.param(lambda text: json.dumps(text), id="in JSON"),
        pytest.param(lambda text: json.dumps(text, ensure_ascii=False), id="in JavaScript's JSON"),
    ],
)
def test_secrets_are_scrubbed(serve: Serve, transport: Transport, hidden: str, form: Callable[[str], str]) -> None:
    """Neither the key nor a secret of the body is repeated when the service does, in any way of writing it."""
    serve(httpx.Response(400, json={"message": f"odd: {form(hidden)}!"}))
    raised = error(transport)
    assert isinstance(raised, errors.ResponseError)
    assert form(hidden).strip('"') not in str(raised)
    assert "[secret]" in raised.detail
    assert "hush" not in str(raised)


def test_a_long_secret_is_scrubbed_before_the_text_is_cut(serve: Serve, transport: Transport) -> None:
    """A secret that begins just before the cut leaves no beginning behind."""
    serve(httpx.Response(400, json={"message": f"{'x' * 295}{SECRET}"}))
    assert "hu" not in str(error(transport)).partition("xxx")[2]


def test_a_secret_over_lines_is_scrubbed(serve: Serve, transport: Transport) -> None:
    """A secret of several lines, such as a key file, is not repeated as one line."""
    secret = "-----BEGIN\nabc def\n-----END"
    serve(httpx.Response(400, json={"message": f"odd: {secret}"}))
    with pytest.raises(errors.BadRequestError) as caught:
        transport.send(Request(method="GET", path="/", operation="list the things", secrets=(secret,)))
    assert "abc" not in str(caught.value)


def test_lightdash_s_error_data_is_not_shown(serve: Serve, transport: Transport) -> None:
    """``error.data`` can repeat the request with its tokens, also with one that this request did not carry."""
    data = {"body.dbtConnection": {"value": {"personal_access_token": "ghp_theirs"}}}
    serve(httpx.Response(422, json={"status": "error", "error": {"message": "It is odd", "data": data}}))
    assert "ghp_theirs" not in str(error(transport))


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
def test_an_answer_without_json(
    serve: Serve, transport: Transport, response: httpx.Response, kind: type[errors.ResponseError]
) -> None:
    """A proxy's page is no statement of the service: above all, its 404 does not say that something is gone."""
    serve(response)
    raised = error(transport)
    assert type(raised) is kind
    assert isinstance(raised, errors.ResponseError)
    assert (raised.status, raised.detail) == (response.status_code, "")
    assert "html" not in str(raised)
    assert "not JSON" in str(raised)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(serve: Serve, transport: Transport, status: int) -> None:
    """A redirect would carry the key to another host."""
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(status, headers={"Location": "https://elsewhere.test/"}, json={})

    serve(handle)
    assert type(error(transport)) is errors.UnexpectedResponseError
    assert seen == ["acme.omniapp.co"]


@pytest.mark.parametrize(
    ("failure", "kind", "reason"),
    [
        (httpx.ConnectError("Name or\nservice not known"), errors.ConnectError, "Name or service not known"),
        (httpx.ConnectTimeout(""), errors.ConnectError, "ConnectTimeout"),
        (httpx.ReadTimeout(""), errors.ResponseLostError, "ReadTimeout"),
        (httpx.WriteError("broken pipe"), errors.ResponseLostError, "broken pipe"),
        (httpx.RemoteProtocolError("cut"), errors.ResponseLostError, "cut"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_no_answer(
    serve: Serve, transport: Transport, failure: Exception, kind: type[errors.RequestError], reason: str
) -> None:
    """Whether a request may have been carried out is told apart: one that never left can simply be repeated."""

    def handle(_request: httpx.Request) -> httpx.Response:
        raise failure

    serve(handle)
    raised = error(transport, "POST")
    assert type(raised) is kind
    assert raised.outcome_unknown == (kind is errors.ResponseLostError)
    assert raised.operation == "list the things"
    assert [fact for fact in ("Omni", "https://acme.omniapp.co", reason) if fact not in str(raised)] == []
    assert ("POST /api/v1/things" in str(raised)) == raised.outcome_unknown


def test_nobody_listens() -> None:
    """A closed port of a real machine is an error of connecting."""
    with closing(transport_to("http://127.0.0.1:1")) as transport:
        assert type(error(transport)) is errors.ConnectError


REQUEST = Request(method="GET", path="/api/v1/things", operation="list the things")


class Thing(pydantic.BaseModel):
    """An answer's form."""

    id: str
    count: int


def test_an_answer_of_another_form(transport: Transport) -> None:
    """The error names the fields, and never a value."""
    with pytest.raises(errors.UnexpectedResponseError) as caught:
        transport.parse(Thing, {"count": SECRET}, REQUEST)
    assert caught.value.fields == ("id", "count")
    assert [field for field in caught.value.fields if f"{field}: " not in str(caught.value)] == []
    assert "hush" not in f"{caught.value}{vars(caught.value)}"


@pytest.mark.parametrize("content", ["text", 1, [], None], ids=repr)
def test_an_answer_that_is_no_object(transport: Transport, content: object) -> None:
    """JSON of another kind altogether is named as a whole."""
    with pytest.raises(errors.UnexpectedResponseError) as caught:
        transport.parse(Thing, content, REQUEST)
    assert caught.value.fields == ("",)


def test_a_secret_that_begins_like_another_one(serve: Serve, transport: Transport) -> None:
    """The longer one is masked as a whole, whatever comes first in the body."""
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
def test_an_answer_that_takes_its_status_back(serve: Serve, transport: Transport, content: object) -> None:
    """200 with the services' word for a failure is a failure, and nobody knows what was done."""
    serve(httpx.Response(200, json=content))
    raised = error(transport, "PUT")
    assert "locked" in str(raised)
    assert raised.outcome_unknown


@pytest.mark.parametrize("given", ["Mon, 01 Jan 99999999999 00:00:00 GMT", "nan", "inf", "soon", ""])
def test_a_retry_after_that_is_none(serve: Serve, transport: Transport, given: str) -> None:
    """A header that says nothing is as good as none."""
    serve(httpx.Response(503, json={}, headers={"Retry-After": given}))
    raised = error(transport)
    assert isinstance(raised, errors.ServerError)
    assert raised.retry_after is None


def test_an_answer_that_is_too_deep(serve: Serve, transport: Transport) -> None:
    """JSON that cannot be read is no JSON."""
    serve(httpx.Response(200, text="[" * 200_000))
    assert isinstance(error(transport), errors.UnexpectedResponseError)


@pytest.mark.parametrize(
    ("name", "value"), [("ALL_PROXY", "socks9://proxy"), ("HTTPS_PROXY", "socks5://user:hush@proxy")]
)
def test_proxies_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The error names the variables, and no proxy's password."""
    monkeypatch.setenv(name, value)
    with pytest.raises(errors.ConfigurationError) as caught:
        transport_to("https://acme.omniapp.co")
    assert {"HTTPS_PROXY", "ALL_PROXY"} <= {*caught.value.settings}
    assert [variable for variable in caught.value.settings if variable not in str(caught.value)] == []
    assert "hush" not in str(caught.value)


def next_step(transport: Transport, method: str = "PUT") -> str:
    """What an error with the message "odd" says to do."""
    return str(error(transport, method)).partition("odd. ")[2]


def advice(serve: Serve, transport: Transport, status: int, method: str = "PUT", **headers: str) -> str:
    """What the error for an answer says to do."""
    serve(httpx.Response(status, json={"message": "odd"}, headers=headers))
    found = next_step(transport, method)
    assert found
    return found


@pytest.mark.parametrize(
    ("seconds", "told"),
    [("1", "1 seconds"), ("61", "61 seconds"), ("130", "3 minutes"), ("3600", "60 minutes"), ("86400", "24 hours")],
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_time_to_wait_is_told(serve: Serve, transport: Transport, status: int, seconds: str, told: str) -> None:
    """Where the service says when to come back, the advice says so, rounded up."""
    assert told in advice(serve, transport, status, **{"Retry-After": seconds})


def test_a_conflict_is_not_always_about_a_name(serve: Serve, transport: Transport) -> None:
    """Another name helps where one is written, and not where an object is deleted."""
    assert "name" in advice(serve, transport, 409, "POST")
    assert "name" not in advice(serve, transport, 409, "DELETE")


@pytest.mark.parametrize("status", [408, 413])
def test_advice_for_a_status_that_a_proxy_sends_too(serve: Serve, transport: Transport, status: int) -> None:
    """Size and slowness have their own advice, the same whether the answer is JSON or a page."""
    own = advice(serve, transport, status)
    assert own not in {advice(serve, transport, 400), advice(serve, transport, 418)}
    serve(httpx.Response(status, html=HTML))
    assert str(error(transport)).endswith(own)


def test_a_path_in_the_url_is_named(serve: Serve) -> None:
    """404 to the first request may come from the path of the URL; after another answer it does not."""
    with closing(transport_to("https://acme.omniapp.co/foo/bar")) as transport:
        assert "/foo/bar:" in advice(serve, transport, 404)
        assert "/foo/bar:" not in advice(serve, transport, 400)
        serve(httpx.Response(200, json={}))
        transport.send(Request(method="GET", path="/api/v1/things", operation="list the things"))
        assert "/foo/bar:" not in advice(serve, transport, 404)
    with closing(transport_to("https://acme.omniapp.co")) as transport:
        assert "path" not in advice(serve, transport, 404)
