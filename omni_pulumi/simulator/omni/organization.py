"""What the local Omni stores: one organization with its users, connections, dbt settings and environments.

The rules that hold however a change is made, through the API or in the web page, live here.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace

CONNECTION_ID = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be001"
OTHER_CONNECTION_ID = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be002"
STAGING_CONNECTION_ID = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be003"
DEVELOPMENT_CONNECTION_ID = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be004"
OTHER_DIALECT_CONNECTION_ID = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be005"
CONNECTION_WITHOUT_DBT_ID = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be006"

USER_ID = "5d3c8e10-7f02-4e6b-8a35-2b9d41f7a001"
OTHER_USER_ID = "5d3c8e10-7f02-4e6b-8a35-2b9d41f7a002"


@dataclass(frozen=True)
class DbtConfiguration:
    """A connection's link to its dbt repository."""

    ssh_url: str
    branch: str
    autogen_relationships: bool
    enable_virtual_schemas: bool
    enable_semantic_layer: bool = False
    dbt_version: str = "Auto"
    project_root_path: str | None = None


@dataclass(frozen=True)
class Variable:
    """An environment variable of a dbt environment, with its value in clear."""

    id: str
    name: str
    value: str
    is_secret: bool


@dataclass(frozen=True)
class DbtEnvironment:
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
class ConnectionEnvironment:
    """A connection that stands in for a base connection when a user attribute has one of these values."""

    id: str
    base_connection_id: str
    connection_id: str
    user_attribute_values: tuple[str, ...] = ()


@dataclass
class Connection:
    """A database connection. `dialect` is its kind of database."""

    id: str
    name: str
    dialect: str
    supports_dbt: bool = True
    dbt: DbtConfiguration | None = None


def new_id() -> str:
    """A new identifier."""
    return str(uuid.uuid4())


@dataclass
class Organization:
    """Everything that the local Omni stores, by id."""

    users: frozenset[str] = frozenset({USER_ID, OTHER_USER_ID})
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
        """Link dbt. Omni creates a shared default environment the first time."""
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
        """Replace the deploy key: an action that no answer ever shows."""
        self.key_rotations[connection_id] = self.key_rotations.get(connection_id, 0) + 1

    def environments_of(self, connection_id: str) -> list[DbtEnvironment]:
        """A connection's dbt environments, oldest first."""
        return [each for each in self.environments.values() if each.connection_id == connection_id]

    def store(self, environment: DbtEnvironment) -> None:
        """Keep a new or changed dbt environment."""
        self.environments[environment.id] = environment

    def connection_environments_of(self, base_connection_id: str) -> list[ConnectionEnvironment]:
        """The connection environments of a base connection."""
        return [each for each in self.connection_environments.values() if each.base_connection_id == base_connection_id]

    def can_be_environment(self, connection_id: str, base: Connection) -> bool:
        """Whether a connection may stand in for `base`: it exists, has the same kind of database, is neither the base
        itself nor already one of its environments."""
        connection = self.connections.get(connection_id)
        return (
            connection is not None
            and connection.dialect == base.dialect
            and connection.id != base.id
            and all(each.connection_id != connection.id for each in self.connection_environments_of(base.id))
        )

    def add_connection_environment(self, base_connection_id: str, connection_id: str) -> ConnectionEnvironment:
        """Let a connection stand in for a base connection; which values choose it is said later."""
        created = ConnectionEnvironment(new_id(), base_connection_id, connection_id)
        self.connection_environments[created.id] = created
        return created

    def value_in_use(self, environment: ConnectionEnvironment, values: list[str]) -> str | None:
        """The first of `values` that `environment` cannot take: each is unique within a base connection."""
        taken = {
            value
            for other in self.connection_environments_of(environment.base_connection_id)
            if other.id != environment.id
            for value in other.user_attribute_values
        }
        for value in values:
            if value in taken:
                return value
            taken.add(value)
        return None

    def set_values(self, environment: ConnectionEnvironment, values: list[str]) -> None:
        """Say which user attribute values choose this connection environment."""
        self.connection_environments[environment.id] = replace(environment, user_attribute_values=tuple(values))
