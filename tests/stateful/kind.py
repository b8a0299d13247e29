"""What the stateful test knows about one kind of object: how programs declare it, and how people change it.

Each resource defines its :class:`Kind` in a module of `tests/stateful/kinds`.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from hypothesis import strategies as st
from pydantic.alias_generators import to_camel

from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tests.catalogue import Sample
from tests.stateful.parts import Objects, Parts

Changes = dict[str, Callable[[], object]]
"""Changes outside Pulumi by description. The description of a change to an object begins with its ID and a colon."""


@dataclass(frozen=True)
class Services:
    """The two simulated services."""

    omni: OmniSimulator
    lightdash: LightdashSimulator

    def request_count(self) -> int:
        """Return the number of requests that the services received."""
        return len(self.omni.requests) + len(self.lightdash.requests)


@dataclass(frozen=True)
class Declaration:
    """A resource that a program may declare.

    Attributes:
        name: its name in the program.
        arguments: draws its arguments. Two declarations never declare the same object.
        has_duplicate: whether a program may have a second resource that declares the same object.
        weight: how often programs have it, compared with other declarations.
    """

    name: str
    arguments: st.SearchStrategy[dict[str, Any]]
    has_duplicate: bool = False
    weight: int = 1


class Kind(ABC):
    """A kind of object, and the resource that manages it."""

    sample: ClassVar[Sample]
    """The sample of the resource."""

    declarations: ClassVar[Sequence[Declaration]]
    """The resources that a program may declare."""

    fields: ClassVar[Sequence[str]]
    """The fields of the object. Each is a part, and its property has the same name in camelCase."""

    identity: ClassVar[Sequence[str]]
    """The parts by which a create finds an object."""

    chosen: ClassVar[Collection[str]] = ()
    """Parts that the service chooses when the program does not declare them, and that an update keeps."""

    write_only: ClassVar[Collection[str]] = ()
    """Parts that the service never returns, and keeps when an update leaves them out."""

    secrets: ClassVar[Collection[str]] = ()
    """Paths of the properties that may have secrets."""

    response_fields: ClassVar[Collection[str]]
    """Fields of the service's responses that a fault may leave out."""

    unverified_paths: ClassVar[Collection[str]] = ()
    """Paths for which the provider cannot verify a 404. No fault answers 404 there."""

    kept: ClassVar[Sequence[str]] = ()
    """Properties that a change of the program may keep."""

    ignored: ClassVar[st.SearchStrategy[Sequence[str]]] = st.just(())
    """Draws the properties that `ignore_changes` names."""

    @property
    def name(self) -> str:
        """The name of the resource's class."""
        return self.sample.name

    # What each kind defines

    @abstractmethod
    def objects(self, services: Services) -> Objects:
        """Return the parts of all objects of this kind, by ID."""

    @abstractmethod
    def declared(self, properties: Mapping[str, Any]) -> Parts:
        """Return the parts that inputs or outputs set."""

    @abstractmethod
    def outside_changes(self, services: Services, number: int) -> Changes:
        """Return the changes that people can make now.

        Args:
            services: the two services.
            number: differs for each change, so that new values can differ from all earlier ones.
        """

    # What some kinds define

    def valid(self, properties: dict[str, Any]) -> dict[str, Any]:
        """Return drawn or changed arguments without contradictions."""
        return properties

    def add_missing(self, _properties: dict[str, Any]) -> bool:
        """Add the arguments that only a create needs, and return whether any was missing."""
        return False

    def add_undeclared(self, properties: dict[str, Any], path: str, existing: Parts) -> None:
        """Add to the arguments what an adoption would remove.

        Args:
            properties: the arguments.
            path: the path in the error, which is that of a program. For a value of a list: `default_values "a"`.
            existing: the object that would be adopted.
        """
        name, _, value = path.partition(" ")
        if value:
            properties[to_camel(name)].append(value[1:-1])
        else:
            properties[to_camel(name)] = existing[name]

    def can_adopt(self, _services: Services) -> bool:
        """Return whether a create can find an object that exists. Else :meth:`delete` removes the object."""
        return True

    def delete(self, services: Services, object_id: str) -> None:
        """Delete an object that cannot be adopted, or whose name an update needs."""
        raise NotImplementedError

    def added_by_service(self, _services: Services) -> set[str]:
        """Return the IDs of the objects that the service itself adds when an object of this kind is created."""
        return set()

    def known(self, outputs: Mapping[str, Any]) -> frozenset[str]:
        """Return the paths of the parts that outputs have."""
        return frozenset(self.declared(outputs))

    def is_variable(self, _path: str) -> bool:
        """Return whether a part is a variable of a dbt environment, which may be unmanaged or retained."""
        return False

    def is_unmanaged(self, _path: str, _properties: Mapping[str, Any]) -> bool:
        """Return whether the arguments list a part as unmanaged."""
        return False

    # What follows for all kinds

    def identity_of(self, parts: Parts) -> tuple[object, ...]:
        """Return the values by which a create finds the object."""
        return self.name, *(parts.get(part) for part in self.identity)

    def without_secrets(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Return properties without those that may have secrets."""
        rest = copy.deepcopy(dict(properties))
        for path in self.secrets:
            *parents, last = path.split(".")
            holder = rest
            for parent in parents:
                holder = holder.get(parent, {})
            holder.pop(last, None)
        return rest

    def stored_fields(self, stored: Mapping[str, Any]) -> Parts:
        """Return the fields that the service has, without empty ones."""
        return {name: stored[name] for name in self.fields if stored.get(name)}

    def declared_fields(self, properties: Mapping[str, Any]) -> Parts:
        """Return the fields that properties set, without empty ones."""
        values = {name: properties.get(to_camel(name)) for name in self.fields}
        return {name: value for name, value in values.items() if value not in {None, ""}}
