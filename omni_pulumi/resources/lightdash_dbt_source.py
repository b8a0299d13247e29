"""An additional dbt source of a Lightdash project.

Source: https://docs.lightdash.com/api-reference/v1/projects/update-dbt-source. The surprising facts: an update replaces
the whole connection but keeps a token that it leaves out, so a token can be replaced and never removed; the project's
primary source is in the list and cannot be managed here; a token that may not manage the project does not see the
environment variables of a source.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Annotated, Any

import pulumi
import pydantic

from omni_pulumi.adoption import adopt, log_created, nearest_names, nothing_to_adopt, recreate, warn_about_kept
from omni_pulumi.api.errors import (
    AlreadyExistsError,
    ConfigurationError,
    ConflictError,
    NotFoundError,
    ServerError,
)
from omni_pulumi.api.lightdash import DbtSource, DbtSourceWithConnection, LightdashClient
from omni_pulumi.connections import (
    SECRET_PROPERTIES,
    ConnectionArgs,
    DbtConnection,
    StoredConnection,
    connection_body,
    connection_properties,
    field_paths,
    has_credentials,
    stored,
    stored_connection,
    undeclared_fields,
)
from omni_pulumi.dynamic import Provider, Resource, output
from omni_pulumi.lifecycle import Adopt, Args, Claim, Known, Lifecycle, State, Uuid4
from omni_pulumi.settings import LIGHTDASH
from omni_pulumi.settle import look, settle

_log = logging.getLogger(__name__)


def _name(text: str) -> str:
    """Lightdash answers "Something went wrong" to a longer name and to a NUL character."""
    if not 1 <= len(text) <= 255 or "\0" in text:
        raise ValueError("must have 1 to 255 characters, and no NUL among them")
    return text


_NEEDS_CREDENTIALS = "needs personal_access_token or installation_id, got neither"


def _credentials(connection: Any, info: pydantic.ValidationInfo) -> Any:
    """A create needs the credentials that an update and an adoption can leave out."""
    may_exist = (info.context or {}).get("stored", True) or info.data.get("adopt")
    if not may_exist and not has_credentials(connection):
        raise ValueError(_NEEDS_CREDENTIALS)
    return connection


class LightdashDbtSourceArgs(Args):
    """Arguments of :class:`LightdashDbtSource`."""

    project_uuid: Known[Uuid4] = pydantic.Field(description="UUID of the Lightdash project. Changing it replaces.")
    name: Known[Annotated[str, pydantic.AfterValidator(_name)]] = pydantic.Field(
        description="Name of the source, unique in the project, 1 to 255 characters."
    )
    dbt_connection: Known[Annotated[ConnectionArgs, pydantic.AfterValidator(_credentials)]] = pydantic.Field(
        description="Where the dbt project is: a `GithubConnection` or one of the other kinds, or a dict with `type`. "
        "A source that exists keeps its GitHub credentials when the program leaves out both."
    )
    secrets_trigger: Known[str | None] = pydantic.Field(
        default=None,
        description="Any text. Changing it writes the declared credentials again, because a drift of a secret cannot "
        "be seen.",
    )


class LightdashDbtSourceState(State):
    """State of :class:`LightdashDbtSource`."""

    project_uuid: str
    name: str = ""
    dbt_connection: StoredConnection | None = pydantic.Field(default=None, repr=False)
    secrets_trigger: str | None = None
    source_uuid: str = ""
    precedence: int | None = None


def create(client: LightdashClient, args: LightdashDbtSourceArgs, claim: Claim) -> LightdashDbtSourceState:
    """Create the source, or adopt the one that has the name."""
    existing = _find(client, args)
    if existing is not None and not existing.is_primary:
        return _adopt(client, args, existing, claim)
    if args.adopt == "existing":
        names = (source.name for source in client.list_dbt_sources(args.project_uuid) if not source.is_primary)
        raise nothing_to_adopt(_describe(args), (f'"{name}"' for name in nearest_names(args.name, names)))
    _require_credentials(args, None)
    body = args.dbt_connection.to_wire()

    def find() -> DbtSource | None:
        new = _find(client, args, fresh=True)
        return None if new is None or new.is_primary else new

    try:
        created = settle(lambda: client.create_dbt_source(args.project_uuid, args.name, body), find)
    except ConflictError:
        existing = _find(client, args, fresh=True)
        if existing is None:
            raise
        return _adopt(client, args, existing, claim)
    log_created(_describe(args), created.project_dbt_source_uuid, args)
    return _merge(LightdashDbtSourceState.from_args(args), created)


def read(client: LightdashClient, state: LightdashDbtSourceState) -> LightdashDbtSourceState | None:
    """Read the source with its connection. A token that may not manage the project does not see the environment."""
    current = _current(client, state)
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
    found = stored_connection(connection.model_dump(), state.dbt_connection)
    environment = (state.dbt_connection or {}).get("environment")
    if environment and connection.environment is None and not client.may_manage_project(state.project_uuid):
        _log.warning(
            "%s (%s): Lightdash returned no environment variables, which it hides from a token that may not manage the "
            "project. The state keeps them. To find their drift, use a token that may manage the project",
            _describe(state),
            state.source_uuid,
        )
        found["environment"] = environment
    return _merge(state, current).model_copy(update={"dbt_connection": found})


def update(
    client: LightdashClient, state: LightdashDbtSourceState, args: LightdashDbtSourceArgs, claim: Claim
) -> LightdashDbtSourceState:
    """Write name and connection, or create the source again when it was deleted outside Pulumi."""
    current = _current(client, state)
    if current is not None:
        try:
            return _write(client, args, current, known=state.dbt_connection)
        except NotFoundError:
            if look(lambda: _listed(client, state)) is not None:
                raise
    return create(client, recreate(_describe(args), state.source_uuid, args), claim)


def delete(client: LightdashClient, state: LightdashDbtSourceState) -> None:
    """Delete the source."""
    try:
        client.delete_dbt_source(state.project_uuid, state.source_uuid)
    except NotFoundError:
        if look(lambda: _listed(client, state)) is not None:
            raise


def diff_warning(state: LightdashDbtSourceState, args: LightdashDbtSourceArgs) -> str | None:
    """A token can be replaced through an update, and never removed."""
    before, after = state.dbt_connection or {}, stored(args.dbt_connection)
    if not isinstance(after, Mapping):
        return None
    dropped = sorted(name for name in SECRET_PROPERTIES if name in before and name not in after)
    if not dropped or before.get("type") != after.get("type"):
        return None
    return (
        f'dbt source "{args.name}": Lightdash keeps the stored {" and ".join(dropped)} that the program has dropped; '
        "to be rid of it, delete the source and create it again"
    )


def _find(client: LightdashClient, args: LightdashDbtSourceArgs, *, fresh: bool = False) -> DbtSource | None:
    """The source of the name. Up to version 1.237.0 an additional one may be called as the primary is shown."""
    named = [s for s in client.list_dbt_sources(args.project_uuid, fresh=fresh) if s.name == args.name]
    return min(named, key=lambda source: source.is_primary, default=None)


def _adopt(
    client: LightdashClient, args: LightdashDbtSourceArgs, existing: DbtSource, claim: Claim
) -> LightdashDbtSourceState:
    if existing.is_primary:
        raise AlreadyExistsError(
            f'"{args.name}" is the primary dbt source of project {args.project_uuid}, which is part of the project and '
            "cannot be managed here. Choose another name.",
            operation=f"create {_describe(args)}",
            resource_id=existing.project_dbt_source_uuid,
        )
    state = _merge(LightdashDbtSourceState.from_args(args), existing)
    claim(LIFECYCLE.id_of(state))
    current = _current(client, state)
    if current is None:
        raise NotFoundError(
            f"{_describe(args)} ({state.source_uuid}) was deleted while it was adopted. Run the command again.",
            status=404,
            operation=f"adopt {_describe(args)}",
            resource_id=state.source_uuid,
        )
    found: StoredConnection | None = None
    if current.dbt_connection is not None:
        declared = stored(args.dbt_connection)
        without_secrets = {name: value for name, value in declared.items() if name not in SECRET_PROPERTIES}
        found = stored_connection(current.dbt_connection.model_dump(), without_secrets)
    return adopt(
        _describe(args),
        state.source_uuid,
        args,
        _merge(state, current).model_copy(update={"dbt_connection": found}),
        write=lambda: _write(client, args, current),
        undeclared=field_paths(undeclared_fields(found, args.dbt_connection)),
    )


def _current(client: LightdashClient, state: LightdashDbtSourceState) -> DbtSourceWithConnection | None:
    """Return the source as Lightdash has it, ``None`` when it is gone.

    It has no connection when Lightdash can no longer decrypt the stored one, which it answers with 500. A 404 may also
    mean that the project does not exist. The list of the project distinguishes these.
    """
    try:
        return client.get_dbt_source(state.project_uuid, state.source_uuid)
    except (NotFoundError, ServerError):
        listed = look(lambda: _listed(client, state))
        if listed is None:
            return None
        if not listed.has_credential_error:
            raise
    return DbtSourceWithConnection.without_connection(listed)


def _require_credentials(args: LightdashDbtSourceArgs, current: DbtSourceWithConnection | None) -> None:
    """Refuse a write for which Lightdash has no credentials to keep.

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
        settings=("dbtConnection.personalAccessToken", "dbtConnection.installationId"),
    )


