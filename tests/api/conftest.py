"""Fixtures for the transport."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from omni_pulumi.api.transport import Transport
from tests.api.fake_network import Handler, Serve, transport_to


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Answers the requests of the real HTTP client with a response, or with the result of a function."""

    def use(handler: Handler | httpx.Response) -> None:
        def handle(_transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
            request.read()
            return handler if isinstance(handler, httpx.Response) else handler(request)

        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)

    return use


@pytest.fixture
def transport() -> Iterator[Transport]:
    """A transport to an Omni instance."""
    with closing(transport_to("https://acme.omniapp.co")) as transport:
        yield transport
