"""The Omni simulator: the API on a local port, and methods for changes in the Omni UI."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from omni_pulumi.simulator.omni import organization as data
from omni_pulumi.simulator.omni.app import error_response, omni_app
from omni_pulumi.simulator.omni.dialect import PAGES, Dialect
from omni_pulumi.simulator.omni.request import API_KEY, PERSONAL_ACCESS_TOKEN, VIEWER_TOKEN
from omni_pulumi.simulator.request_context import Service
from omni_pulumi.simulator.server import Simulator
from omni_pulumi.simulator.store import Store

if TYPE_CHECKING:
    from omni_pulumi.simulator.recorder import RecordedRequest

_DEFAULT_CONFIGURATION = data.DbtConfiguration(
    ssh_url="git@github.com:example/dbt.git", branch="main", autogen_relationships=False, enable_virtual_schemas=False
)


class OmniSimulator(Simulator[data.Organization]):
    """Simulates Omni with one organization.

    The methods change data without the API, as a user of the Omni UI would. Fields have the API's names in snake case.
    The methods are thread-safe and raise KeyError for IDs and names that do not exist.

    Args:
        dialect: which of Omni's API descriptions to follow where they differ.
        port: the port to listen on; 0 chooses a free port.
        page_size_limit: the largest page size, regardless of the requested one.
        requests_per_minute: rate limit per API key, 60 in Omni's cloud; None for unlimited.
        on_request: called with each request, in the server's thread.

    Attributes:
        api_key: an Organization API key.
        personal_access_token: a token of the user `user_id`, a Connection Admin.
        viewer_token: a token that may only list dbt environments.
        user_id, other_user_id: the members of the organization.
        connection_id, other_connection_id, staging_connection_id, development_connection_id: PostgreSQL connections.
        other_dialect_connection_id: a Snowflake connection.
        connection_without_dbt_id: a DuckDB connection, which does not support dbt.
        user_attributes: the names of the user attributes of the organization.
    """

    api_key = API_KEY
    personal_access_token = PERSONAL_ACCESS_TOKEN
    viewer_token = VIEWER_TOKEN
    user_id = data.USER_ID
    other_user_id = data.OTHER_USER_ID
    connection_id = data.CONNECTION_ID
    other_connection_id = data.OTHER_CONNECTION_ID
    staging_connection_id = data.STAGING_CONNECTION_ID
    development_connection_id = data.DEVELOPMENT_CONNECTION_ID
    other_dialect_connection_id = data.OTHER_DIALECT_CONNECTION_ID
    connection_without_dbt_id = data.CONNECTION_WITHOUT_DBT_ID
    user_attributes = data.USER_ATTRIBUTES

    def __init__(
        self,
        *,
        dialect: Dialect = PAGES,
        port: int = 0,
        page_size_limit: int = 100,
        requests_per_minute: int | None = None,
        on_request: Callable[[RecordedRequest], None] | None = None,
    ) -> None:
        self.dialect = dialect
        store = Store(data.Organization)
        service = Service(
            app=omni_app(lambda: store.current, store.lock, dialect, page_size_limit),
            previous_app=omni_app(lambda: store.previous, store.lock, dialect, page_size_limit),
            store=store,
            error_response=lambda path, status: error_response(path, status, dialect),
        )
        super().__init__(service, port=port, requests_per_minute=requests_per_minute, on_request=on_request)

    @property
    def _organization(self) -> data.Organization:
        return self._store.current

    @property
    def key_rotations(self) -> dict[str, int]:
        """The number of deploy key rotations, by connection ID."""
        with self._lock:
            return dict(self._organization.key_rotations)

    def dbt_configuration(self, connection_id: str) -> dict[str, Any] | None:
        """Return the dbt configuration of a connection, or None."""
        with self._lock:
            configuration = self._organization.connections[connection_id].dbt
            return dict(vars(configuration)) if configuration else None

    def configure_dbt(self, connection_id: str, **fields: Any) -> None:
        """Create the dbt configuration or change some fields. The first time, create the default environment too."""
        with self._lock:
            current = self._organization.connections[connection_id].dbt or _DEFAULT_CONFIGURATION
            self._organization.configure_dbt(connection_id, replace(current, **fields))

    def unlink_dbt(self, connection_id: str) -> None:
        """Remove the dbt configuration of a connection."""
        with self._lock:
            if self._organization.connections[connection_id].dbt is None:
                raise KeyError(connection_id)
            self._organization.connections[connection_id].dbt = None

    def environments(self, connection_id: str) -> list[dict[str, Any]]:
        """Return the dbt environments of a connection, oldest first, including secret values."""
        with self._lock:
            connection = self._organization.connections[connection_id]
            environments = self._organization.environments_of(connection.id)
            return [vars(each) | {"variables": [dict(vars(item)) for item in each.variables]} for each in environments]

    def add_environment(self, connection_id: str, *, name: str, target_schema: str, **fields: Any) -> str:
        """Create a dbt environment and return its ID.

        `fields` can contain owner_id, target_database, target_name and target_role.
        """
        with self._lock:
            environment = data.DbtEnvironment(
                id=data.new_id(),
                connection_id=self._organization.connections[connection_id].id,
                name=name,
                target_schema=target_schema,
                **fields,
            )
            self._organization.store(environment)
            return environment.id

    def edit_environment(self, environment_id: str, **fields: Any) -> None:
        """Change fields of a dbt environment."""
        with self._lock:
            self._organization.store(replace(self._organization.environments[environment_id], **fields))

    def delete_environment(self, environment_id: str) -> None:
        """Delete a dbt environment."""
        with self._lock:
            del self._organization.environments[environment_id]

    def set_variable(self, environment_id: str, name: str, value: str, *, is_secret: bool = False) -> None:
        """Create a variable of a dbt environment, or change it and keep its ID."""
        with self._lock:
            environment = self._organization.environments[environment_id]
            variables = {variable.name: variable for variable in environment.variables}
            existing = variables.get(name)
            variables[name] = data.Variable(existing.id if existing else data.new_id(), name, value, is_secret)
            self._organization.store(replace(environment, variables=tuple(variables.values())))

    def remove_variable(self, environment_id: str, name: str) -> None:
        """Delete a variable of a dbt environment."""
        with self._lock:
            environment = self._organization.environments[environment_id]
            variables = {variable.name: variable for variable in environment.variables}
            del variables[name]
            self._organization.store(replace(environment, variables=tuple(variables.values())))

    def environment_user_attribute(self, connection_id: str) -> dict[str, Any] | None:
        """Return `attribute_name` and `default_values` of a connection's environment user attribute, or None."""
        with self._lock:
            attribute = self._organization.connections[connection_id].environment_user_attribute
            if attribute is None:
                return None
            values = attribute.default_values
            return {
                "attribute_name": attribute.attribute_name,
                "default_values": None if values is None else list(values),
            }

    def set_environment_user_attribute(
        self, connection_id: str, attribute_name: str, default_values: Sequence[str] | None = None
    ) -> None:
        """Set the environment user attribute of a connection."""
        with self._lock:
            values = None if default_values is None else tuple(default_values)
            attribute = data.EnvironmentUserAttribute(attribute_name, values)
            self._organization.connections[connection_id].environment_user_attribute = attribute

    def clear_environment_user_attribute(self, connection_id: str) -> None:
        """Remove the environment user attribute of a connection."""
        with self._lock:
            self._organization.connections[connection_id].environment_user_attribute = None

    def add_connection(self, name: str, *, dialect: str = "postgres", supports_dbt: bool = True) -> str:
        """Creates a connection and returns its ID."""
        with self._lock:
            connection = data.Connection(data.new_id(), name, dialect, supports_dbt)
            self._organization.connections[connection.id] = connection
            return connection.id

    def rename_connection(self, connection_id: str, name: str) -> None:
        """Renames a connection."""
        with self._lock:
            self._organization.connections[connection_id].name = name

    def delete_connection(self, connection_id: str) -> None:
        """Delete a connection, but not its dbt environments and connection environments."""
        with self._lock:
            del self._organization.connections[connection_id]

    def connection_environments(self) -> list[dict[str, Any]]:
        """Return all connection environments, oldest first."""
        with self._lock:
            environments = self._organization.connection_environments.values()
            return [vars(each) | {"user_attribute_values": list(each.user_attribute_values)} for each in environments]

    def add_connection_environment(self, base: str, environment: str, values: Sequence[str] = ()) -> str:
        """Create a connection environment and return its ID.

        Args:
            base: the ID of the base connection.
            environment: the ID of the environment connection.
            values: the user attribute values that select it.
        """
        with self._lock:
            connections = self._organization.connections
            created = self._organization.add_connection_environment(connections[base].id, connections[environment].id)
            self._organization.set_values(created, list(values))
            return created.id

    def edit_connection_environment(self, connection_environment_id: str, values: Sequence[str]) -> None:
        """Replace the user attribute values of a connection environment."""
        with self._lock:
            environment = self._organization.connection_environments[connection_environment_id]
            self._organization.set_values(environment, list(values))

    def delete_connection_environment(self, connection_environment_id: str) -> None:
        """Delete a connection environment, not its connection."""
        with self._lock:
            del self._organization.connection_environments[connection_environment_id]
