"""The data of the Lightdash simulator: two projects and their additional dbt sources, including secrets."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import Any

PROJECT_ID = "3f6d1c58-92ab-4e07-8c41-d0b7e5a9f001"
OTHER_PROJECT_ID = "3f6d1c58-92ab-4e07-8c41-d0b7e5a9f002"


@dataclass(frozen=True)
class Source:
    """An additional dbt source of a project.

    `connection` is None if Lightdash can no longer decrypt it, for example after its encryption secret was changed.
    """

    id: str
    project_id: str
    name: str
    precedence: int
    connection: dict[str, Any] | None


class NameTakenError(ValueError):
    """The project already has a dbt source with this name."""


@dataclass
class Instance:
    """All data of the Lightdash simulator."""

    primary_connections: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {
            PROJECT_ID: {"type": "github", "repository": "example/dbt", "branch": "main", "project_sub_path": "/"},
            OTHER_PROJECT_ID: {"type": "none"},
        }
    )
    project_names: dict[str, str] = field(
        default_factory=lambda: {PROJECT_ID: "Jaffle shop", OTHER_PROJECT_ID: "Finance"}
    )
    preview_projects: set[str] = field(default_factory=set)
    sources: dict[str, Source] = field(default_factory=dict)

    def add_project(self, name: str, *, is_preview: bool) -> str:
        """Creates a project whose primary source is of type `none`."""
        project_id = str(uuid.uuid4())
        self.primary_connections[project_id] = {"type": "none"}
        self.project_names[project_id] = name
        if is_preview:
            self.preview_projects.add(project_id)
        return project_id

    def sources_of(self, project_id: str) -> list[Source]:
        """Return the additional sources of a project by precedence, the order in which dbt merges them."""
        found = [source for source in self.sources.values() if source.project_id == project_id]
        return sorted(found, key=lambda source: (source.precedence, source.name))

    def add(self, project_id: str, name: str, connection: dict[str, Any]) -> Source:
        """Create a source with the next precedence. Do not reuse the precedence of a deleted source."""
        self._check_name_is_free(project_id, name)
        highest = max((source.precedence for source in self.sources_of(project_id)), default=0)
        created = Source(str(uuid.uuid4()), project_id, name, highest + 1, connection)
        self.sources[created.id] = created
        return created

    def edit(self, source: Source, **fields: Any) -> Source:
        """Change name or connection of a source."""
        edited = replace(source, **fields)
        if edited.name != source.name:
            self._check_name_is_free(edited.project_id, edited.name)
        self.sources[edited.id] = edited
        return edited

    def _check_name_is_free(self, project_id: str, name: str) -> None:
        """Names are unique within a project and case-sensitive. The name of the primary source is not reserved."""
        if any(source.name == name for source in self.sources_of(project_id)):
            raise NameTakenError(f'A dbt source named "{name}" already exists on this project')
