"""What the environment says about the network: proxies, certificates, tracing."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import trustme
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from omni_pulumi.api import errors, transport
from omni_pulumi.api.instance import Instance
from omni_pulumi.api.request import Request
from omni_pulumi.api.transport import Transport
from omni_pulumi.simulator import OmniSimulator, faults


class _Handler(BaseHTTPRequestHandler):
    """Answers every GET with an empty object, leads nowhere as a proxy, and remembers where each was to go."""

    asked: list[str]

    def do_CONNECT(self) -> None:
        self.asked.append(self.path)
        self.send_response(502)
        self.end_headers()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """A server that is not one of the services."""
    _Handler.asked = []
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine needs to reach the world is not what these tests are about."""
    for name in list(os.environ):
        if name.upper() in {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _fresh_certificates() -> Iterator[None]:
    """The certificates are read anew, as in another process."""
    transport.ssl_context.cache_clear()
    yield
    transport.ssl_context.cache_clear()


def ask(url: str) -> object:
    """One request to an instance."""
    asker = Transport("Omni", Instance(url, "key"), "Bearer")
    try:
        return asker.send(Request(method="GET", path="/api/v1/x", operation="read", idempotent=False))
    finally:
        asker.close()


def test_a_proxy_of_the_environment_is_used(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """``HTTPS_PROXY`` and its relatives are followed."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_port}")
    with pytest.raises(errors.ConnectError) as caught:
        ask("https://omni.example")
    assert not caught.value.outcome_unknown
    assert {*_Handler.asked} == {"omni.example:443"}


def test_no_proxy_sees_a_key_for_this_machine(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """``http`` is for this machine only, so it goes there itself, with the key in clear."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert ask(f"http://localhost:{server.server_port}") == {}
    assert _Handler.asked == ["/api/v1/x"]


def test_a_bundle_that_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error names the variable."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(errors.ConfigurationError) as caught:
        ask("https://omni.example")
    assert "SSL_CERT_FILE" in caught.value.settings
    assert "SSL_CERT_FILE" in str(caught.value)


def test_tls_is_verified(server: HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A certificate of an authority that nobody knows is refused; ``SSL_CERT_FILE`` makes it known."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = f"https://localhost:{server.server_port}"

    with pytest.raises(errors.ConnectError) as caught:
        ask(url)
    assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value)
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    transport.ssl_context.cache_clear()
    assert ask(url) == {}


def test_a_span_for_each_request(omni_services: dict[str, OmniSimulator], monkeypatch: pytest.MonkeyPatch) -> None:
    """When tracing is on, each attempt is a span of the command's trace, with status and path and nothing secret."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setenv("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    omni = omni_services["pages"]
    omni.reset()
    omni.inject(faults.Status(503, processed=False))
    asker = Transport("Omni", Instance(omni.url, omni.api_key), "Bearer")
    asker.send(Request(method="GET", path=f"/api/v1/connections/{omni.connection_id}/dbt", operation="read"))
    asker.close()
    failed, answered = exporter.get_finished_spans()
    assert failed.attributes is not None
    assert answered.attributes is not None
    assert (failed.attributes["http.response.status_code"], failed.attributes["http.request.resend_count"]) == (503, 0)
    assert (answered.attributes["http.response.status_code"], answered.attributes["http.request.resend_count"]) == (
        200,
        1,
    )
    assert answered.context is not None
    assert f"{answered.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert omni.api_key not in failed.to_json() + answered.to_json()
    assert (failed.status.status_code, failed.status.description) == (StatusCode.ERROR, None)
