"""An additional dbt source of a Lightdash project.

Source: https://docs.lightdash.com/api-reference/v1/projects/update-dbt-source. The surprising facts: an update replaces
the whole connection but keeps a token that it leaves out, so a token can be replaced and never removed; the project's
primary source is in the list and cannot be managed here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Annotated, Any

import pulumi
import pydantic

from omni_pulumi.adoption import adopt, log_created, nearest_names, nothing_to_adopt, recreate
from omni_pulumi.api.errors import AlreadyExistsError, ConflictError, NotFoundError, ServerError
from omni_pulumi.api.lightdash import DbtSource, LightdashClient
from omni_pulumi.connections import (
    SECRET_PROPERTIES,
    ConnectionArgs,
    DbtConnection,
    StoredConnection,
    connection_properties,
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


class LightdashDbtSourceArgs(Args):
    """Arguments of :class:`LightdashDbtSource`."""

    project_uuid: Known[Uuid4] = pydantic.Field(description="UUID of the Lightdash project. Changing it replaces.")
    name: Known[Annotated[str, pydantic.AfterValidator(_name)]] = pydantic.Field(
        description="Name of the source, unique in the project, 1 to 255 characters."
    )
    dbt_connection: Known[ConnectionArgs] = pydantic.Field(
        description="Where the dbt project is: a `GithubConnection` or one of the other kinds, or a dict with `type`."
    )


class LightdashDbtSourceState(State):
    """State of :class:`LightdashDbtSource`."""

    project_uuid: str
    name: str = ""
    dbt_connection: StoredConnection | None = pydantic.Field(default=None, repr=False)
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
    wire = args.dbt_connection.to_wire()

    def find() -> DbtSource | None:
        new = _find(client, args, fresh=True)
        return None if new is None or new.is_primary else new

    try:
        created = settle(lambda: client.create_dbt_source(args.project_uuid, args.name, wire), find)
    except ConflictError:
        existing = _find(client, args, fresh=True)
        if existing is None:
            raise
        return _adopt(client, args, existing, claim)
    log_created(_describe(args), created.project_dbt_source_uuid, args)
    return _merge(LightdashDbtSourceState.from_args(args), created)


def read(client: LightdashClient, state: LightdashDbtSourceState) -> LightdashDbtSourceState | None:
    """Read the source with its connection.

    A 404 may also mean that the project is not there, and a 500 that the stored credentials can no longer be decrypted:
    the list of the project tells.
    """
    try:
        current = client.get_dbt_source(state.project_uuid, state.source_uuid)
    except (NotFoundError, ServerError) as error:
        listed = look(lambda: _listed(client, state))
        if listed is None:
            return None
        if not listed.has_credential_error:
            raise
        _log.warning("%s The connection counts as lost; the next update writes it again.", error)
        return _merge(state, listed).model_copy(update={"dbt_connection": None})
    connection = current.dbt_connection
    stored = None if connection is None else stored_connection(connection.model_dump(), state.dbt_connection)
    return _merge(state, current).model_copy(update={"dbt_connection": stored})


def update(
    client: LightdashClient, state: LightdashDbtSourceState, args: LightdashDbtSourceArgs, claim: Claim
) -> LightdashDbtSourceState:
    """Write name and connection, or create the source again when it was deleted outside Pulumi."""
    try:
        return _write(client, state, args)
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
    found = _merge(LightdashDbtSourceState.from_args(args), existing).model_copy(update={"dbt_connection": None})
    claim(LIFECYCLE.id_of(found))
    current = read(client, found) or found
    return adopt(
        _describe(args),
        found.source_uuid,
        args,
        current,
        write=lambda: _write(client, current, args),
        undeclared=undeclared_fields(current.dbt_connection, args.dbt_connection),
    )


def _write(
    client: LightdashClient, state: LightdashDbtSourceState, args: LightdashDbtSourceArgs
) -> LightdashDbtSourceState:
    client.update_dbt_source(args.project_uuid, state.source_uuid, args.name, args.dbt_connection.to_wire())
    computed = {"source_uuid": state.source_uuid, "precedence": state.precedence}
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
        adopt: Adopt | None = None,
        profile: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the source; :class:`LightdashDbtSourceArgs` describes each argument."""
        arguments = {
            "project_uuid": project_uuid,
            "name": name,
            "dbt_connection": connection_properties(dbt_connection),
            "adopt": adopt,
            "profile": profile,
        }
        super().__init__(LightdashDbtSourceProvider(), resource_name, arguments, opts)
