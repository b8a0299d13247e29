"""The user attribute whose values select an environment of an Omni connection.

Source: https://docs.omni.co/api/connections/update-connection. The surprising facts: without it connection environments
have no effect; it is part of the connection, so a connection has at most one; Omni's sources name its fields in three
ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import pulumi
import pydantic

from omni_pulumi.adoption import adopt, log_created, nothing_to_adopt, warn_about_kept, warn_about_recreation
from omni_pulumi.api.omni import models
from omni_pulumi.api.retry import poll, write_and_verify
from omni_pulumi.changes import changed_fields, undeclared_values, value_paths
from omni_pulumi.dynamic.provider import Provider
from omni_pulumi.dynamic.resource import Resource, output
from omni_pulumi.fields import (
    Adopt,
    Args,
    ConnectionId,
    Identifies,
    Line,
    MaybeUnknown,
    ParentId,
    Replaces,
    State,
    UserAttributeValues,
)
from omni_pulumi.lifecycle import Claims
from omni_pulumi.services import OmniLifecycle

if TYPE_CHECKING:
    from omni_pulumi.api.omni.client import OmniClient


class ConnectionEnvironmentAttributeArgs(Args):
    """Arguments of :class:`ConnectionEnvironmentAttribute`."""

    connection_id: Annotated[MaybeUnknown[ConnectionId], ParentId(), Identifies(), Replaces()] = pydantic.Field(
        description="UUID of the base connection, which users see."
    )
    attribute_name: MaybeUnknown[Line] = pydantic.Field(
        description="Name of the user attribute. Its values select an environment of the connection."
    )
    default_values: MaybeUnknown[UserAttributeValues] = pydantic.Field(
        default_factory=list, description="Values that select the base connection itself."
    )


class ConnectionEnvironmentAttributeState(State):
    """State of :class:`ConnectionEnvironmentAttribute`."""

    connection_id: str
    attribute_name: str = ""
    default_values: list[str] = pydantic.Field(default_factory=list)


class ConnectionEnvironmentAttributeLifecycle(
    OmniLifecycle[ConnectionEnvironmentAttributeArgs, ConnectionEnvironmentAttributeState]
):
    """How the environment user attribute of a connection is created, read, updated and deleted."""

    args_model = ConnectionEnvironmentAttributeArgs
    state_model = ConnectionEnvironmentAttributeState

    def describe(self, resource: ConnectionEnvironmentAttributeArgs | ConnectionEnvironmentAttributeState) -> str:
        """Return the object in words, for messages."""
        return f"the environment user attribute of connection {resource.connection_id}"

    def id_of(self, state: ConnectionEnvironmentAttributeState) -> str:
        """Return the ID of the connection."""
        return state.connection_id

    def create(
        self, client: OmniClient, args: ConnectionEnvironmentAttributeArgs, claims: Claims
    ) -> ConnectionEnvironmentAttributeState:
        """Set the attribute, or adopt the one that the connection has."""
        claims(args.connection_id)
        existing = client.get_connection(args.connection_id)
        if existing.attribute_name is None:
            if args.adopt == "existing":
                raise nothing_to_adopt(self.describe(args))
            state = _write(client, args)
            log_created(self.describe(args), args.connection_id, args)
            return state
        current = _merge(ConnectionEnvironmentAttributeState.from_args(args), existing)
        return adopt(
            self.describe(args),
            args.connection_id,
            args,
            current,
            write=lambda: _write(client, args),
            undeclared=value_paths("default_values", undeclared_values(existing.default_values, args.default_values)),
        )

    def read(
        self, client: OmniClient, state: ConnectionEnvironmentAttributeState
    ) -> ConnectionEnvironmentAttributeState | None:
        """Read the attribute of the connection."""
        current = _poll(client, state.connection_id)
        return None if current is None else _merge(state, current)

    def update(
        self,
        client: OmniClient,
        state: ConnectionEnvironmentAttributeState,
        args: ConnectionEnvironmentAttributeArgs,
    ) -> ConnectionEnvironmentAttributeState:
        """Set the attribute, which also creates it again."""
        current = client.get_connection(args.connection_id)
        if current.attribute_name is None:
            warn_about_recreation(self.describe(args), args.connection_id, args)
        kept = undeclared_values(current.default_values, args.default_values, state.default_values)
        _write(client, args.model_copy(update={"default_values": sorted([*args.default_values, *kept])}))
        warn_about_kept(self.describe(args), value_paths("default_values", kept))
        return ConnectionEnvironmentAttributeState.from_args(args)

    def delete(self, client: OmniClient, state: ConnectionEnvironmentAttributeState) -> None:
        """Remove the attribute. The connection and its environments stay."""
        body = models.UserAttributeBody(attribute_name=None, default_values=[])
        client.set_environment_user_attribute(state.connection_id, body)

    def exists(self, client: OmniClient, state: ConnectionEnvironmentAttributeState) -> bool:
        """Return whether the connection has an attribute."""
        return _poll(client, state.connection_id) is not None


def _poll(client: OmniClient, connection_id: str) -> models.Connection | None:
    """Return a connection that has an attribute, ``None`` when several reads show none."""

    def find() -> models.Connection | None:
        connection = client.get_connection(connection_id)
        return None if connection.attribute_name is None else connection

    return poll(find)


def _write(client: OmniClient, args: ConnectionEnvironmentAttributeArgs) -> ConnectionEnvironmentAttributeState:
    state = ConnectionEnvironmentAttributeState.from_args(args)
    body = models.UserAttributeBody(attribute_name=args.attribute_name, default_values=args.default_values)

    def is_applied() -> bool | None:
        current = client.get_connection(args.connection_id)
        return None if current.attribute_name is None else not changed_fields(_merge(state, current), args)

    write_and_verify(lambda: client.set_environment_user_attribute(args.connection_id, body), is_applied)
    return state


def _merge(
    state: ConnectionEnvironmentAttributeState, current: models.Connection
) -> ConnectionEnvironmentAttributeState:
    return state.model_copy(
        update={"attribute_name": current.attribute_name, "default_values": sorted(current.default_values)}
    )


class ConnectionEnvironmentAttributeProvider(
    Provider["OmniClient", ConnectionEnvironmentAttributeArgs, ConnectionEnvironmentAttributeState]
):
    """Serves :class:`ConnectionEnvironmentAttribute` to the engine."""

    lifecycle = ConnectionEnvironmentAttributeLifecycle()


class ConnectionEnvironmentAttribute(Resource, module="omni", name="ConnectionEnvironmentAttribute"):
    """The user attribute whose values select an environment of an Omni connection. Its ID is the connection's."""

    # Generated by `make generate`. Change the models instead.
    connection_id: pulumi.Output[str] = output()
    """UUID of the base connection, which users see."""
    attribute_name: pulumi.Output[str] = output()
    """Name of the user attribute. Its values select an environment of the connection."""
    default_values: pulumi.Output[list[str]] = output()
    """Values that select the base connection itself."""

    def __init__(
        self,
        resource_name: str,
        *,
        connection_id: pulumi.Input[str],
        attribute_name: pulumi.Input[str],
        default_values: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        adopt: Adopt | None = None,
        profile: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the resource.

        Args:
            resource_name: Name of the resource in the program.
            connection_id: UUID of the base connection, which users see. Changing it replaces the resource.
            attribute_name: Name of the user attribute. Its values select an environment of the connection.
            default_values: Values that select the base connection itself.
            adopt: What to do if the object exists already. `False`, the default: fail. `True`: adopt it, or else create
                it. `"existing"`: adopt it, or fail if it does not exist. It has an effect only when Pulumi creates the
                resource. Remove `"existing"` afterwards, because it forbids a replacement.
            profile: Name of the instance's settings, for a stack that uses several instances of a service.
            opts: Resource options.
        """
        super().__init__(*self._arguments(ConnectionEnvironmentAttributeProvider(), resource_name, locals(), opts))

    # End of the generated part.
