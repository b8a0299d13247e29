"""The Lightdash simulator: the API on a local port, and methods for changes in the Lightdash UI."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from omni_pulumi.simulator.forms import StoredForm, as_sent
from omni_pulumi.simulator.lightdash import request
from omni_pulumi.simulator.lightdash.app import lightdash_app
from omni_pulumi.simulator.lightdash.instance import OTHER_PROJECT_ID, PROJECT_ID, Instance
from omni_pulumi.simulator.lightdash.version import Version
from omni_pulumi.simulator.request_context import Service
from omni_pulumi.simulator.server import Simulator
from omni_pulumi.simulator.store import Store

if TYPE_CHECKING:
    from omni_pulumi.simulator.recorder import RecordedRequest


class LightdashSimulator(Simulator[Instance]):
    """Simulates Lightdash with two projects.

    It does not simulate form-encoded bodies, other charsets than UTF-8, and content encodings such as gzip.

    The methods change data without the API, as a user of the Lightdash UI would. They are thread-safe and raise
    KeyError for IDs that do not exist.

    Args:
        version: the version of Lightdash, one of `LIGHTDASH_VERSIONS`. 1.237.0 rejects some names of environment
            variables and shows the variables to admins only.
        stored_form: returns the form in which Lightdash stores a text of a connection that a request contains. Secrets
            and the type stay as sent.
        port: the port to listen on; 0 chooses a free port.
        on_request: called with each request, in the server's thread.

    Attributes:
        version: the version of Lightdash.
        api_key: a personal access token of an admin.
        developer_token, viewer_token: tokens with read access.
        member_token: a token without access to the projects.
        expired_token: an expired token.
        project_id: a project whose primary source is on GitHub.
        other_project_id: a project whose primary source is of type `none`.
    """

    api_key = request.API_KEY
    developer_token = request.DEVELOPER_TOKEN
    viewer_token = request.VIEWER_TOKEN
    member_token = request.MEMBER_TOKEN
    expired_token = request.EXPIRED_TOKEN
    project_id = PROJECT_ID
    other_project_id = OTHER_PROJECT_ID

    def __init__(
        self,
        *,
        version: Version = "0.3277.1",
        stored_form: StoredForm = as_sent,
        port: int = 0,
        on_request: Callable[[RecordedRequest], None] | None = None,
    ) -> None:
        self.version = version
        store = Store(Instance)
        service = Service(
            app=lightdash_app(lambda: store.current, store.lock, version, stored_form),
            previous_app=lightdash_app(lambda: store.previous, store.lock, version, stored_form),
            store=store,
            error_response=lambda _, status: request.error_with_status(status).response(),
        )
        super().__init__(service, port=port, on_request=on_request)

    @property
    def _instance(self) -> Instance:
        return self._store.current

    def _response_headers(self) -> list[tuple[str, str]]:
        return [("Lightdash-Version", self.version)]

    def add_project(self, name: str, *, is_preview: bool = False) -> str:
        """Creates a project without additional dbt sources and returns its ID."""
        with self._lock:
            return self._instance.add_project(name, is_preview=is_preview)

    def sources(self, project_id: str) -> list[dict[str, Any]]:
        """Return the additional dbt sources of a project by precedence, with their connections including secrets.

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
        """Create a dbt source and return its ID.

        Raises:
            ValueError: The project already has a dbt source with this name.
        """
        with self._lock:
            self._instance.primary_connections[project_id]
            return self._instance.add(project_id, name, copy.deepcopy(connection)).id

    def edit_source(self, source_id: str, *, name: str | None = None, connection: dict[str, Any] | None = None) -> None:
        """Change a dbt source.

        A connection with a `type` replaces the stored one. A connection without a `type` is merged into it.
        """
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
        """Make a stored connection undecryptable, as after a change of Lightdash's encryption secret."""
        with self._lock:
            self._instance.edit(self._instance.sources[source_id], connection=None)
