"""The routes of the Lightdash simulator. Lightdash parses the body first and authenticates second."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from omni_pulumi.simulator.lightdash import dbt_sources, projects
from omni_pulumi.simulator.lightdash.request import ApiError, LightdashResponse, Request, authenticate, parse_body
from omni_pulumi.simulator.lightdash.user import get_user

if TYPE_CHECKING:
    from starlette.requests import Request as HttpRequest

    from omni_pulumi.simulator.forms import StoredForm
    from omni_pulumi.simulator.lightdash.instance import Instance

Endpoint = Callable[[Request], LightdashResponse]

_SOURCES = "/api/v1/projects/{projectUuid}/dbt-sources"
_SOURCE = f"{_SOURCES}/{{projectDbtSourceUuid}}"


class _Route(Route):
    """A route whose path can be in upper or lower case, as in Express."""

    def __init__(self, path: str, endpoint: Callable[[HttpRequest], Awaitable[Response]], method: str) -> None:
        super().__init__(path, endpoint, methods=[method])
        self.path_regex = re.compile(self.path_regex.pattern, re.IGNORECASE)


def lightdash_app(
    instance: Callable[[], Instance], lock: AbstractContextManager[object], version: str, stored_form: StoredForm
) -> Starlette:
    """Return the API of one Lightdash instance.

    Args:
        instance: returns the data; called for each request.
        lock: held while a request is processed, so that the API and the simulator's methods see complete changes only.
        version: the version of Lightdash.
        stored_form: returns the form in which Lightdash stores a text of a connection.
    """

    def route(method: str, path: str, endpoint: Endpoint) -> list[Route]:
        """Return the route with and without a trailing slash: Lightdash accepts both."""

        async def respond(request: HttpRequest) -> Response:
            raw_body = await request.body()
            try:
                body = parse_body(request.headers.get("content-type"), raw_body)
                role = authenticate(request.headers.get("authorization"))
                with lock:
                    return endpoint(Request(instance(), version, stored_form, role, request.path_params, body))
            except ApiError as error:
                return error.response()

        return [_Route(each, respond, method) for each in (path, f"{path}/")]

    async def health(_: HttpRequest) -> Response:
        return LightdashResponse({"status": "ok", "results": {"healthy": True, "version": version}})

    async def unknown_route(_: HttpRequest, __: Exception) -> Response:
        return ApiError(404, "NotFoundError", "API endpoint not found").response()

    routes = [
        *route("GET", _SOURCES, dbt_sources.list_dbt_sources),
        *route("POST", _SOURCES, dbt_sources.create_dbt_source),
        *route("GET", _SOURCE, dbt_sources.get_dbt_source),
        *route("PATCH", _SOURCE, dbt_sources.update_dbt_source),
        *route("DELETE", _SOURCE, dbt_sources.delete_dbt_source),
        *route("GET", "/api/v1/user", get_user),
        *route("GET", "/api/v1/org/projects", projects.list_projects),
        _Route("/api/v1/health", health, "GET"),
    ]
    app = Starlette(routes=routes, exception_handlers={404: unknown_route, 405: unknown_route})
    app.router.redirect_slashes = False
    return app
