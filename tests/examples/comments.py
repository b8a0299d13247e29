"""A server of comments with the API of GitHub and of GitLab: list, create, update."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

MARKER = "<!-- omni-pulumi preview-summary: prod -->"
"""First line of the comment about stack ``prod``."""

PERSON, BOT = {"id": 11, "login": "octocat", "type": "User"}, {"id": 12, "login": "acme-ci[bot]", "type": "Bot"}
"""Authors of comments."""

EARLIER = (f"{MARKER}\n\nLooks good, but see the preview.", *["The tests have passed."] * 100)
"""Comments that are there already. The first one is by a person. The others fill the first page, and are by the bot."""


@dataclass
class Comments:
    """The comments on one pull request, oldest first, and the URL of the API."""

    api: str = ""
    bodies: list[str] = field(default_factory=lambda: [*EARLIER])

    @property
    def previews(self) -> list[str]:
        """The comments after the earlier ones, which are unchanged."""
        assert self.bodies[: len(EARLIER)] == [*EARLIER]
        return self.bodies[len(EARLIER) :]


@contextmanager
def serve() -> Iterator[Comments]:
    """Serves the comments on pull request 7 of ``acme/omni``, and on merge request 7 of project 1."""
    comments = Comments()
    lists = ("/repos/acme/omni/issues/7/comments", "/projects/1/merge_requests/7/notes")
    items = ("/repos/acme/omni/issues/comments", "/projects/1/merge_requests/7/notes")
    tokens = {("Authorization", "Bearer the job's token"), ("PRIVATE-TOKEN", "a project's token")}

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Logs nothing."""

        def answer(self, status: int, content: object = None) -> None:
            self.send_response(status if tokens & set(self.headers.items()) else 401)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def body(self) -> str:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            return str(json.loads(text)["body"] if self.path.startswith("/repos") else parse_qs(text)["body"][0])

        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
            if path == "/user":
                self.answer(200, BOT)
                return
            writers = [PERSON, *[BOT] * len(comments.bodies)]
            found = [
                {"id": number, "body": body, "user": writer, "author": writer}
                for number, (body, writer) in enumerate(zip(comments.bodies, writers, strict=False), start=1)
            ]
            size = int(query["per_page"][0])
            end = size * int(query["page"][0])
            self.answer(200 if path in lists else 404, found[end - size : end])

        def do_POST(self) -> None:
            comments.bodies.append(self.body())
            self.answer(201 if self.path in lists else 404)

        def change(self) -> None:
            path, _, number = self.path.rpartition("/")
            comments.bodies[int(number) - 1] = self.body()
            self.answer(200 if path in items else 404)

        def do_PATCH(self) -> None:
            self.change()

        def do_PUT(self) -> None:
            self.change()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        comments.api = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield comments
        finally:
            server.shutdown()
