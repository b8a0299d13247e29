"""A connection that takes the place of an Omni connection for users with certain attribute values.

Source: https://docs.omni.co/api/connection-environments. The surprising facts: the values are set in a second request
after the create; not every Omni instance has a list, and without it nothing can be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import pulumi
import pydantic

from omni_pulumi.adoption import ADOPT_IF_CREATED, adopt, log_created, nothing_to_adopt, warn_about_kept
from omni_pulumi.api.omni import models
from omni_pulumi.api.retry import create_once, poll
from omni_pulumi.changes import undeclared_values, value_paths
from omni_pulumi.dynamic.provider import Provider
from omni_pulumi.dynamic.resource import Resource, output
from omni_pulumi.errors import (
    AlreadyExistsError,
    BadRequestError,
    Error,
    NothingToAdoptError,
    PartlyCreatedError,
)
from omni_pulumi.fields import (
    Adopt,
    Args,
    ConnectionId,
    ContradictionError,
    Identifies,
    MaybeUnknown,
    Replaces,
    State,
    UserAttributeValues,
    rule,
)
from omni_pulumi.lifecycle import Claims
from omni_pulumi.services import OmniLifecycle

if TYPE_CHECKING:
    from omni_pulumi.api.omni.client import OmniClient


def _not_the_base(environment_connection_id: str, info: pydantic.ValidationInfo) -> str:
    if environment_connection_id == info.data.get("base_connection_id"):
        raise ContradictionError("must be another connection than base_connection_id", "base_connection_id")
    return environment_connection_id


class ConnectionEnvironmentArgs(Args):
    """Arguments of :class:`ConnectionEnvironment`."""

    base_connection_id: Annotated[MaybeUnknown[ConnectionId], Identifies(), Replaces()] = pydantic.Field(
        description="UUID of the connection that users see."
    )
    environment_connection_id: Annotated[
        MaybeUnknown[Annotated[ConnectionId, rule(_not_the_base)]], Identifies(), Replaces()
    ] = pydantic.Field(description="UUID of the connection that takes its place. It has the same database dialect.")
    user_attribute_values: MaybeUnknown[UserAttributeValues] = pydantic.Field(
        default_factory=list,
        description="Values of the base connection's user attribute that select this environment. A value selects one "
        "environment of a base connection.",
    )


class ConnectionEnvironmentState(State):
    """State of :class:`ConnectionEnvironment`."""

    base_connection_id: str
    environment_connection_id: str
    user_attribute_values: list[str] = pydantic.Field(default_factory=list)
    connection_environment_id: str = pydantic.Field(default="", description="UUID of the connection environment.")


class ConnectionEnvironmentLifecycle(OmniLifecycle[ConnectionEnvironmentArgs, ConnectionEnvironmentState]):
    """How a connection environment is created, read, updated and deleted."""

    args_model = ConnectionEnvironmentArgs
    state_model = ConnectionEnvironmentState
    delete_before_replace = True

    def describe(self, resource: ConnectionEnvironmentArgs | ConnectionEnvironmentState) -> str:
        """Return the object in words, for messages."""
        return _describe(resource)

    def id_of(self, state: ConnectionEnvironmentState) -> str:
        """Return the UUID of the connection environment."""
        return state.connection_environment_id

    def create(self, client: OmniClient, args: ConnectionEnvironmentArgs, claims: Claims) -> ConnectionEnvironmentState:
        """Create the connection environment and set its values, or adopt the one that exists.

        When setting the values of a new one fails, it is deleted again.
        """
        existing = _find(client, args)
        if existing is not None:
            claims(existing.id)
            return _adopt(client, args, existing)
        if args.adopt == "existing":
            raise _nothing_to_adopt(client, args)
        state = ConnectionEnvironmentState.from_args(args, connection_environment_id=_create(client, args))
        try:
            client.update_connection_environment(state.connection_environment_id, args.user_attribute_values)
        except Error as error:
            self._undo(client, state, error)
            raise error.replace(outcome_unknown=False) from None
        log_created(_describe(args), state.connection_environment_id, args)
        return state

    def read(self, client: OmniClient, state: ConnectionEnvironmentState) -> ConnectionEnvironmentState | None:
        """Find the connection environment in the list of all. Without a list, the state stays as it is."""
        if client.list_connection_environments() is None:
            return state
        current = _find_id(client, state) or _poll_list(client, state)
        return None if current is None else _merge(state, current)

    def update(
        self, client: OmniClient, state: ConnectionEnvironmentState, args: ConnectionEnvironmentArgs
    ) -> ConnectionEnvironmentState:
        """Set the values."""
        current = _find_id(client, state)
        kept = (
            []
            if current is None
            else undeclared_values(
                current.user_attribute_values, args.user_attribute_values, state.user_attribute_values
            )
        )
        client.update_connection_environment(
            state.connection_environment_id, sorted([*args.user_attribute_values, *kept])
        )
        warn_about_kept(_describe(args), value_paths("user_attribute_values", kept))
        return ConnectionEnvironmentState.from_args(args, connection_environment_id=state.connection_environment_id)

    def delete(self, client: OmniClient, state: ConnectionEnvironmentState) -> None:
        """Delete the connection environment. The two connections stay."""
        client.delete_connection_environment(state.connection_environment_id)

    def exists(self, client: OmniClient, state: ConnectionEnvironmentState) -> bool:
        """Return whether the list has the connection environment. Without a list, a 404 is the only evidence."""
        return client.list_connection_environments() is not None and _poll_list(client, state) is not None

    def _undo(self, client: OmniClient, state: ConnectionEnvironmentState, error: Error) -> None:
        """Delete a new connection environment whose values could not be set."""
        try:
            self.delete_if_exists(client, state)
        except Error as failure:
            raise PartlyCreatedError(
                f"{error.message} Connection environment {state.connection_environment_id} was created before, and "
                f"deleting it failed: {failure.message} {_advice(client)}",
                operation=error.operation,
                resource_id=state.connection_environment_id,
            ) from None


def _describe(resource: ConnectionEnvironmentArgs | ConnectionEnvironmentState) -> str:
    return (
        f"connection {resource.environment_connection_id} as an environment of connection {resource.base_connection_id}"
    )


def _advice(client: OmniClient) -> str:
    """Return what the user can do about a create that may have been applied. An adoption needs the list."""
    return ADOPT_IF_CREATED if client.has_connection_environment_list else "If it exists, delete it in Omni."


def _find(client: OmniClient, args: ConnectionEnvironmentArgs) -> models.ConnectionEnvironment | None:
    wanted = (args.base_connection_id, args.environment_connection_id)
    environments = client.list_connection_environments() or []
    return next((e for e in environments if (e.base_connection_id, e.connection_id) == wanted), None)


def _find_id(
    client: OmniClient, state: ConnectionEnvironmentState, *, use_cache: bool = True
) -> models.ConnectionEnvironment | None:
    environments = client.list_connection_environments(use_cache=use_cache) or []
    return next((e for e in environments if e.id == state.connection_environment_id), None)


def _poll_list(client: OmniClient, state: ConnectionEnvironmentState) -> models.ConnectionEnvironment | None:
    return poll(lambda: _find_id(client, state, use_cache=False))


def _adopt(
    client: OmniClient, args: ConnectionEnvironmentArgs, existing: models.ConnectionEnvironment
) -> ConnectionEnvironmentState:
    state = ConnectionEnvironmentState.from_args(args, connection_environment_id=existing.id)

    def write() -> ConnectionEnvironmentState:
        client.update_connection_environment(existing.id, args.user_attribute_values)
        return state

    return adopt(
        _describe(args),
        existing.id,
        args,
        _merge(state, existing),
        write=write,
        undeclared=value_paths(
            "user_attribute_values", undeclared_values(existing.user_attribute_values, args.user_attribute_values)
        ),
    )


def _nothing_to_adopt(client: OmniClient, args: ConnectionEnvironmentArgs) -> Error:
    environments = client.list_connection_environments()
    if environments is None:
        return NothingToAdoptError(
            f"Cannot adopt {_describe(args)}: this Omni instance has no list of connection environments, so it "
            'may exist. Leave out adopt="existing", and delete the connection environment in Omni if it exists.',
            operation=f"adopt {_describe(args)}",
        )
    siblings = (e.connection_id for e in environments if e.base_connection_id == args.base_connection_id)
    return nothing_to_adopt(_describe(args), siblings)


def _create(client: OmniClient, args: ConnectionEnvironmentArgs) -> str:
    """Create a connection environment and return its ID.

    Omni refuses a second one of the same two connections with the message for a connection that is not suitable.
    """

    def find() -> str | None:
        if client.list_connection_environments(use_cache=False) is None:
            raise Error("Omni has no list of connection environments.", operation="list the connection environments")
        new = _find(client, args)
        return None if new is None else new.id

    try:
        return create_once(
            lambda: client.create_connection_environment(args.base_connection_id, args.environment_connection_id),
            find,
            advice=_advice(client),
        )
    except BadRequestError as error:
        if client.list_connection_environments() is not None:
            raise
        raise AlreadyExistsError(
            f"{error.message} If it is an environment of this connection already, delete it in Omni: it cannot be "
            "adopted, because this Omni instance has no list of connection environments.",
            operation=error.operation,
            resource_id=None,
        ) from None


def _merge(state: ConnectionEnvironmentState, current: models.ConnectionEnvironment) -> ConnectionEnvironmentState:
    return state.model_copy(update={"user_attribute_values": sorted(current.user_attribute_values)})


class ConnectionEnvironmentProvider(Provider["OmniClient", ConnectionEnvironmentArgs, ConnectionEnvironmentState]):
    """Serves :class:`ConnectionEnvironment` to the engine."""

    lifecycle = ConnectionEnvironmentLifecycle()


class ConnectionEnvironment(Resource, module="omni", name="ConnectionEnvironment"):
    """One connection as an environment of another. Its ID is the connection environment's own."""

    # Generated by `make generate`. Change the models instead.
    base_connection_id: pulumi.Output[str] = output()
    """UUID of the connection that users see."""
    environment_connection_id: pulumi.Output[str] = output()
    """UUID of the connection that takes its place. It has the same database dialect."""
    user_attribute_values: pulumi.Output[list[str]] = output()
    """Values of the base connection's user attribute that select this environment. A value selects one environment of a
    base connection.
    """
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
        """Declare the resource.

        Args:
            resource_name: Name of the resource in the program.
            base_connection_id: UUID of the connection that users see. Changing it replaces the resource.
            environment_connection_id: UUID of the connection that takes its place. It has the same database dialect.
                Changing it replaces the resource.
            user_attribute_values: Values of the base connection's user attribute that select this environment. A value
                selects one environment of a base connection.
            adopt: What to do if the object exists already. `False`, the default: fail. `True`: adopt it, or else create
                it. `"existing"`: adopt it, or fail if it does not exist. It has an effect only when Pulumi creates the
                resource. Remove `"existing"` afterwards, because it forbids a replacement.
            profile: Name of the instance's settings, for a stack that uses several instances of a service.
            opts: Resource options.
        """
        super().__init__(*self._arguments(ConnectionEnvironmentProvider(), resource_name, locals(), opts))

    # End of the generated part.
