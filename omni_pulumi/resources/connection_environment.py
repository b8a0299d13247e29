"""Which connection takes the place of an Omni connection for users with certain attribute values.

Source: https://docs.omni.co/api/connection-environments. The surprising facts: the values can only be set after the
creation, in a second request; and not every Omni has a list, without which nothing can be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import pulumi
import pydantic

from omni_pulumi.adoption import adopt, log_created, nothing_to_adopt, recreate, warn_about_kept
from omni_pulumi.api import omni
from omni_pulumi.api.errors import (
    AlreadyExistsError,
    BadRequestError,
    Error,
    NotFoundError,
    NothingToAdoptError,
    PartlyCreatedError,
)
from omni_pulumi.api.omni import OmniClient
from omni_pulumi.dynamic import Provider, Resource, output
from omni_pulumi.lifecycle import Adopt, Args, Claim, Known, Lifecycle, State, Text, Uuid
from omni_pulumi.settings import OMNI
from omni_pulumi.settle import look, settle


def _not_the_base(environment_connection_id: str, info: pydantic.ValidationInfo) -> str:
    if environment_connection_id == info.data.get("base_connection_id"):
        raise ValueError("must be another connection than baseConnectionId")
    return environment_connection_id


def _value(text: str) -> str:
    """One form of the request joins the values with commas."""
    if "," in text:
        raise ValueError("must not contain a comma")
    if text != text.strip():
        raise ValueError("must not begin or end with blanks")
    return text


def _unique_in_order(values: list[str]) -> list[str]:
    """Their order means nothing to Omni, so one order is kept, and another one in the program is no change."""
    known = [value for value in values if isinstance(value, str)]
    if len(set(known)) < len(known):
        raise ValueError("must not contain a value twice")
    return sorted(values) if len(known) == len(values) else values


class ConnectionEnvironmentArgs(Args):
    """Arguments of :class:`ConnectionEnvironment`."""

    base_connection_id: Known[Uuid] = pydantic.Field(
        description="UUID of the connection that users see. Changing it replaces."
    )
    environment_connection_id: Known[Annotated[Uuid, pydantic.AfterValidator(_not_the_base)]] = pydantic.Field(
        description="UUID of the connection that takes its place, of the same database dialect. Changing it replaces."
    )
    user_attribute_values: Known[
        Annotated[
            list[Known[Annotated[Text, pydantic.AfterValidator(_value)]]], pydantic.AfterValidator(_unique_in_order)
        ]
    ] = pydantic.Field(
        default_factory=list,
        description="Values of the base connection's user attribute that select it; each once per base connection.",
    )


class ConnectionEnvironmentState(State):
    """State of :class:`ConnectionEnvironment`."""

    base_connection_id: str
    environment_connection_id: str
    user_attribute_values: list[str] = pydantic.Field(default_factory=list)
    connection_environment_id: str = ""


def create(client: OmniClient, args: ConnectionEnvironmentArgs, claim: Claim) -> ConnectionEnvironmentState:
    """Make the connection an environment and set its values, or adopt the connection environment that exists.

    When the values of a new one cannot be set, it is deleted again.
    """
    existing = _find(client, args)
    if existing is not None:
        claim(existing.id)
        current = _merge(_state(args, existing.id), existing)
        return adopt(
            _describe(args),
            existing.id,
            args,
            current,
            write=lambda: _set_values(client, args, existing.id),
            undeclared=_named(_undeclared_values(existing, args)),
        )
    if args.adopt == "existing":
        raise _nothing_to_adopt(client, args)
    created = _create(client, args)
    try:
        state = _set_values(client, args, created)
    except Error as error:
        _undo(client, args, created, error)
        error.outcome_unknown = False  # nothing of it is left
        raise
    log_created(_describe(args), created, args)
    return state


def read(client: OmniClient, state: ConnectionEnvironmentState) -> ConnectionEnvironmentState | None:
    """Read the connection environment from the list of all, or keep the state where the service has no list."""
    if client.list_connection_environments() is None:
        return state
    current = _listed(client, state, fresh=False) or look(lambda: _listed(client, state))
    return None if current is None else _merge(state, current)


def update(
    client: OmniClient, state: ConnectionEnvironmentState, args: ConnectionEnvironmentArgs, claim: Claim
) -> ConnectionEnvironmentState:
    """Set the values, or create the connection environment again when it was deleted outside Pulumi."""
    current = _listed(client, state, fresh=False)
    kept = [] if current is None else _undeclared_values(current, args, state)
    try:
        client.update_connection_environment(
            state.connection_environment_id, sorted([*args.user_attribute_values, *kept])
        )
    except NotFoundError:
        if _is_there(client, state):
            raise
        return create(client, recreate(_describe(args), state.connection_environment_id, args), claim)
    warn_about_kept(_describe(args), _named(kept))
    return _state(args, state.connection_environment_id)


def delete(client: OmniClient, state: ConnectionEnvironmentState) -> None:
    """Delete the connection environment; the two connections stay."""
    try:
        client.delete_connection_environment(state.connection_environment_id)
    except NotFoundError:
        if _is_there(client, state):
            raise


def _describe(it: ConnectionEnvironmentArgs | ConnectionEnvironmentState) -> str:
    return f"connection {it.environment_connection_id} as an environment of connection {it.base_connection_id}"


def _undeclared_values(
    current: omni.ConnectionEnvironment,
    args: ConnectionEnvironmentArgs,
    known: ConnectionEnvironmentState | None = None,
) -> list[str]:
    """Return the values that Omni has and neither the program nor the state knows."""
    expected = {*args.user_attribute_values, *(known.user_attribute_values if known else ())}
    return [value for value in current.user_attribute_values if value not in expected]


def _named(values: Sequence[str]) -> list[str]:
    return [f'userAttributeValues "{value}"' for value in values]


def _nothing_to_adopt(client: OmniClient, args: ConnectionEnvironmentArgs) -> Error:
    environments = client.list_connection_environments()
    if environments is None:
        return NothingToAdoptError(
            f"Cannot adopt {_describe(args)}: whether it exists is unknown, as this Omni has no list of connection "
            'environments. Leave out adopt="existing", and delete the connection environment in Omni if it exists.',
            operation=f"adopt {_describe(args)}",
        )
    siblings = (e.connection_id for e in environments if e.base_connection_id == args.base_connection_id)
    return nothing_to_adopt(_describe(args), siblings)


def _create(client: OmniClient, args: ConnectionEnvironmentArgs) -> str:
    """Omni refuses a second environment of the same two connections in the words for one that cannot be any."""

    def find() -> str | None:
        if client.list_connection_environments(fresh=True) is None:
            raise Error("Omni has no list of connection environments.", operation="list the connection environments")
        new = _find(client, args)
        return None if new is None else new.id

    try:
        return settle(
            lambda: client.create_connection_environment(args.base_connection_id, args.environment_connection_id), find
        )
    except BadRequestError as error:
        if client.list_connection_environments() is not None:
            raise
        raise AlreadyExistsError(
            f"{error} If it is an environment of this connection already, delete it in Omni: without a list of "
            "connection environments, as here, it cannot be taken over.",
            operation=error.operation,
            resource_id=None,
        ) from None


def _find(client: OmniClient, args: ConnectionEnvironmentArgs) -> omni.ConnectionEnvironment | None:
    wanted = (args.base_connection_id, args.environment_connection_id)
    environments = client.list_connection_environments() or []
    return next((e for e in environments if (e.base_connection_id, e.connection_id) == wanted), None)


def _listed(
    client: OmniClient, state: ConnectionEnvironmentState, *, fresh: bool = True
) -> omni.ConnectionEnvironment | None:
    environments = client.list_connection_environments(fresh=fresh) or []
    return next((e for e in environments if e.id == state.connection_environment_id), None)


def _is_there(client: OmniClient, state: ConnectionEnvironmentState) -> bool:
    """Whether the list has it after a 404, which without a list is all that can be known."""
    return client.list_connection_environments() is not None and look(lambda: _listed(client, state)) is not None


def _set_values(
    client: OmniClient, args: ConnectionEnvironmentArgs, connection_environment_id: str
) -> ConnectionEnvironmentState:
    client.update_connection_environment(connection_environment_id, args.user_attribute_values)
    return _state(args, connection_environment_id)


def _state(args: ConnectionEnvironmentArgs, connection_environment_id: str) -> ConnectionEnvironmentState:
    return ConnectionEnvironmentState.from_args(args).model_copy(
        update={"connection_environment_id": connection_environment_id}
    )


def _undo(client: OmniClient, args: ConnectionEnvironmentArgs, created: str, error: Error) -> None:
    try:
        delete(client, _state(args, created))
    except Error as undo:
        raise PartlyCreatedError(
            f"{error} Connection environment {created} was made before that and could not be deleted again: {undo} "
            "Set adopt=True to take it over in the next run.",
            operation=error.operation,
            resource_id=created,
        ) from None


def _merge(state: ConnectionEnvironmentState, current: omni.ConnectionEnvironment) -> ConnectionEnvironmentState:
    return state.model_copy(update={"user_attribute_values": sorted(current.user_attribute_values)})


LIFECYCLE = Lifecycle(
    service=OMNI,
    connect=OmniClient,
    args=ConnectionEnvironmentArgs,
    state=ConnectionEnvironmentState,
    id_of=lambda state: state.connection_environment_id,
    describe=_describe,
    identity=frozenset({"base_connection_id", "environment_connection_id"}),
    create=create,
    read=read,
    update=update,
    delete=delete,
    replace_on=frozenset({"base_connection_id", "environment_connection_id"}),
    delete_before_replace=True,
)


class ConnectionEnvironmentProvider(Provider[OmniClient, ConnectionEnvironmentArgs, ConnectionEnvironmentState]):
    """Serves :class:`ConnectionEnvironment` to the engine."""

    lifecycle = LIFECYCLE


class ConnectionEnvironment(Resource, module="omni", name="ConnectionEnvironment"):
    """One connection as an environment of another. Its ID is the connection environment's own."""

    base_connection_id: pulumi.Output[str] = output()
    """UUID of the connection that users see, lower-case."""
    environment_connection_id: pulumi.Output[str] = output()
    """UUID of the connection that takes its place, lower-case."""
    user_attribute_values: pulumi.Output[list[str]] = output()
    """Values of the user attribute that select it, in alphabetical order."""
    connection_environment_id: pulumi.Output[str] = output()
    """UUID of the connection environment."""

    def __init__(
        self,
        resource_name: str,
        *,
        base_connection_id: pulumi.Input[str],
        environment_connection_id: pulumi.Input[str],
        user_attribute_values: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        adopt: Adopt | None = None,
        profile: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the connection environment; :class:`ConnectionEnvironmentArgs` describes each argument."""
        arguments = {
            "base_connection_id": base_connection_id,
            "environment_connection_id": environment_connection_id,
            "user_attribute_values": user_attribute_values,
            "adopt": adopt,
            "profile": profile,
        }
        super().__init__(ConnectionEnvironmentProvider(), resource_name, arguments, opts)