def _write(
    client: LightdashClient,
    args: LightdashDbtSourceArgs,
    current: DbtSourceWithConnection,
    *,
    known: StoredConnection | None = None,
) -> LightdashDbtSourceState:
    """Make ``current`` what the program says. ``known`` is the state, ``None`` for a source that is adopted.

    What neither the program nor the state knows stays as it is, and does not enter the state before a refresh.
    """
    _require_credentials(args, current)
    connection = None if current.dbt_connection is None else current.dbt_connection.model_dump()
    found = None if connection is None else stored_connection(connection, None)
    kept = undeclared_fields(found, args.dbt_connection, known)
    body = connection_body(args.dbt_connection, connection, kept)
    client.update_dbt_source(args.project_uuid, current.project_dbt_source_uuid, args.name, body)
    warn_about_kept(_describe(args), field_paths(kept))
    computed = {"source_uuid": current.project_dbt_source_uuid, "precedence": current.precedence}
    return LightdashDbtSourceState.from_args(args).model_copy(update=computed)


def _describe(it: LightdashDbtSourceArgs | LightdashDbtSourceState) -> str:
    return f'dbt source "{it.name}" of project {it.project_uuid}'


def _listed(client: LightdashClient, state: LightdashDbtSourceState) -> DbtSource | None:
    sources = client.list_dbt_sources(state.project_uuid, fresh=True)
    return next((s for s in sources if s.project_dbt_source_uuid == state.source_uuid), None)


