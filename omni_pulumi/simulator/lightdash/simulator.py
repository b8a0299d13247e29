"""The local Lightdash: its API on a port, and what one would otherwise do in its web page."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from omni_pulumi.simulator.exchange import Service
from omni_pulumi.simulator.lightdash import call
from omni_pulumi.simulator.lightdash.app import lightdash_app
from omni_pulumi.simulator.lightdash.instance import OTHER_PROJECT_ID, PROJECT_ID, Instance
from omni_pulumi.simulator.server import Simulator
from omni_pulumi.simulator.store import Store

if TYPE_CHECKING:
    from omni_pulumi.simulator.recording import RecordedRequest

Version = Literal["0.3277.1", "1.237.0"]


class LightdashSimulator(Simulator[Instance]):
    """A local Lightdash with two projects.

    The methods below act behind the API, as somebody in Lightdash's web page would. They may be called while requests
    are served, and raise KeyError for what does not exist.

    Args:
        version: which Lightdash to be. 1.237.0 refuses some names of environment variables and shows none of them to
            viewers and developers.
        port: where to listen; 0 takes a free port.
        on_request: called with each request, in the server's thread.

    Attributes:
        api_key: a personal access token of an admin.
        developer_token, viewer_token: tokens that may read.
        member_token: a token without any access to the projects.
        expired_token: a token that is accepted no more.
        project_id: a project whose primary source is on GitHub.
        other_project_id: a project whose primary source is of type `none`.
    """

    api_key = call.API_KEY
    developer_token = call.DEVELOPER_TOKEN
    viewer_token = call.VIEWER_TOKEN
    member_token = call.MEMBER_TOKEN
    expired_token = call.EXPIRED_TOKEN
    project_id = PROJECT_ID
    other_project_id = OTHER_PROJECT_ID

    def __init__(
        self,
        *,
        version: Version = "0.3277.1",
        port: int = 0,
        on_request: Callable[[RecordedRequest], None] | None = None,
    ) -> None:
        self.version = version
        store = Store(Instance)
        service = Service(
            app=lightdash_app(lambda: store.current, store.lock, version),
            past=lightdash_app(lambda: store.past, store.lock, version),
            store=store,
            refusal=lambda _, status: call.refusal(status).answer(),
        )
        super().__init__(service, port=port, on_request=on_request)

    @property
    def _instance(self) -> Instance:
        return self._store.current

    def _response_headers(self) -> list[tuple[str, str]]:
        return [("Lightdash-Version", self.version)]

    def sources(self, project_id: str) -> list[dict[str, Any]]:
        """A project's additional dbt sources by precedence, with the stored connections, secrets included.

        A connection that can no longer be decrypted is None.
        """
        with self._lock:
            self._instance.primary_connections[project_id]
            return [
                {
                    "id": source.id,
                    "project_id": source.project_id,
                    "name": source.name,
                    "precedence": source.precedence,
                    "has_credential_error": source.connection is None,
                    "connection": copy.deepcopy(source.connection),
                }
                for source in self._instance.sources_of(project_id)
            ]

    def add_source(self, project_id: str, name: str, connection: dict[str, Any]) -> str:
        """Create a dbt source and return its id. ValueError when the name is taken."""
        with self._lock:
            self._instance.primary_connections[project_id]
            return self._instance.add(project_id, name, copy.deepcopy(connection)).id

    def edit_source(self, source_id: str, *, name: str | None = None, connection: dict[str, Any] | None = None) -> None:
        """Change a dbt source. A connection with a `type` replaces the stored one, one without changes some fields."""
        with self._lock:
            source = self._instance.sources[source_id]
            fields: dict[str, Any] = {} if name is None else {"name": name}
            if connection is not None:
                kept = {} if "type" in connection else source.connection or {}
                fields["connection"] = kept | copy.deepcopy(connection)
            self._instance.edit(source, **fields)

    def delete_source(self, source_id: str) -> None:
        """Delete a dbt source."""
        with self._lock:
            del self._instance.sources[source_id]

    def break_credentials(self, source_id: str) -> None:
        """Make a stored connection undecryptable, as when an operator changes Lightdash's own secret."""
        with self._lock:
            self._instance.edit(self._instance.sources[source_id], connection=None)
