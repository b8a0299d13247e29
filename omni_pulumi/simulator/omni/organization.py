"""The data of the Omni simulator: one organization with its users, connections, dbt configurations and environments.

The methods contain the rules that apply both to API requests and to changes in the Omni UI.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

CONNECTION_ID = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be001"
OTHER_CONNECTION_ID = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be002"
STAGING_CONNECTION_ID = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be003"
DEVELOPMENT_CONNECTION_ID = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be004"
OTHER_DIALECT_CONNECTION_ID = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be005"
CONNECTION_WITHOUT_DBT_ID = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be006"

USER_ID = "5d3c8e10-7f02-4e6b-8a35-2b9d41f7a001"
OTHER_USER_ID = "5d3c8e10-7f02-4e6b-8a35-2b9d41f7a002"

USER_ATTRIBUTES = ("environment", "region")


class _Immutable:
    """A value that copies of the data share, because a copy is made before each write request."""

    def __deepcopy__(self, _: dict[int, object]) -> Self:
        return self


@dataclass(frozen=True)
class DbtConfiguration(_Immutable):
    """The dbt configuration of a connection."""

    ssh_url: str
    branch: str
    autogen_relationships: bool
    enable_virtual_schemas: bool
    enable_semantic_layer: bool = False
    dbt_version: str = "Auto"
    project_root_path: str | None = None


@dataclass(frozen=True)
class Variable(_Immutable):
    """A variable of a dbt environment. `value` is in plain text, also for a secret."""

    id: str
    name: str
    value: str
    is_secret: bool


@dataclass(frozen=True)
class DbtEnvironment(_Immutable):
    """A dbt environment of a connection."""

    id: str
    connection_id: str
    name: str
    target_schema: str
    owner_id: str | None = None
    target_database: str | None = None
    target_name: str | None = None
    target_role: str | None = None
    is_default_environment: bool = False
    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True)
class ConnectionEnvironment(_Immutable):
    """Routes users with one of these user attribute values from the base connection to another connection."""

    id: str
    base_connection_id: str
    connection_id: str
    user_attribute_values: tuple[str, ...] = ()


@dataclass(frozen=True)
class EnvironmentUserAttribute(_Immutable):
    """The user attribute whose values select a connection environment. Default values select the base connection."""

    attribute_name: str
    default_values: tuple[str, ...] | None = None


@dataclass
class Connection:
    """A database connection. `dialect` is its type of database."""

    id: str
    name: str
    dialect: str
    supports_dbt: bool = True
    dbt: DbtConfiguration | None = None
    environment_user_attribute: EnvironmentUserAttribute | None = None


def new_id() -> str:
    """Return a new ID."""
    return str(uuid.uuid4())


@dataclass
class Organization:
    """All data of the Omni simulator, by ID."""

    users: frozenset[str] = frozenset({USER_ID, OTHER_USER_ID})
    user_attributes: frozenset[str] = frozenset(USER_ATTRIBUTES)
    connections: dict[str, Connection] = field(
        default_factory=lambda: {
            connection.id: connection
            for connection in (
                Connection(CONNECTION_ID, "Warehouse", "postgres"),
                Connection(OTHER_CONNECTION_ID, "Other warehouse", "postgres"),
                Connection(STAGING_CONNECTION_ID, "Warehouse (staging)", "postgres"),
                Connection(DEVELOPMENT_CONNECTION_ID, "Warehouse (development)", "postgres"),
                Connection(OTHER_DIALECT_CONNECTION_ID, "Events", "snowflake"),
                Connection(CONNECTION_WITHOUT_DBT_ID, "Spreadsheets", "duckdb", supports_dbt=False),
            )
        }
    )
    environments: dict[str, DbtEnvironment] = field(default_factory=dict)
    connection_environments: dict[str, ConnectionEnvironment] = field(default_factory=dict)
    key_rotations: dict[str, int] = field(default_factory=dict)

    def configure_dbt(self, connection_id: str, configuration: DbtConfiguration) -> None:
        """Create or replace the dbt configuration. The first time, Omni also creates a shared default environment."""
        self.connections[connection_id].dbt = configuration
        if not any(environment.is_default_environment for environment in self.environments_of(connection_id)):
            self.store(
                DbtEnvironment(
                    id=new_id(),
                    connection_id=connection_id,
                    name="Production",
                    target_schema="public",
                    is_default_environment=True,
                )
            )

    def rotate_keys(self, connection_id: str) -> None:
        """Count a rotation of the deploy key. No response shows it."""
        self.key_rotations[connection_id] = self.key_rotations.get(connection_id, 0) + 1

    def environments_of(self, connection_id: str) -> list[DbtEnvironment]:
        """Return the dbt environments of a connection, oldest first."""
        return [each for each in self.environments.values() if each.connection_id == connection_id]

    def store(self, environment: DbtEnvironment) -> None:
        """Store a new or changed dbt environment."""
        self.environments[environment.id] = environment

    def connection_environments_of(self, base_connection_id: str) -> list[ConnectionEnvironment]:
        """Return the connection environments of a base connection."""
        return [each for each in self.connection_environments.values() if each.base_connection_id == base_connection_id]

    def can_be_environment(self, connection_id: str, base: Connection) -> bool:
        """Return whether a connection can become an environment of `base`.

        It must exist and have the same type of database. It must be neither `base` nor one of its environments.
        """
        connection = self.connections.get(connection_id)
        return (
            connection is not None
            and connection.dialect == base.dialect
            and connection.id != base.id
            and all(each.connection_id != connection.id for each in self.connection_environments_of(base.id))
        )

    def add_connection_environment(self, base_connection_id: str, connection_id: str) -> ConnectionEnvironment:
        """Create a connection environment without user attribute values."""
        created = ConnectionEnvironment(new_id(), base_connection_id, connection_id)
        self.connection_environments[created.id] = created
        return created

    def value_in_use(self, base_connection_id: str, values: Sequence[str], *, used_by: str) -> str | None:
        """Return the first of `values` that is repeated or already in use for a base connection.

        Args:
            base_connection_id: the ID of the base connection.
            values: user attribute values.
            used_by: the ID of the connection environment that gets the values, or of the base connection, which gets
                them as default values. Values that it has already are not in use.
        """
        base = self.connections.get(base_connection_id)
        default = base.environment_user_attribute if base else None
        values_by_id = {
            each.id: each.user_attribute_values for each in self.connection_environments_of(base_connection_id)
        }
        values_by_id[base_connection_id] = (default.default_values if default else None) or ()
        used = {value for owner_id, owned in values_by_id.items() if owner_id != used_by for value in owned}
        for value in values:
            if value in used:
                return value
            used.add(value)
        return None

    def set_values(self, environment: ConnectionEnvironment, values: list[str]) -> None:
        """Replace the user attribute values of a connection environment."""
        self.connection_environments[environment.id] = replace(environment, user_attribute_values=tuple(values))
