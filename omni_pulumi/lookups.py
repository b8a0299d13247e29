"""Lookups: functions that find what exists in Omni and Lightdash by its name.

Source: https://docs.omni.co/api/connections/list-connections, https://docs.omni.co/api/dbt/list-dbt-environments,
https://docs.lightdash.com/api-reference/organizations/list-organization-projects. The surprising fact: nothing but the
ID is unique for certain. Omni accepts two connections and two dbt environments of the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

import pulumi

from omni_pulumi.adoption import nearest_names
from omni_pulumi.errors import NoMatchError, SeveralMatchesError
from omni_pulumi.fields import ConnectionId, Text, Uuid
from omni_pulumi.invoke import Call, Function, FunctionArgs
from omni_pulumi.redact import display
from omni_pulumi.services import connect_to_lightdash, connect_to_omni
from omni_pulumi.settings import LIGHTDASH, OMNI

if TYPE_CHECKING:
    from omni_pulumi.api.lightdash.client import LightdashClient
    from omni_pulumi.api.omni.client import OmniClient
    from omni_pulumi.api.omni.models import Connection

_LISTED = 20
"""The most objects that an error lists."""


@pulumi.output_type
class GetConnectionResult:
    """A connection of Omni."""

    connection_id: str = pulumi.property("connectionId")
    """UUID of the connection."""
    name: str
    """Name of the connection."""
    dialect: str | None
    """Type of the database, such as `snowflake`."""
    database: str | None
    """Database that the connection uses by default."""
    default_schema: str | None = pulumi.property("defaultSchema")
    """Schema that the connection uses by default."""


@pulumi.output_type
class GetConnectionsResult:
    """Connections of Omni."""

    connections: list[GetConnectionResult]
    """The connections, sorted by name."""


@pulumi.output_type
class GetDbtEnvironmentResult:
    """A dbt environment of an Omni connection, without its variables."""

    environment_id: str = pulumi.property("environmentId")
    """UUID of the environment."""
    connection_id: str = pulumi.property("connectionId")
    """UUID of the connection."""
    name: str
    """Name of the environment."""
    target_schema: str = pulumi.property("targetSchema")
    """Schema that dbt builds into."""
    target_database: str | None = pulumi.property("targetDatabase")
    """Database that dbt builds into."""
    target_name: str | None = pulumi.property("targetName")
    """Name of the dbt target."""
    target_role: str | None = pulumi.property("targetRole")
    """Role that dbt uses."""
    owner_id: str | None = pulumi.property("ownerId")
    """UUID of the user who owns the environment, `None` when it is shared."""
    is_default_environment: bool = pulumi.property("isDefaultEnvironment")
    """Whether it is the default environment of the connection."""


@pulumi.output_type
class GetLightdashProjectResult:
    """A project of Lightdash."""

    project_uuid: str = pulumi.property("projectUuid")
    """UUID of the project."""
    name: str
    """Name of the project."""
    is_preview: bool = pulumi.property("isPreview")
    """Whether it is a preview project, a temporary copy of another one."""


def get_connection(
    *, name: str, profile: str | None = None, opts: pulumi.InvokeOptions | None = None
) -> GetConnectionResult:
    """Find a connection by its name.

    Args:
        name: Name of the connection.
        profile: Name of the instance's settings, for a stack that uses several instances of Omni.
        opts: Invoke options.

    Raises:
        InvokeError: no connection or several ones have this name, or Omni cannot be read.
    """
    return _GET_CONNECTION.invoke({"name": name, "profile": profile}, opts)


def get_connection_output(
    *, name: pulumi.Input[str], profile: str | None = None, opts: pulumi.InvokeOptions | None = None
) -> pulumi.Output[GetConnectionResult]:
    """Find a connection by its name, which may be an output.

    Args:
        name: Name of the connection.
        profile: Name of the instance's settings, for a stack that uses several instances of Omni.
        opts: Invoke options. `pulumi.InvokeOutputOptions(depends_on=[...])` waits for resources.
    """
    return _GET_CONNECTION.invoke_output({"name": name, "profile": profile}, opts)


def get_connections(
    *, dialect: str | None = None, profile: str | None = None, opts: pulumi.InvokeOptions | None = None
) -> GetConnectionsResult:
    """Return the connections that the key may see.

    Args:
        dialect: Type of the database, such as `snowflake`. By default all connections are returned.
        profile: Name of the instance's settings, for a stack that uses several instances of Omni.
        opts: Invoke options.

    Raises:
        InvokeError: Omni cannot be read.
    """
    return _GET_CONNECTIONS.invoke({"dialect": dialect, "profile": profile}, opts)


def get_connections_output(
    *,
    dialect: pulumi.Input[str | None] = None,
    profile: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> pulumi.Output[GetConnectionsResult]:
    """Return the connections that the key may see. The dialect may be an output.

    Args:
        dialect: Type of the database, such as `snowflake`. By default all connections are returned.
        profile: Name of the instance's settings, for a stack that uses several instances of Omni.
        opts: Invoke options. `pulumi.InvokeOutputOptions(depends_on=[...])` waits for resources.
    """
    return _GET_CONNECTIONS.invoke_output({"dialect": dialect, "profile": profile}, opts)


def get_dbt_environment(
    *,
    connection_id: str,
    name: str,
    owner_id: str | None = None,
    profile: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> GetDbtEnvironmentResult:
    """Find a dbt environment by its connection, name and owner.

    Args:
        connection_id: UUID of the connection.
        name: Name of the environment.
        owner_id: UUID of the user who owns the environment. By default a shared environment is found.
        profile: Name of the instance's settings, for a stack that uses several instances of Omni.
        opts: Invoke options.

    Raises:
        InvokeError: no environment or several ones match, or Omni cannot be read.
    """
    arguments = {"connection_id": connection_id, "name": name, "owner_id": owner_id, "profile": profile}
    return _GET_DBT_ENVIRONMENT.invoke(arguments, opts)


def get_dbt_environment_output(
    *,
    connection_id: pulumi.Input[str],
    name: pulumi.Input[str],
    owner_id: pulumi.Input[str | None] = None,
    profile: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> pulumi.Output[GetDbtEnvironmentResult]:
    """Find a dbt environment by its connection, name and owner, which may be outputs.

    Args:
        connection_id: UUID of the connection.
        name: Name of the environment.
        owner_id: UUID of the user who owns the environment. By default a shared environment is found.
        profile: Name of the instance's settings, for a stack that uses several instances of Omni.
        opts: Invoke options. `pulumi.InvokeOutputOptions(depends_on=[...])` waits for resources.
    """
    arguments = {"connection_id": connection_id, "name": name, "owner_id": owner_id, "profile": profile}
    return _GET_DBT_ENVIRONMENT.invoke_output(arguments, opts)


def get_lightdash_project(
    *, name: str, profile: str | None = None, opts: pulumi.InvokeOptions | None = None
) -> GetLightdashProjectResult:
    """Find a project by its name. A preview project is found only if no other project has the name.

    Args:
        name: Name of the project.
        profile: Name of the instance's settings, for a stack that uses several instances of Lightdash.
        opts: Invoke options.

    Raises:
        InvokeError: no project or several ones have this name, or Lightdash cannot be read.
    """
    return _GET_LIGHTDASH_PROJECT.invoke({"name": name, "profile": profile}, opts)


def get_lightdash_project_output(
    *, name: pulumi.Input[str], profile: str | None = None, opts: pulumi.InvokeOptions | None = None
) -> pulumi.Output[GetLightdashProjectResult]:
    """Find a project by its name, which may be an output. A preview project is found only if no other one has the name.

    Args:
        name: Name of the project.
        profile: Name of the instance's settings, for a stack that uses several instances of Lightdash.
        opts: Invoke options. `pulumi.InvokeOutputOptions(depends_on=[...])` waits for resources.
    """
    return _GET_LIGHTDASH_PROJECT.invoke_output({"name": name, "profile": profile}, opts)


class _ByNameArgs(FunctionArgs):
    name: Text


class _GetConnectionsArgs(FunctionArgs):
    dialect: Text | None = None


class _GetDbtEnvironmentArgs(FunctionArgs):
    connection_id: ConnectionId
    name: Text
    owner_id: Uuid | None = None


class _Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)
R = TypeVar("R")


def _find_connection(call: Call[OmniClient, _ByNameArgs]) -> GetConnectionResult:
    name = call.args.name
    found, listed = call.select("connections", call.client.list_connections, lambda each: each.name == name)
    wanted = f'connection "{display(name)}" in Omni at {call.url}'
    return _connection(_only(found, listed, name, wanted, id_of=lambda each: each.id))


def _find_connections(call: Call[OmniClient, _GetConnectionsArgs]) -> GetConnectionsResult:
    dialect = call.args.dialect
    found, _ = call.select(
        "connections", call.client.list_connections, lambda each: dialect is None or each.dialect == dialect
    )
    ordered = sorted(found, key=lambda each: (each.name, each.id))
    return _build(GetConnectionsResult, connections=[_connection(each) for each in ordered])


def _connection(connection: Connection) -> GetConnectionResult:
    return _build(
        GetConnectionResult,
        connection_id=connection.id,
        name=connection.name,
        dialect=connection.dialect,
        database=connection.database,
        default_schema=connection.default_schema,
    )


def _find_dbt_environment(call: Call[OmniClient, _GetDbtEnvironmentArgs]) -> GetDbtEnvironmentResult:
    connection_id, name, owner_id = call.args.connection_id, call.args.name, call.args.owner_id
    found, listed = call.select(
        ("dbt environments", connection_id),
        lambda: call.client.list_dbt_environments(connection_id, use_cache=False),
        lambda each: (each.name, each.owner_id) == (name, owner_id),
    )
    owner = f"owned by {owner_id}" if owner_id else "without an owner"
    environment = _only(
        found,
        listed,
        name,
        f'dbt environment "{display(name)}" {owner} of connection {connection_id} in Omni at {call.url}',
        id_of=lambda each: each.id,
        note=lambda each: f"owner {each.owner_id or 'none'}",
    )
    return _build(
        GetDbtEnvironmentResult,
        environment_id=environment.id,
        connection_id=connection_id,
        name=environment.name,
        target_schema=environment.target_schema,
        target_database=environment.target_database,
        target_name=environment.target_name,
        target_role=environment.target_role,
        owner_id=environment.owner_id,
        is_default_environment=environment.is_default_environment,
    )


def _find_lightdash_project(call: Call[LightdashClient, _ByNameArgs]) -> GetLightdashProjectResult:
    name = call.args.name
    found, listed = call.select("projects", call.client.list_projects, lambda each: each.name == name)
    project = _only(
        [each for each in found if not each.is_preview] or found,
        listed,
        name,
        f'project "{display(name)}" in Lightdash at {call.url}',
        id_of=lambda each: each.project_uuid,
        note=lambda each: "preview" if each.is_preview else "",
    )
    return _build(
        GetLightdashProjectResult, project_uuid=project.project_uuid, name=project.name, is_preview=project.is_preview
    )


def _only(
    found: Sequence[N],
    listed: Sequence[N],
    name: str,
    wanted: str,
    *,
    id_of: Callable[[N], str],
    note: Callable[[N], str] = lambda _: "",
) -> N:
    """Return the object that was found.

    Args:
        found: the objects that match.
        listed: all objects.
        name: the name that was looked up.
        wanted: the object in words.
        id_of: returns the ID of an object.
        note: returns what else tells objects of one name apart.

    Raises:
        NoMatchError: nothing was found.
        SeveralMatchesError: several objects were found.
    """
    if len(found) == 1:
        return found[0]

    def show(each: N) -> str:
        return f'"{display(each.name)}" ({", ".join(filter(None, (id_of(each), note(each))))})'

    if found:
        raise SeveralMatchesError(
            f"Cannot find {wanted}: {len(found)} of them exist: {', '.join(map(show, found))}. Rename all but one, or "
            "write the ID into the program.",
            operation=f"find {wanted}",
            matches=tuple(map(id_of, found)),
        )
    nearest = nearest_names(name, (each.name for each in listed))
    order = {each: position for position, each in enumerate(nearest)}
    ordered = sorted(listed, key=lambda each: (order.get(each.name, len(order)), each.name, id_of(each)))
    shown = [show(each) for each in ordered[:_LISTED]]
    further = f", and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    raise NoMatchError(
        f"Cannot find {wanted}: it does not exist, or the API key may not see it. The key sees: "
        f"{', '.join(shown) or 'none'}{further}.",
        operation=f"find {wanted}",
        existing=tuple(map(id_of, ordered)),
    )


def _build(result: type[R], **values: object) -> R:
    """Return a result. Pulumi adds its constructor, which type checkers do not know."""
    build: Callable[..., R] = result
    return build(**values)


_GET_CONNECTION = Function(
    "omni:index:getConnection",
    name="get_connection",
    args=_ByNameArgs,
    result=GetConnectionResult,
    service=OMNI,
    connect=connect_to_omni,
    find=_find_connection,
)
_GET_CONNECTIONS = Function(
    "omni:index:getConnections",
    name="get_connections",
    args=_GetConnectionsArgs,
    result=GetConnectionsResult,
    service=OMNI,
    connect=connect_to_omni,
    find=_find_connections,
)
_GET_DBT_ENVIRONMENT = Function(
    "omni:index:getDbtEnvironment",
    name="get_dbt_environment",
    args=_GetDbtEnvironmentArgs,
    result=GetDbtEnvironmentResult,
    service=OMNI,
    connect=connect_to_omni,
    find=_find_dbt_environment,
)
_GET_LIGHTDASH_PROJECT = Function(
    "lightdash:index:getProject",
    name="get_lightdash_project",
    args=_ByNameArgs,
    result=GetLightdashProjectResult,
    service=LIGHTDASH,
    connect=connect_to_lightdash,
    find=_find_lightdash_project,
)
