"""The dbt environments of one connection. Omni returns them only in a list, which may lack a recent change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from omni_pulumi.api.omni.models import DbtEnvironment, DbtEnvironmentBody, ListedDbtEnvironment
from omni_pulumi.api.retry import poll

if TYPE_CHECKING:
    from omni_pulumi.api.omni.client import OmniClient


class DbtEnvironments:
    """Finds, creates and updates the dbt environments of one connection."""

    def __init__(self, client: OmniClient, connection_id: str) -> None:
        """Send no request yet."""
        self._client = client
        self._connection_id = connection_id

    def cached(self) -> Sequence[ListedDbtEnvironment]:
        """Return the environments of a list that may be 5 seconds old."""
        return self._client.list_dbt_environments(self._connection_id)

    def current(self) -> Sequence[ListedDbtEnvironment]:
        """Read the list."""
        return self._client.list_dbt_environments(self._connection_id, use_cache=False)

    def find(self, environment_id: str) -> ListedDbtEnvironment | None:
        """Return an environment of a list that may be 5 seconds old, or of a new list. ``None``: it is deleted."""
        return find_by_id(self.cached(), environment_id) or self.poll(environment_id)

    def poll(self, environment_id: str) -> ListedDbtEnvironment | None:
        """Read the list until it has an environment. ``None``: it is deleted."""
        return poll(lambda: find_by_id(self.current(), environment_id))

    def poll_name(self, name: str, owner_id: str | None) -> ListedDbtEnvironment | None:
        """Read the list until it has an environment with a name and an owner. ``None``: there is none."""
        return poll(lambda: find_by_name(self.current(), name, owner_id))

    def create(self, body: DbtEnvironmentBody) -> DbtEnvironment:
        """Create an environment, and return the response."""
        return self._client.create_dbt_environment(self._connection_id, body)

    def update(self, environment_id: str, body: DbtEnvironmentBody) -> DbtEnvironment:
        """Write a whole environment, and return the response."""
        return self._client.update_dbt_environment(self._connection_id, environment_id, body)


def find_by_id(environments: Sequence[ListedDbtEnvironment], environment_id: str) -> ListedDbtEnvironment | None:
    """Return the environment with an ID."""
    return next((each for each in environments if each.id == environment_id), None)


def find_by_name(
    environments: Sequence[ListedDbtEnvironment], name: str, owner_id: str | None
) -> ListedDbtEnvironment | None:
    """Return the first environment with a name and an owner. Omni accepts a name twice."""
    return next((each for each in environments if each.name == name and each.owner_id == owner_id), None)
