"""The objects that an export reads, and those that it skips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from omni_pulumi.lifecycle import Lifecycle
from omni_pulumi.redact import display
from omni_pulumi.resources.connection_environment import ConnectionEnvironmentLifecycle
from omni_pulumi.resources.connection_environment_attribute import ConnectionEnvironmentAttributeLifecycle
from omni_pulumi.resources.dbt_configuration import DbtConfigurationLifecycle
from omni_pulumi.resources.dbt_environment import DbtEnvironmentLifecycle
from omni_pulumi.resources.lightdash_dbt_source import LightdashDbtSourceLifecycle
from omni_pulumi.selection import Parent, Selection, ServiceName, missing_parents

SecretsMode = Literal["unmanaged", "config"]

PRODUCTION = ("prod*", "prd*", "live*")
"""Patterns of the names of production environments, the default of the policy ``production-protected``."""


class ExportError(Exception):
    """The export cannot be made. The message says what is wrong and what to do."""


@dataclass(frozen=True)
class Kind:
    """A kind of object.

    Attributes:
        option: its name on the command line.
        lifecycle: the lifecycle of the resource that manages it.
        title: its name in a sentence.
    """

    option: str
    lifecycle: Lifecycle[Any, Any, Any]
    title: str

    @property
    def resource(self) -> str:
        """Class of the resource."""
        return self.lifecycle.name

    @property
    def service(self) -> str:
        """The service that has it."""
        return self.lifecycle.service.namespace

    @property
    def type_token(self) -> str:
        """Type of the resource in Pulumi's state."""
        return f"pulumi-python:dynamic/{self.service}:{self.resource}"


CONFIGURATION = Kind("configuration", DbtConfigurationLifecycle(), "dbt configuration")
ENVIRONMENT = Kind("environment", DbtEnvironmentLifecycle(), "dbt environment")
ATTRIBUTE = Kind("attribute", ConnectionEnvironmentAttributeLifecycle(), "environment user attribute")
CONNECTION_ENVIRONMENT = Kind("connection-environment", ConnectionEnvironmentLifecycle(), "connection environment")
SOURCE = Kind("source", LightdashDbtSourceLifecycle(), "dbt source")

KINDS: Mapping[str, Kind] = {
    kind.option: kind for kind in (CONFIGURATION, ENVIRONMENT, ATTRIBUTE, CONNECTION_ENVIRONMENT, SOURCE)
}
"""Kinds by their option, in the order of a program."""


@dataclass(frozen=True)
class SecretText:
    """Stands for a text that is in no file. The program reads it from the stack's configuration.

    Attributes:
        name: name of the argument or variable.
    """

    name: str


@dataclass(frozen=True)
class ConnectionId:
    """Stands for the ID of another connection, which the program refers to."""

    connection: Parent


@dataclass(frozen=True)
class ConstructorCall:
    """Stands for an instance of a class of this package, such as ``GithubConnection``."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """An object that a program can declare.

    Attributes:
        kind: its kind.
        id: its ID in Pulumi's state.
        service_id: its own ID in its service, ``None`` when the ID of the parent is its only one.
        parent: what it belongs to.
        name: its display name, or that of the connection that it is about.
        arguments: arguments of the resource besides the ID of the parent, without defaults.
        protect: whether it has the resource option ``protect``.
        is_default: whether Omni creates it with the dbt configuration, also in another instance.
    """

    kind: Kind
    id: str
    service_id: str | None
    parent: Parent
    name: str
    arguments: Mapping[str, Any]
    protect: bool = False
    is_default: bool = False

    def __str__(self) -> str:
        of = f"{self.kind.title} of" if self.service_id is None else f'{self.kind.title} "{display(self.name)}" of'
        return f"{of} {self.parent}"


@dataclass(frozen=True)
class Skipped:
    """An object, or all objects of a connection or project, that the export does not write.

    Attributes:
        id: ID of the object in Pulumi's state, or of the connection or project.
        description: what it is. It contains no secret.
        reason: why it is skipped.
    """

    id: str
    description: str
    reason: str


@dataclass
class Inventory:
    """What the services have.

    Attributes:
        found: the objects that a program can declare.
        skipped: what it cannot declare, or what could not be read.
        notes: sentences about the whole service.
    """

    found: list[Found] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ObjectSelection(Selection):
    """Which objects are read, and how secrets are declared.

    Attributes:
        names: globs of the names of dbt environments and sources, all when empty.
        excluded: globs of names that are left out.
        owners: ``shared``, or UUIDs of the owners of dbt environments, all when empty.
        kinds: options of :data:`KINDS`, all when empty.
        secrets: how secrets are declared.
    """

    names: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    secrets: SecretsMode = "unmanaged"

    def services(self, only: ServiceName | None) -> list[ServiceName]:
        """Return the services that have what is selected.

        Args:
            only: the only service to return, ``None`` for both.
        """
        of_kinds = {kind.service for kind in KINDS.values() if self.has_kind(kind)}
        return [name for name in super().services(only) if name in of_kinds]

    def has_kind(self, *kinds: Kind) -> bool:
        """Return whether one of the kinds is selected."""
        return not self.kinds or any(kind.option in self.kinds for kind in kinds)

    def has_name(self, name: str) -> bool:
        """Return whether a dbt environment or source of this name is selected."""
        included = not self.names or any(fnmatchcase(name, glob) for glob in self.names)
        return included and not any(fnmatchcase(name, glob) for glob in self.excluded)

    def has_owner(self, owner_id: str | None) -> bool:
        """Return whether a dbt environment of this owner is selected."""
        return not self.owners or (owner_id or "shared").lower() in self.owners


def select_parents(parents: list[Parent], wanted: tuple[str, ...], *, word: str) -> list[Parent]:
    """Return the connections or projects that are wanted by name or ID, all when none is named.

    Args:
        parents: what the key sees.
        wanted: names or IDs.
        word: what they are, for the error.

    Raises:
        ExportError: one of them does not exist.
    """
    for problem in missing_parents(parents, wanted, word=word):
        raise ExportError(problem)
    return [parent for parent in parents if not wanted or any(map(parent.is_named, wanted))]


def is_production(name: str) -> bool:
    """Return whether the policies call an environment of this name a production environment."""
    return any(fnmatchcase(name.casefold(), pattern) for pattern in PRODUCTION)
