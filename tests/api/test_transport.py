"""The transport: the requests that it sends, the JSON that it returns, and its errors without a response."""

from __future__ import annotations

import json
from contextlib import closing

import httpx
import pytest

from omni_pulumi import errors
from omni_pulumi.api.exchange import Exchange
from omni_pulumi.api.request import Request
from omni_pulumi.api.transport import Transport
from tests.api.fake_network import KEY, Serve, error, transport_to


@pytest.mark.parametrize(
    "content",
    [{"success": True}, [], {}, "text", 0, False, None],
    ids=["object", "list", "empty", "text", "zero", "false", "null"],
)
def test_send_returns_the_json(serve: Serve, transport: Transport, content: object) -> None:
    """The JSON of a response with a status of 2xx is the result, also ``null``."""
    serve(httpx.Response(201, content=json.dumps(content)))
    assert transport.send(Request(method="GET", path="/api/v1/things", operation="list the things")) == content


def test_a_request_has_key_parameters_and_json(serve: Serve, transport: Transport) -> None:
    """A request has the URL of the instance, the API key, the query parameters and a JSON body."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    serve(handle)
    transport.send(
        Request(
            method="POST",
            path="/api/v1/things",
            operation="create a thing",
            body={"a": None},
            params={"pageSize": "100"},
        )
    )
    (request,) = seen
    assert str(request.url) == "https://acme.omniapp.co/api/v1/things?pageSize=100"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.content) == {"a": None}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(serve: Serve, transport: Transport, status: int) -> None:
    """A redirect is an error, so that the API key is not sent to another host."""
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
def test_no_response(
    serve: Serve, transport: Transport, failure: Exception, kind: type[errors.RequestError], reason: str
) -> None:
    """The outcome of a write is unknown when its response is lost, and known when the connection fails."""

    def handle(_request: httpx.Request) -> httpx.Response:
        raise failure

    serve(handle)
    raised = error(transport, "POST")
    assert type(raised) is kind
    assert raised.outcome_unknown == (kind is errors.ResponseLostError)
    assert raised.operation == "list the things"
    assert [fact for fact in ("Omni", "https://acme.omniapp.co", reason) if fact not in str(raised)] == []
    assert ("POST /api/v1/things" in str(raised)) == raised.outcome_unknown


@pytest.mark.parametrize(
    ("failure", "cause"),
    [(httpx.ConnectTimeout(""), "timeout"), (httpx.ProxyError("407"), "proxy"), (httpx.ConnectError("reset"), "other")],
    ids=["timeout", "proxy", "other"],
)
def test_why_a_service_is_not_reached(serve: Serve, transport: Transport, failure: Exception, cause: str) -> None:
    """The error distinguishes a timeout and a refusal of the proxy from other reasons."""

    def handle(_request: httpx.Request) -> httpx.Response:
        raise failure

    serve(handle)
    raised = error(transport)
    assert isinstance(raised, errors.ConnectError)
    assert raised.cause == cause


def test_observed_responses(serve: Serve, transport: Transport) -> None:
    """An observer gets each response with its request, also one that reports an error."""
    seen: list[Exchange] = []
    transport.observe(seen.append)
    serve(httpx.Response(404, headers={"X-RateLimit-Limit": "60"}, json={"detail": "no"}))
    error(transport)
    (exchange,) = seen
    assert (exchange.request.path, exchange.status, exchange.content) == ("/api/v1/things", 404, {"detail": "no"})
    assert exchange.headers["x-ratelimit-limit"] == "60"


def test_a_closed_port() -> None:
    """A port on which no server listens is a ``ConnectError``."""
    with closing(transport_to("http://127.0.0.1:1")) as transport:
        assert type(error(transport)) is errors.ConnectError


@pytest.mark.parametrize(
    ("name", "value"), [("ALL_PROXY", "socks9://proxy"), ("HTTPS_PROXY", "socks5://user:hush@proxy")]
)
def test_an_invalid_proxy(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The error names the environment variable of the proxy, and hides its password."""
    monkeypatch.setenv(name, value)
    with pytest.raises(errors.ConfigurationError) as caught:
        transport_to("https://acme.omniapp.co")
    assert caught.value.settings == (name,)
    assert name in str(caught.value)
    assert "hush" not in str(caught.value)
