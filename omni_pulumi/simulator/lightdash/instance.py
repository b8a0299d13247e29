"""What the local Lightdash stores: two projects and their additional dbt sources, secrets included."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import Any

PROJECT_ID = "3f6d1c58-92ab-4e07-8c41-d0b7e5a9f001"
OTHER_PROJECT_ID = "3f6d1c58-92ab-4e07-8c41-d0b7e5a9f002"


@dataclass(frozen=True)
class Source:
    """An additional dbt source of a project.

    `connection` is None once the stored one can no longer be decrypted, as when an operator changes Lightdash's secret.
    """

    id: str
    project_id: str
    name: str
    precedence: int
    connection: dict[str, Any] | None


class NameTakenError(ValueError):
    """A project has a dbt source of this name already."""


@dataclass
class Instance:
    """Everything that the local Lightdash stores."""

    primary_connections: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {
            PROJECT_ID: {"type": "github", "repository": "example/dbt", "branch": "main", "project_sub_path": "/"},
            OTHER_PROJECT_ID: {"type": "none"},
        }
    )
    sources: dict[str, Source] = field(default_factory=dict)

    def sources_of(self, project_id: str) -> list[Source]:
        """A project's additional sources in the order in which dbt merges them."""
        found = [source for source in self.sources.values() if source.project_id == project_id]
        return sorted(found, key=lambda source: (source.precedence, source.name))

    def add(self, project_id: str, name: str, connection: dict[str, Any]) -> Source:
        """Create a source behind all others. A gap that a deletion left is not filled."""
        self._refuse_taken(project_id, name)
        highest = max((source.precedence for source in self.sources_of(project_id)), default=0)
        created = Source(str(uuid.uuid4()), project_id, name, highest + 1, connection)
        self.sources[created.id] = created
        return created

    def edit(self, source: Source, **fields: Any) -> Source:
        """Change a source's name or connection."""
        edited = replace(source, **fields)
        if edited.name != source.name:
            self._refuse_taken(edited.project_id, edited.name)
        self.sources[edited.id] = edited
        return edited

    def _refuse_taken(self, project_id: str, name: str) -> None:
        """Names are unique within a project, to the letter and its case. The primary's shown name is not one."""
        if any(source.name == name for source in self.sources_of(project_id)):
            raise NameTakenError(f'A dbt source named "{name}" already exists on this project')
