"""A local HTTP server that is neither Omni nor Lightdash. It is also an HTTP proxy that refuses every host."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import trustme


class _Handler(BaseHTTPRequestHandler):
    """Answers every GET with an empty object and every CONNECT with 502, and records the targets."""

    server: LocalServer

    def do_CONNECT(self) -> None:
        self.server.targets.append(self.path)
        self.send_response(502)
        self.end_headers()

    def do_GET(self) -> None:
        self.server.targets.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class LocalServer(HTTPServer):
    """The server.

    Attributes:
        targets: paths of the requests, and hosts of those to the proxy.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.targets: list[str] = []

    def use_tls(self, authority: trustme.CA) -> str:
        """Serve with a certificate of an authority, and return the URL."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        return f"https://localhost:{self.server_port}"


@contextmanager
def running() -> Iterator[LocalServer]:
    """Run the server in a thread."""
    server = LocalServer()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