def _merge(state: LightdashDbtSourceState, current: DbtSource) -> LightdashDbtSourceState:
    """The state with what a list or a write answers of a source."""
    return state.model_copy(
        update={
            "name": current.name,
            "source_uuid": current.project_dbt_source_uuid,
            "precedence": current.precedence,
        }
    )


LIFECYCLE = Lifecycle(
    service=LIGHTDASH,
    connect=LightdashClient,
    args=LightdashDbtSourceArgs,
    state=LightdashDbtSourceState,
    id_of=lambda state: f"{state.project_uuid}/{state.source_uuid}",
    describe=_describe,
    identity=frozenset({"project_uuid", "name"}),
    create=create,
    read=read,
    update=update,
    delete=delete,
    replace_on=frozenset({"project_uuid"}),
    parent="project_uuid",
    diff_warning=diff_warning,
)


class LightdashDbtSourceProvider(Provider[LightdashClient, LightdashDbtSourceArgs, LightdashDbtSourceState]):
    """Serves :class:`LightdashDbtSource` to the engine."""

    lifecycle = LIFECYCLE


class LightdashDbtSource(Resource, module="lightdash", name="LightdashDbtSource"):
    """An additional dbt source of a Lightdash project. Its ID is ``<project_uuid>/<source_uuid>``."""

    project_uuid: pulumi.Output[str] = output()
    """UUID of the project, lower-case."""
    name: pulumi.Output[str] = output()
    """Name of the source."""
    dbt_connection: pulumi.Output[dict[str, Any]] = output()
    """The connection; a secret output as far as it holds tokens."""
    secrets_trigger: pulumi.Output[str | None] = output()
    """The trigger of the last write of the declared credentials."""
    source_uuid: pulumi.Output[str] = output()
    """UUID of the source."""
    precedence: pulumi.Output[int] = output()
    """Place of the source when Lightdash merges all of a project, counted from 1; the primary source has 0."""

    def __init__(
        self,
        resource_name: str,
        *,
        project_uuid: pulumi.Input[str],
        name: pulumi.Input[str],
        dbt_connection: pulumi.Input[DbtConnection | Mapping[str, Any]],
        secrets_trigger: pulumi.Input[str] | None = None,
        adopt: Adopt | None = None,
        profile: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the source; :class:`LightdashDbtSourceArgs` describes each argument."""
        arguments = {
            "project_uuid": project_uuid,
            "name": name,
            "dbt_connection": connection_properties(dbt_connection),
            "secrets_trigger": secrets_trigger,
            "adopt": adopt,
            "profile": profile,
        }
        super().__init__(LightdashDbtSourceProvider(), resource_name, arguments, opts)
