"""Proxies, certificates and tracing, which environment variables configure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from omni_pulumi import errors
from omni_pulumi.api import transport
from omni_pulumi.api.instance import Instance
from omni_pulumi.api.request import Request
from omni_pulumi.api.transport import Transport
from omni_pulumi.simulator import OmniSimulator, faults
from tests import local_server
from tests.local_server import LocalServer


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """An HTTP server that is neither Omni nor Lightdash. It is also an HTTP proxy."""
    with local_server.running() as server:
        yield server


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the proxies of the machine that runs the tests."""
    for name in list(os.environ):
        if name.upper() in {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _reload_certificates() -> Iterator[None]:
    """Load the certificates again in each test, as a new process does."""
    transport.ssl_context.cache_clear()
    yield
    transport.ssl_context.cache_clear()


def get(url: str) -> object:
    """Send a request to an instance and return the JSON of its response."""
    client = Transport("Omni", Instance(url, "key"), "Bearer")
    try:
        return client.send(Request(method="GET", path="/api/v1/x", operation="read", idempotent=False))
    finally:
        client.close()


def test_a_proxy_of_the_environment_is_used(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request to an ``https`` URL goes to the proxy of ``HTTPS_PROXY``."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_port}")
    with pytest.raises(errors.ConnectError) as caught:
        get("https://omni.example")
    assert (caught.value.outcome_unknown, caught.value.cause) == (False, "proxy")
    assert {*server.targets} == {"omni.example:443"}


def test_a_local_http_url_bypasses_the_proxy(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ``http`` URL is allowed for localhost only. A proxy would see the API key of such a request."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert get(f"http://localhost:{server.server_port}") == {}
    assert server.targets == ["/api/v1/x"]


def test_a_missing_certificate_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error names ``SSL_CERT_FILE``."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(errors.ConfigurationError) as caught:
        get("https://omni.example")
    assert "SSL_CERT_FILE" in caught.value.settings
    assert "SSL_CERT_FILE" in str(caught.value)


def test_certificates_are_verified(server: LocalServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A certificate of an unknown authority is refused, and accepted when ``SSL_CERT_FILE`` has the authority."""
    authority = trustme.CA()
    url = server.use_tls(authority)

    with pytest.raises(errors.ConnectError) as caught:
        get(url)
    assert caught.value.cause == "certificate"
    assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value)
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    transport.ssl_context.cache_clear()
    assert get(url) == {}


@pytest.mark.parametrize(
    ("url", "cause"), [("https://omni.invalid", "name"), ("http://127.0.0.1:1", "refused")], ids=["name", "port"]
)
def test_a_host_that_is_not_there(url: str, cause: str) -> None:
    """The error says whether the name is unknown, or nothing listens at the port."""
    with pytest.raises(errors.ConnectError) as caught:
        get(url)
    assert caught.value.cause == cause


def test_a_server_without_tls(server: LocalServer) -> None:
    """A server that answers an ``https`` request without TLS is not reached."""
    with pytest.raises(errors.ConnectError) as caught:
        get(f"https://localhost:{server.server_port}")
    assert caught.value.cause == "tls"


def test_a_span_for_each_request(omni_services: dict[str, OmniSimulator], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each attempt is a span of the trace in ``TRACEPARENT``, with its status code, and without the API key."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setenv("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    omni = omni_services["pages"]
    omni.reset()
    omni.inject(faults.Status(503, processed=False))
    client = Transport("Omni", Instance(omni.url, omni.api_key), "Bearer")
    client.send(Request(method="GET", path=f"/api/v1/connections/{omni.connection_id}/dbt", operation="read"))
    client.close()
    failed, succeeded = exporter.get_finished_spans()
    assert failed.attributes is not None
    assert succeeded.attributes is not None
    assert (failed.attributes["http.response.status_code"], failed.attributes["http.request.resend_count"]) == (503, 0)
    assert (succeeded.attributes["http.response.status_code"], succeeded.attributes["http.request.resend_count"]) == (
        200,
        1,
    )
    assert succeeded.context is not None
    assert f"{succeeded.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert omni.api_key not in failed.to_json() + succeeded.to_json()
    assert (failed.status.status_code, failed.status.description) == (StatusCode.ERROR, None)
