"""The routes of the Omni simulator. An unknown route gets 404, before authentication."""

from __future__ import annotations

import http
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from omni_pulumi.simulator.omni import connection_environments, connections, dbt_configuration, dbt_environments, users
from omni_pulumi.simulator.omni.request import ApiError, Request, authenticate

if TYPE_CHECKING:
    from starlette.requests import Request as HttpRequest

    from omni_pulumi.simulator.omni.dialect import Dialect, ErrorFormat
    from omni_pulumi.simulator.omni.organization import Organization

Endpoint = Callable[[Request], JSONResponse]

_CONNECTIONS = "/api/v1/connections"
_DBT = f"{_CONNECTIONS}/{{connectionId}}/dbt"
_CONNECTION_ENVIRONMENTS = "/api/v1/connection-environments"
_USERS = "/api/scim/v2/Users"
_DETAIL_STATUS = re.compile(rf"{_CONNECTIONS}(/[^/]+)?|{_CONNECTION_ENVIRONMENTS}.*|{_USERS}")
"""The paths whose errors have the format `detail_status` in every dialect."""

_MESSAGES = {403: "Invalid bearer token", 429: "Rate limit exceeded (60 requests/minute)"}
"""Messages from the documentation and a live instance. Other statuses use HTTP's own phrase."""


def omni_app(
    organization: Callable[[], Organization],
    lock: AbstractContextManager[object],
    dialect: Dialect,
    page_size_limit: int,
) -> Starlette:
    """Return the API of one organization.

    Args:
        organization: returns the data; called for each request.
        lock: held while a request is processed, so that the API and the simulator's methods see complete changes only.
        dialect: which of Omni's API descriptions to follow where they differ.
        page_size_limit: the largest page size, regardless of the requested one.
    """

    def route(method: str, path: str, endpoint: Endpoint, error_format: ErrorFormat) -> Route:
        async def respond(request: HttpRequest) -> Response:
            raw_body = await request.body()
            try:
                caller = authenticate(request.headers.get("authorization"))
                with lock:
                    return endpoint(
                        Request(
                            organization(),
                            dialect,
                            page_size_limit,
                            caller,
                            request.path_params,
                            request.query_params,
                            raw_body,
                        )
                    )
            except ApiError as error:
                return JSONResponse(error.body(error_format), status_code=error.status)

        return Route(path, respond, methods=[method])

    def dbt(method: str, path: str, endpoint: Endpoint) -> Route:
        return route(method, _DBT + path, endpoint, dialect.errors)

    def connection(method: str, path: str, endpoint: Endpoint) -> Route:
        return route(method, _CONNECTIONS + path, endpoint, "detail_status")

    def connection_environment(method: str, path: str, endpoint: Endpoint) -> Route:
        return route(method, _CONNECTION_ENVIRONMENTS + path, endpoint, "detail_status")

    async def unknown_route(_: HttpRequest, __: Exception) -> Response:
        return JSONResponse(ApiError(404, "Not Found").body(dialect.errors), status_code=404)

    routes = [
        route("GET", _USERS, users.list_users, "detail_status"),
        dbt("GET", "", dbt_configuration.get_dbt_configuration),
        dbt("PUT", "", dbt_configuration.update_dbt_configuration),
        dbt("DELETE", "", dbt_configuration.delete_dbt_configuration),
        dbt("GET", "/environments", dbt_environments.list_dbt_environments),
        dbt("POST", "/environments", dbt_environments.create_dbt_environment),
        dbt("PUT", "/environments/{environmentId}", dbt_environments.update_dbt_environment),
        dbt("DELETE", "/environments/{environmentId}", dbt_environments.delete_dbt_environment),
        connection("GET", "", connections.list_connections),
        connection("PATCH", "/{id}", connections.update_connection),
        connection_environment("POST", "", connection_environments.create_connection_environments),
        connection_environment("PUT", "/{id}", connection_environments.update_connection_environment),
        connection_environment("DELETE", "/{id}", connection_environments.delete_connection_environment),
    ]
    if dialect.connection_get:
        routes.append(connection("GET", "/{id}", connections.get_connection))
    if dialect.connection_environment_list:
        routes.append(connection_environment("GET", "", connection_environments.list_connection_environments))
    for path, methods in {"": ("PUT", "PATCH", "DELETE"), "/{id}": ("POST", "PATCH")}.items():
        routes += [connection_environment(method, path, connection_environments.invalid_method) for method in methods]

    app = Starlette(routes=routes, exception_handlers={404: unknown_route, 405: unknown_route})
    app.router.redirect_slashes = False
    return app


def error_response(path: str, status: int, dialect: Dialect) -> Response:
    """Return an error response with this status from the endpoint at `path`."""
    error_format = "detail_status" if _DETAIL_STATUS.fullmatch(path) else dialect.errors
    message = _MESSAGES.get(status, http.HTTPStatus(status).phrase)
    return JSONResponse(ApiError(status, message).body(error_format), status_code=status)
