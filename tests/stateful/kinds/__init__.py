"""The kinds of objects. Each resource has a module here."""

from __future__ import annotations

from tests.stateful.kind import Kind, Services
from tests.stateful.kinds.connection_environment import ConnectionEnvironmentKind
from tests.stateful.kinds.connection_environment_attribute import ConnectionEnvironmentAttributeKind
from tests.stateful.kinds.dbt_configuration import DbtConfigurationKind
from tests.stateful.kinds.dbt_environment import DbtEnvironmentKind
from tests.stateful.kinds.lightdash_dbt_source import LightdashDbtSourceKind
from tests.stateful.parts import Objects, Parts

KINDS: tuple[Kind, ...] = (
    ConnectionEnvironmentKind(),
    ConnectionEnvironmentAttributeKind(),
    DbtConfigurationKind(),
    DbtEnvironmentKind(),
    LightdashDbtSourceKind(),
)

_BY_NAME = {kind.name: kind for kind in KINDS}


def objects(services: Services) -> Objects:
    """Return all objects of both services by ID. The part `kind` has the name of the kind."""
    return {id_: {"kind": kind.name, **parts} for kind in KINDS for id_, parts in kind.objects(services).items()}


def added_by_services(services: Services) -> set[str]:
    """Return the IDs of the objects that the services themselves add to other objects."""
    return {id_ for kind in KINDS for id_ in kind.added_by_service(services)}


def identity(parts: Parts) -> tuple[object, ...]:
    """Return the values by which a create finds an object."""
    return _BY_NAME[str(parts["kind"])].identity_of(parts)
