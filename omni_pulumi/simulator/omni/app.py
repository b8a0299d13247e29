"""The local Omni's routes. What no route takes does not exist: 404, before anybody asks who is calling."""

from __future__ import annotations

import http
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from omni_pulumi.simulator.omni import connection_environments, dbt_configuration, dbt_environments
from omni_pulumi.simulator.omni.call import Call, Refusal, authenticated

if TYPE_CHECKING:
    from starlette.requests import Request

    from omni_pulumi.simulator.omni.dialect import Dialect, ErrorForm
    from omni_pulumi.simulator.omni.organization import Organization

Endpoint = Callable[[Call], JSONResponse]

_DBT = "/api/v1/connections/{connectionId}/dbt"
_CONNECTION_ENVIRONMENTS = "/api/v1/connection-environments"

_MESSAGES = {403: "Invalid bearer token", 429: "Rate limit exceeded (60 requests/minute)"}
"""What the pages and a live instance say with a status; what neither shows has HTTP's own words."""


def omni_app(
    organization: Callable[[], Organization],
    lock: AbstractContextManager[object],
    dialect: Dialect,
    page_size_limit: int,
) -> Starlette:
    """The API of one organization.

    Args:
        organization: what is stored, asked for with each request.
        lock: held while a request is carried out, so that the web page and the API never see half a change.
        dialect: the reading of Omni's sources.
        page_size_limit: the largest page that a list answers, whatever was asked for.
    """

    def route(method: str, path: str, endpoint: Endpoint, errors: ErrorForm) -> Route:
        async def answer(request: Request) -> Response:
            raw = await request.body()
            try:
                caller = authenticated(request.headers.get("authorization"))
                with lock:
                    return endpoint(
                        Call(
                            organization(),
                            dialect,
                            page_size_limit,
                            caller,
                            request.path_params,
                            request.query_params,
                            raw,
                        )
                    )
            except Refusal as refusal:
                return JSONResponse(refusal.body(errors), status_code=refusal.status)

        return Route(path, answer, methods=[method])

    def dbt(method: str, path: str, endpoint: Endpoint) -> Route:
        return route(method, _DBT + path, endpoint, dialect.errors)

    def connections(method: str, path: str, endpoint: Endpoint) -> Route:
        return route(method, _CONNECTION_ENVIRONMENTS + path, endpoint, "detail_status")

    async def unknown_route(_: Request, __: Exception) -> Response:
        return JSONResponse(Refusal(404, "Not Found").body(dialect.errors), status_code=404)

    routes = [
        dbt("GET", "", dbt_configuration.get_dbt_configuration),
        dbt("PUT", "", dbt_configuration.update_dbt_configuration),
        dbt("DELETE", "", dbt_configuration.delete_dbt_configuration),
        dbt("GET", "/environments", dbt_environments.list_dbt_environments),
        dbt("POST", "/environments", dbt_environments.create_dbt_environment),
        dbt("PUT", "/environments/{environmentId}", dbt_environments.update_dbt_environment),
        dbt("DELETE", "/environments/{environmentId}", dbt_environments.delete_dbt_environment),
        connections("POST", "", connection_environments.create_connection_environments),
        connections("PUT", "/{id}", connection_environments.update_connection_environment),
        connections("DELETE", "/{id}", connection_environments.delete_connection_environment),
    ]
    if dialect.connection_environment_list:
        routes.append(connections("GET", "", connection_environments.list_connection_environments))
    for path, methods in {"": ("PUT", "PATCH", "DELETE"), "/{id}": ("POST", "PATCH")}.items():
        routes += [connections(method, path, connection_environments.invalid_method) for method in methods]

    app = Starlette(routes=routes, exception_handlers={404: unknown_route, 405: unknown_route})
    app.router.redirect_slashes = False
    return app


def refusal(path: str, status: int, dialect: Dialect) -> Response:
    """An error of this status from the endpoint of a path, whatever was asked for."""
    errors = "detail_status" if path.startswith(_CONNECTION_ENVIRONMENTS) else dialect.errors
    message = _MESSAGES.get(status, http.HTTPStatus(status).phrase)
    return JSONResponse(Refusal(status, message).body(errors), status_code=status)
