"""An additional dbt source of a Lightdash project.

Source: https://docs.lightdash.com/api-reference/v1/projects/update-dbt-source. The surprising facts: an update replaces
the whole connection but keeps a token that it leaves out, so a token can be replaced and never removed; the project's
primary source is in the list and cannot be managed here; a token that may not manage the project does not see the
environment variables of a source.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import pulumi
import pydantic
from pydantic.alias_generators import to_snake

from omni_pulumi.adoption import ADOPT_IF_CREATED, adopt, log_created, nearest_names, nothing_to_adopt, warn_about_kept
from omni_pulumi.api.lightdash.models import DbtSource, DbtSourceWithConnection
from omni_pulumi.api.retry import create_once, poll
from omni_pulumi.dynamic.provider import Provider
from omni_pulumi.dynamic.resource import Resource, output
from omni_pulumi.errors import (
    AlreadyExistsError,
    ConfigurationError,
    ConflictError,
    Error,
    NotFoundError,
    ServerError,
)
from omni_pulumi.fields import (
    Adopt,
    Args,
    ConvertedBy,
    Identifies,
    MaybeUnknown,
    ParentId,
    ProjectUuid,
    Replaces,
    State,
    rule,
)
from omni_pulumi.lifecycle import Claims
from omni_pulumi.lightdash_connections import (
    SECRET_PROPERTIES,
    ConnectionArgs,
    DbtConnection,
    StoredConnection,
    as_stored,
    connection_body,
    connection_properties,
    field_paths,
    has_credentials,
    stored_from_response,
    undeclared_connection_fields,
)
from omni_pulumi.services import LightdashLifecycle

if TYPE_CHECKING:
    from omni_pulumi.api.lightdash.client import LightdashClient

_log = logging.getLogger(__name__)


def _name(text: str) -> str:
    """Lightdash answers "Something went wrong" to a longer name and to a NUL character."""
    if not 1 <= len(text) <= 255 or "\0" in text:
        raise ValueError("must have 1 to 255 characters, and no NUL among them")
    return text


_NEEDS_CREDENTIALS = "needs personal_access_token or installation_id, got neither"


def _credentials(connection: Any, info: pydantic.ValidationInfo) -> Any:
    """Require credentials for a create. An update and an adoption can leave them out."""
    may_exist = (info.context or {}).get("may_exist", True) or info.data.get("adopt")
    if not may_exist and not has_credentials(connection):
        raise ValueError(_NEEDS_CREDENTIALS)
    return connection


class LightdashDbtSourceArgs(Args):
    """Arguments of :class:`LightdashDbtSource`."""

    project_uuid: Annotated[MaybeUnknown[ProjectUuid], ParentId(), Identifies(), Replaces()] = pydantic.Field(
        description="UUID of the Lightdash project."
    )
    name: Annotated[MaybeUnknown[Annotated[str, rule(_name)]], Identifies()] = pydantic.Field(
        description="Name of the source, unique in the project, 1 to 255 characters."
    )
    dbt_connection: Annotated[
        MaybeUnknown[Annotated[ConnectionArgs, rule(_credentials)]],
        ConvertedBy(connection_properties),
    ] = pydantic.Field(
        description="Where the dbt project is: a `GithubConnection` or one of the other kinds, or a dict with `type`. "
        "If the program leaves out both GitHub credentials, a source that exists keeps its own."
    )
    secrets_trigger: MaybeUnknown[str | None] = pydantic.Field(
        default=None,
        description="Any text. Changing it writes the declared credentials again, because drift of a secret cannot "
        "be detected.",
    )


class LightdashDbtSourceState(State):
    """State of :class:`LightdashDbtSource`."""

    project_uuid: str
    name: str = ""
    dbt_connection: StoredConnection | None = pydantic.Field(default=None, repr=False)
    secrets_trigger: str | None = None
    source_uuid: str = pydantic.Field(default="", description="UUID of the source.")
    precedence: int | None = pydantic.Field(
        default=None,
        description="Position of the source when Lightdash merges all sources of a project. The primary source has 0.",
    )


class LightdashDbtSourceLifecycle(LightdashLifecycle[LightdashDbtSourceArgs, LightdashDbtSourceState]):
    """How a dbt source is created, read, updated and deleted."""

    args_model = LightdashDbtSourceArgs
    state_model = LightdashDbtSourceState

    def describe(self, resource: LightdashDbtSourceArgs | LightdashDbtSourceState) -> str:
        """Return the object in words, for messages."""
        return _describe(resource)

    def id_of(self, state: LightdashDbtSourceState) -> str:
        """Return ``<project_uuid>/<source_uuid>``."""
        return _pulumi_id(state.project_uuid, state.source_uuid)

    def create(self, client: LightdashClient, args: LightdashDbtSourceArgs, claims: Claims) -> LightdashDbtSourceState:
        """Create the source, or adopt the one with its name."""
        existing = _find(client, args)
        if existing is not None and not existing.is_primary:
            return _adopt(client, args, existing, claims)
        if args.adopt == "existing":
            names = (source.name for source in client.list_dbt_sources(args.project_uuid) if not source.is_primary)
            raise nothing_to_adopt(_describe(args), (f'"{name}"' for name in nearest_names(args.name, names)))
        _require_credentials(args, None)
        body = args.dbt_connection.to_wire()

        def find() -> DbtSource | None:
            new = _find(client, args, use_cache=False)
            return None if new is None or new.is_primary else new

        try:
            created = create_once(
                lambda: client.create_dbt_source(args.project_uuid, args.name, body), find, advice=ADOPT_IF_CREATED
            )
        except ConflictError:
            existing = _find(client, args, use_cache=False)
            if existing is None:
                raise
            return _adopt(client, args, existing, claims)
        log_created(_describe(args), created.project_dbt_source_uuid, args)
        return _read_back(client, _merge(LightdashDbtSourceState.from_args(args), created))

    def read(self, client: LightdashClient, state: LightdashDbtSourceState) -> LightdashDbtSourceState | None:
        """Read the source and its connection."""
        current = _read(client, state)
        if current is None:
            return None
        connection = current.dbt_connection
        if connection is None:
            _log.warning(
                "%s (%s): Lightdash can no longer decrypt the stored connection; the next update overwrites it",
                _describe(state),
                state.source_uuid,
            )
            return _merge(state, current).model_copy(update={"dbt_connection": None})
        found = stored_from_response(connection.model_dump(), state.dbt_connection)
        environment = (state.dbt_connection or {}).get("environment")
        if environment and connection.environment is None and not client.may_manage_project(state.project_uuid):
            _log.warning(
                "%s (%s): Lightdash returned no environment variables, because the token may not manage the project. "
                "The state keeps them. To detect their drift, use a token that may manage the project",
                _describe(state),
                state.source_uuid,
            )
            found["environment"] = environment
        return _merge(state, current).model_copy(update={"dbt_connection": found})

    def update(
        self, client: LightdashClient, state: LightdashDbtSourceState, args: LightdashDbtSourceArgs
    ) -> LightdashDbtSourceState | None:
        """Write the name and the connection."""
        current = _read(client, state)
        return None if current is None else _write(client, args, current, known=state.dbt_connection)

    def delete(self, client: LightdashClient, state: LightdashDbtSourceState) -> None:
        """Delete the source."""
        client.delete_dbt_source(state.project_uuid, state.source_uuid)

    def exists(self, client: LightdashClient, state: LightdashDbtSourceState) -> bool:
        """Return whether the list has the source."""
        return _poll_list(client, state) is not None

    def diff_warning(self, state: LightdashDbtSourceState, args: LightdashDbtSourceArgs) -> str | None:
        """Warn that Lightdash keeps a token that the program has dropped."""
        before, after = state.dbt_connection or {}, as_stored(args.dbt_connection)
        if not isinstance(after, Mapping):
            return None
        dropped = sorted(to_snake(name) for name in SECRET_PROPERTIES if name in before and name not in after)
        if not dropped or before.get("type") != after.get("type"):
            return None
        return (
            f"{_describe(args)}: Lightdash keeps the stored {' and '.join(dropped)} that the program has dropped. "
            "To remove it, delete the source and create it again"
        )


def _describe(resource: LightdashDbtSourceArgs | LightdashDbtSourceState) -> str:
    return f'dbt source "{resource.name}" of project {resource.project_uuid}'


def _pulumi_id(project_uuid: str, source_uuid: str) -> str:
    return f"{project_uuid}/{source_uuid}"


def _find(client: LightdashClient, args: LightdashDbtSourceArgs, *, use_cache: bool = True) -> DbtSource | None:
    """Return the source with the name. Up to 1.237.0 an additional source may have the name of the primary one."""
    named = [s for s in client.list_dbt_sources(args.project_uuid, use_cache=use_cache) if s.name == args.name]
    return min(named, key=lambda source: source.is_primary, default=None)


def _poll_list(client: LightdashClient, state: LightdashDbtSourceState) -> DbtSource | None:
    def find() -> DbtSource | None:
        sources = client.list_dbt_sources(state.project_uuid, use_cache=False)
        return next((s for s in sources if s.project_dbt_source_uuid == state.source_uuid), None)

    return poll(find)


def _read(client: LightdashClient, state: LightdashDbtSourceState) -> DbtSourceWithConnection | None:
    """Return the source, ``None`` when it is deleted.

    Lightdash answers 500 when it can no longer decrypt the stored connection. A 404 may also mean that the project does
    not exist. The list of the project distinguishes these.
    """
    try:
        return client.get_dbt_source(state.project_uuid, state.source_uuid)
    except (NotFoundError, ServerError):
        listed = _poll_list(client, state)
        if listed is None:
            return None
        if not listed.has_credential_error:
            raise
    return DbtSourceWithConnection.without_connection(listed)


def _adopt(
    client: LightdashClient, args: LightdashDbtSourceArgs, existing: DbtSource, claims: Claims
) -> LightdashDbtSourceState:
    if existing.is_primary:
        raise AlreadyExistsError(
            f'"{args.name}" is the primary dbt source of project {args.project_uuid}, which is part of the project and '
            "cannot be managed here. Choose another name.",
            operation=f"create {_describe(args)}",
            resource_id=existing.project_dbt_source_uuid,
        )
    state = _merge(LightdashDbtSourceState.from_args(args), existing)
    claims(_pulumi_id(state.project_uuid, state.source_uuid))
    current = _read(client, state)
    if current is None:
        raise NotFoundError(
            f"{_describe(args)} ({state.source_uuid}) was deleted while it was adopted. Run the command again.",
            status=404,
            operation=f"adopt {_describe(args)}",
            resource_id=state.source_uuid,
        )
    found: StoredConnection | None = None
    if current.dbt_connection is not None:
        declared = as_stored(args.dbt_connection)
        without_secrets = {name: value for name, value in declared.items() if name not in SECRET_PROPERTIES}
        found = stored_from_response(current.dbt_connection.model_dump(), without_secrets)
    return adopt(
        _describe(args),
        state.source_uuid,
        args,
        _merge(state, current).model_copy(update={"dbt_connection": found}),
        write=lambda: _write(client, args, current),
        undeclared=field_paths(undeclared_connection_fields(found, args.dbt_connection)),
    )


def _require_credentials(args: LightdashDbtSourceArgs, current: DbtSourceWithConnection | None) -> None:
    """Refuse a write without credentials when Lightdash has none that it could keep.

    Args:
        args: what the program declares.
        current: what Lightdash has, ``None`` when the source does not exist.

    Raises:
        ConfigurationError: the program declares no credentials either.
    """
    if has_credentials(args.dbt_connection):
        return
    connection = None if current is None else current.dbt_connection
    if connection is not None and connection.type == args.dbt_connection.type:
        return
    if current is None:
        reason = "The source does not exist in Lightdash, so there are no stored credentials to keep"
    elif connection is None:
        reason = "Lightdash can no longer decrypt the stored credentials"
    else:
        reason = f'The stored connection has the type "{connection.type}", whose credentials cannot be kept'
    raise ConfigurationError(
        f"Cannot {'create' if current is None else 'update'} {_describe(args)}: dbt_connection {_NEEDS_CREDENTIALS}. "
        f"{reason}.",
        settings=("dbt_connection.personal_access_token", "dbt_connection.installation_id"),
    )


def _write(
    client: LightdashClient,
    args: LightdashDbtSourceArgs,
    current: DbtSourceWithConnection,
    *,
    known: StoredConnection | None = None,
) -> LightdashDbtSourceState:
    """Change a source to what the program declares. What neither the program nor the state has stays as it is.

    Args:
        client: the client.
        args: what the program declares. It has no connection when a refresh could read none and the program ignores it.
        current: what Lightdash has.
        known: the connection in the state, ``None`` when the source is adopted.
    """
    kept: StoredConnection = {}
    body = None
    if args.dbt_connection is not None:
        _require_credentials(args, current)
        connection = None if current.dbt_connection is None else current.dbt_connection.model_dump()
        found = None if connection is None else stored_from_response(connection, None)
        kept = undeclared_connection_fields(found, args.dbt_connection, known)
        body = connection_body(args.dbt_connection, connection, kept)
    client.update_dbt_source(args.project_uuid, current.project_dbt_source_uuid, args.name, body)
    warn_about_kept(_describe(args), field_paths(kept))
    state = LightdashDbtSourceState.from_args(
        args, source_uuid=current.project_dbt_source_uuid, precedence=current.precedence
    )
    return _read_back(client, state)


def _read_back(client: LightdashClient, state: LightdashDbtSourceState) -> LightdashDbtSourceState:
    """Return the state after a write, with the forms in which Lightdash stores the values of the program."""
    try:
        current = _read(client, state)
    except Error as error:
        _log.warning(
            "%s was written, but reading it back failed: %s The state has the values of the program. Run `pulumi "
            "refresh` to verify them",
            _describe(state),
            error.message,
        )
        return state
    declared = state.dbt_connection
    if current is None or current.dbt_connection is None or declared is None:
        return state
    found = stored_from_response(current.dbt_connection.model_dump(), declared)
    if current.dbt_connection.environment is None:  # or the token may not see it
        found["environment"] = declared.get("environment")
    connection = {name: _declared_part(value, found.get(name)) for name, value in declared.items()}
    present = {name: value for name, value in connection.items() if value is not None}
    return _merge(state, current).model_copy(update={"dbt_connection": present})


def _declared_part(declared: Any, found: Any) -> Any:
    """Return what Lightdash has, without environment variables that the program does not declare."""
    if isinstance(declared, Mapping) and isinstance(found, Mapping):
        return {key: found[key] for key in declared if key in found}
    return found


def _merge(state: LightdashDbtSourceState, current: DbtSource) -> LightdashDbtSourceState:
    """Return the state with what a response contains besides the connection."""
    return state.model_copy(
        update={
            "name": current.name,
            "source_uuid": current.project_dbt_source_uuid,
            "precedence": current.precedence,
        }
    )


class LightdashDbtSourceProvider(Provider["LightdashClient", LightdashDbtSourceArgs, LightdashDbtSourceState]):
    """Serves :class:`LightdashDbtSource` to the engine."""

    lifecycle = LightdashDbtSourceLifecycle()


class LightdashDbtSource(Resource, module="lightdash", name="LightdashDbtSource"):
    """An additional dbt source of a Lightdash project. Its ID is ``<project_uuid>/<source_uuid>``."""

    # Generated by `make generate`. Change the models instead.
    project_uuid: pulumi.Output[str] = output()
    """UUID of the Lightdash project."""
    name: pulumi.Output[str] = output()
    """Name of the source, unique in the project, 1 to 255 characters."""
    dbt_connection: pulumi.Output[dict[str, Any]] = output()
    """Where the dbt project is: a `GithubConnection` or one of the other kinds, or a dict with `type`. If the program
    leaves out both GitHub credentials, a source that exists keeps its own.
    """
    secrets_trigger: pulumi.Output[str | None] = output()
    """Any text. Changing it writes the declared credentials again, because drift of a secret cannot be detected."""
    source_uuid: pulumi.Output[str] = output()
    """UUID of the source."""
    precedence: pulumi.Output[int | None] = output()
    """Position of the source when Lightdash merges all sources of a project. The primary source has 0."""

    def __init__(
        self,
        resource_name: str,
        *,
        project_uuid: pulumi.Input[str],
        name: pulumi.Input[str],
        dbt_connection: pulumi.Input[DbtConnection | Mapping[str, Any]],
        secrets_trigger: pulumi.Input[str | None] = None,
        adopt: Adopt | None = None,
        profile: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the resource.

        Args:
            resource_name: Name of the resource in the program.
            project_uuid: UUID of the Lightdash project. Changing it replaces the resource.
            name: Name of the source, unique in the project, 1 to 255 characters.
            dbt_connection: Where the dbt project is: a `GithubConnection` or one of the other kinds, or a dict with
                `type`. If the program leaves out both GitHub credentials, a source that exists keeps its own.
            secrets_trigger: Any text. Changing it writes the declared credentials again, because drift of a secret
                cannot be detected.
            adopt: What to do if the object exists already. `False`, the default: fail. `True`: adopt it, or else create
                it. `"existing"`: adopt it, or fail if it does not exist. It has an effect only when Pulumi creates the
                resource. Remove `"existing"` afterwards, because it forbids a replacement.
            profile: Name of the instance's settings, for a stack that uses several instances of a service.
            opts: Resource options.
        """
        super().__init__(*self._arguments(LightdashDbtSourceProvider(), resource_name, locals(), opts))

    # End of the generated part.
