"""The local Lightdash's routes. The body is read before anything else is looked at, the token comes second."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from omni_pulumi.simulator.lightdash import dbt_sources
from omni_pulumi.simulator.lightdash.call import Answer, Call, Refusal, authenticated, read_body
from omni_pulumi.simulator.lightdash.user import get_user

if TYPE_CHECKING:
    from starlette.requests import Request

    from omni_pulumi.simulator.lightdash.instance import Instance

Endpoint = Callable[[Call], Answer]

_SOURCES = "/api/v1/projects/{projectUuid}/dbt-sources"
_SOURCE = f"{_SOURCES}/{{projectDbtSourceUuid}}"


def lightdash_app(instance: Callable[[], Instance], lock: AbstractContextManager[object], version: str) -> Starlette:
    """The API of one Lightdash.

    Args:
        instance: what is stored, asked for with each request.
        lock: held while a request is carried out, so that the web page and the API never see half a change.
        version: which Lightdash this is.
    """

    def route(method: str, path: str, endpoint: Endpoint) -> list[Route]:
        """A route, with and without a slash at its end: Lightdash does not mind."""

        async def answer(request: Request) -> Response:
            raw = await request.body()
            try:
                body = read_body(request.headers.get("content-type"), raw)
                role = authenticated(request.headers.get("authorization"))
                with lock:
                    return endpoint(Call(instance(), version, role, request.path_params, body))
            except Refusal as refusal:
                return refusal.answer()

        return [Route(each, answer, methods=[method]) for each in (path, f"{path}/")]

    async def health(_: Request) -> Response:
        return Answer({"status": "ok", "results": {"healthy": True, "version": version}})

    async def unknown_route(_: Request, __: Exception) -> Response:
        return Refusal(404, "NotFoundError", "API endpoint not found").answer()

    routes = [
        *route("GET", _SOURCES, dbt_sources.list_dbt_sources),
        *route("POST", _SOURCES, dbt_sources.create_dbt_source),
        *route("GET", _SOURCE, dbt_sources.get_dbt_source),
        *route("PATCH", _SOURCE, dbt_sources.update_dbt_source),
        *route("DELETE", _SOURCE, dbt_sources.delete_dbt_source),
        *route("GET", "/api/v1/user", get_user),
        Route("/api/v1/health", health, methods=["GET"]),
    ]
    app = Starlette(routes=routes, exception_handlers={404: unknown_route, 405: unknown_route})
    app.router.redirect_slashes = False
    return app
