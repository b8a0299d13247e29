"""The local Omni: its API on a port, and what one would otherwise do in its web page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from omni_pulumi.simulator.exchange import Service
from omni_pulumi.simulator.omni import organization as stored
from omni_pulumi.simulator.omni.app import omni_app, refusal
from omni_pulumi.simulator.omni.call import API_KEY, PERSONAL_ACCESS_TOKEN, VIEWER_TOKEN
from omni_pulumi.simulator.omni.dialect import PAGES, Dialect
from omni_pulumi.simulator.server import Simulator
from omni_pulumi.simulator.store import Store

if TYPE_CHECKING:
    from omni_pulumi.simulator.recording import RecordedRequest

_CONFIGURATION = stored.DbtConfiguration(
    ssh_url="git@github.com:example/dbt.git", branch="main", autogen_relationships=False, enable_virtual_schemas=False
)


class OmniSimulator(Simulator[stored.Organization]):
    """A local Omni with one organization.

    The methods below act behind the API, as somebody in Omni's web page would. They take and return plain values under
    the API's names in Python's spelling, may be called while requests are served, and raise KeyError for what does not
    exist.

    Args:
        dialect: the reading of Omni's contradicting sources.
        port: where to listen; 0 takes a free port.
        page_size_limit: the largest page of a paged list, whatever was asked for.
        requests_per_minute: how many requests a key may make, 60 in Omni's cloud; None for any number.
        on_request: called with each request, in the server's thread.

    Attributes:
        api_key: an Organization API key.
        personal_access_token: a token of `user_id`, who is Connection Admin.
        viewer_token: a token that may list environments and nothing else.
        user_id, other_user_id: the members of the organization.
        connection_id, other_connection_id, staging_connection_id, development_connection_id: of one kind of database.
        other_dialect_connection_id: of another kind of database.
        connection_without_dbt_id: of a kind of database that dbt does not support.
    """

    api_key = API_KEY
    personal_access_token = PERSONAL_ACCESS_TOKEN
    viewer_token = VIEWER_TOKEN
    user_id = stored.USER_ID
    other_user_id = stored.OTHER_USER_ID
    connection_id = stored.CONNECTION_ID
    other_connection_id = stored.OTHER_CONNECTION_ID
    staging_connection_id = stored.STAGING_CONNECTION_ID
    development_connection_id = stored.DEVELOPMENT_CONNECTION_ID
    other_dialect_connection_id = stored.OTHER_DIALECT_CONNECTION_ID
    connection_without_dbt_id = stored.CONNECTION_WITHOUT_DBT_ID

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
        store = Store(stored.Organization)
        service = Service(
            app=omni_app(lambda: store.current, store.lock, dialect, page_size_limit),
            past=omni_app(lambda: store.past, store.lock, dialect, page_size_limit),
            store=store,
            refusal=lambda path, status: refusal(path, status, dialect),
        )
        super().__init__(service, port=port, requests_per_minute=requests_per_minute, on_request=on_request)

    @property
    def _organization(self) -> stored.Organization:
        return self._store.current

    @property
    def key_rotations(self) -> dict[str, int]:
        """How often the deploy key of each connection was replaced."""
        with self._lock:
            return dict(self._organization.key_rotations)

    def dbt_configuration(self, connection_id: str) -> dict[str, Any] | None:
        """A connection's dbt configuration, or None without one."""
        with self._lock:
            configuration = self._organization.connections[connection_id].dbt
            return asdict(configuration) if configuration else None

    def configure_dbt(self, connection_id: str, **fields: Any) -> None:
        """Link dbt, or change some fields of the link. The first time, the default environment comes with it."""
        with self._lock:
            current = self._organization.connections[connection_id].dbt or _CONFIGURATION
            self._organization.configure_dbt(connection_id, replace(current, **fields))

    def unlink_dbt(self, connection_id: str) -> None:
        """Remove a connection's dbt configuration."""
        with self._lock:
            if self._organization.connections[connection_id].dbt is None:
                raise KeyError(connection_id)
            self._organization.connections[connection_id].dbt = None

    def environments(self, connection_id: str) -> list[dict[str, Any]]:
        """A connection's dbt environments, oldest first, with the values of secrets."""
        with self._lock:
            connection = self._organization.connections[connection_id]
            environments = self._organization.environments_of(connection.id)
            return [asdict(each) | {"variables": [asdict(item) for item in each.variables]} for each in environments]

    def add_environment(self, connection_id: str, *, name: str, target_schema: str, **fields: Any) -> str:
        """Create a dbt environment and return its id. `fields`: owner_id, target_database, target_name, target_role."""
        with self._lock:
            environment = stored.DbtEnvironment(
                id=stored.new_id(),
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
        """Create a variable of a dbt environment, or change it under its id."""
        with self._lock:
            environment = self._organization.environments[environment_id]
            variables = {variable.name: variable for variable in environment.variables}
            known = variables.get(name)
            variables[name] = stored.Variable(known.id if known else stored.new_id(), name, value, is_secret)
            self._organization.store(replace(environment, variables=tuple(variables.values())))

    def remove_variable(self, environment_id: str, name: str) -> None:
        """Delete a variable of a dbt environment."""
        with self._lock:
            environment = self._organization.environments[environment_id]
            variables = {variable.name: variable for variable in environment.variables}
            del variables[name]
            self._organization.store(replace(environment, variables=tuple(variables.values())))

    def connection_environments(self) -> list[dict[str, Any]]:
        """All connection environments, oldest first."""
        with self._lock:
            environments = self._organization.connection_environments.values()
            return [asdict(each) | {"user_attribute_values": list(each.user_attribute_values)} for each in environments]

    def add_connection_environment(self, base: str, environment: str, values: Sequence[str] = ()) -> str:
        """Let the connection `environment` stand in for the connection `base`; returns the association's id."""
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
