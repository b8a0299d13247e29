"""What a resource is, without Pulumi's protocol: its arguments, its state, and how to create, read, update and delete.

The author of a resource writes two models and one lifecycle, on typed values. A rule of one value is applied once the
value is known. A rule that compares several values must expect that some of them are unknown in a preview.
"""

from __future__ import annotations

import abc
import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from omni_pulumi.adoption import may_create, warn_about_recreation
from omni_pulumi.check import CheckFailure, validate
from omni_pulumi.errors import NotFoundError
from omni_pulumi.fields import Args, Identifies, ParentId, Replaces, State, marked
from omni_pulumi.settings import Config, Service

if TYPE_CHECKING:
    from omni_pulumi.api.instance import Client, Instance

A = TypeVar("A", bound=Args)
S = TypeVar("S", bound=State)
C = TypeVar("C", bound="Client")


class Claims(Protocol):
    """The objects that the resources of the program manage, as one resource sees them."""

    def __call__(self, pulumi_id: str, /) -> None:
        """Claim an object by its Pulumi ID.

        Raises:
            AlreadyManagedError: another resource of the program manages the object.
        """

    def gives_up(self, pulumi_id: str, /) -> bool:
        """Return whether another resource of the program manages an object, and gives up its name in this command."""


class Lifecycle(abc.ABC, Generic[C, A, S]):
    """How to create, read, update and delete one kind of object.

    Attributes:
        service: the service that has the object.
        args_model: model of the arguments.
        state_model: model of the state.
        delete_before_replace: whether a replacement deletes the old object before it creates the new one.
        observed: Pulumi's names of the outputs whose change outside Pulumi is drift.
    """

    service: ClassVar[Service]
    args_model: type[A]
    state_model: type[S]
    delete_before_replace: ClassVar[bool] = False
    observed: ClassVar[frozenset[str]] = frozenset()

    @property
    def name(self) -> str:
        """The class name of the resource."""
        return self.args_model.__name__.removesuffix("Args")

    @abc.abstractmethod
    def connect(self, instance: Instance) -> C:
        """Return a client of an instance. No request is sent yet."""

    @abc.abstractmethod
    def describe(self, resource: A | S) -> str:
        """Return the object in words, for messages: ``dbt environment "Staging" of connection <id>``."""

    @abc.abstractmethod
    def id_of(self, state: S) -> str:
        """Return the Pulumi ID of an object."""

    @abc.abstractmethod
    def create(self, client: C, args: A, claims: Claims) -> S:
        """Create the object, or adopt it if it exists and the program sets ``adopt``. Claim it before adopting it."""

    @abc.abstractmethod
    def read(self, client: C, state: S) -> S | None:
        """Return the state as the service has it, ``None`` when the object is deleted.

        An error never means that an object is deleted.
        """

    @abc.abstractmethod
    def update(self, client: C, state: S, args: A) -> S | None:
        """Change the object to what the program declares, and return ``None`` when it was deleted outside Pulumi."""

    @abc.abstractmethod
    def delete(self, client: C, state: S) -> None:
        """Delete the object."""

    @abc.abstractmethod
    def exists(self, client: C, state: S) -> bool:
        """Return whether the object still exists after a 404, which a proxy or an unreadable parent may cause.

        Without a list that could show the object, the 404 itself is the evidence, and the result is ``False``.
        """

    def check_identity(self, _client: C, _state: S, _args: A, _claims: Claims) -> None:
        """Refuse an update that gives an object the identity of another one, if the service does not refuse it.

        Raises:
            AlreadyExistsError: names the other object.
        """

    def only_in_service(self, _state: S) -> list[str]:
        """Return what only the service knows of an object, so that creating it again loses it."""
        return []

    def lost_by_deletion(self, _arguments: Mapping[str, Any]) -> list[str]:
        """Return what only the service has, so that an object that is deleted and created again lacks it.

        Args:
            _arguments: what the program declares, by name. Values may be outputs.
        """
        return []

    def diff_warning(self, _state: S, _args: A) -> str | None:
        """Return a warning about a change, for a preview."""
        return None

    def warnings(self, _args: A) -> dict[str, str]:
        """Return warnings about values that the service may refuse, by the name of their argument, for a preview."""
        return {}

    def validate(
        self, properties: Mapping[str, object], *, known: Mapping[str, object] | None = None, may_exist: bool = True
    ) -> A | list[CheckFailure]:
        """Return the arguments, or all the rules that they break.

        Args:
            properties: what the program declares.
            known: what the state has, ``None`` for a create. Such a value may break a rule, except about types.
            may_exist: whether the object may exist already. A create may require what an update can leave out, so rules
                find it in the validation's context.
        """
        return validate(self.args_model, properties, known or {}, {"may_exist": may_exist})

    @functools.cached_property
    def replacing(self) -> frozenset[str]:
        """The names of the arguments whose change replaces the object."""
        return marked(self.args_model, Replaces)

    @functools.cached_property
    def _identifying(self) -> list[str]:
        return sorted(marked(self.args_model, Identifies) - {*self._choosable})

    @functools.cached_property
    def _choosable(self) -> list[str]:
        fields = self.args_model.model_fields.items()
        return sorted(name for name, field in fields if Identifies(is_optional=True) in field.metadata)

    @functools.cached_property
    def _parent(self) -> str | None:
        return next(iter(marked(self.args_model, ParentId)), None)

    def identity(self, resource: A | S) -> tuple[object, ...]:
        """Return the values by which a create finds an object that exists, without those of :meth:`choosable`."""
        return tuple(getattr(resource, name) for name in self._identifying)

    def choosable(self, resource: A | S) -> tuple[object, ...]:
        """Return the other values by which a create finds an object. The service chooses those that are ``None``."""
        return tuple(getattr(resource, name) for name in self._choosable)

    def chosen(self, state: S) -> tuple[object, ...]:
        """Return the values of :meth:`choosable` that an object has, also those that the service chose."""
        return self.choosable(state)

    def parent_id(self, resource: A | S) -> str | None:
        """Return the ID of the connection or project that the object belongs to, ``None`` when there is none."""
        return getattr(resource, self._parent) if self._parent else None

    def changes_instance(self, config: Config, state: S, args: A) -> bool:
        """Return whether the program's profile leads to another instance than the state's."""
        if args.profile == state.profile:
            return False
        return self.service.url(config, args.profile) != self.service.url(config, state.profile)

    def update_or_recreate(self, client: C, state: S, args: A, claims: Claims) -> S:
        """Update the object, or create it again when it was deleted outside Pulumi."""
        try:
            self.check_identity(client, state, args, claims)
            updated = self.update(client, state, args)
        except NotFoundError:
            if self.exists(client, state):
                raise
            updated = None
        if updated is not None:
            return updated
        warn_about_recreation(self.describe(args), self.id_of(state), args, lost=self.only_in_service(state))
        return self.create(client, may_create(args), claims)

    def delete_if_exists(self, client: C, state: S) -> None:
        """Delete the object. It is no error when it is deleted already."""
        try:
            self.delete(client, state)
        except NotFoundError:
            if self.exists(client, state):
                raise
