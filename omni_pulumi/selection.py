"""Which connections and projects a command reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from omni_pulumi.redact import display

ServiceName = Literal["omni", "lightdash"]


@dataclass(frozen=True)
class Parent:
    """The connection or project that an object belongs to."""

    service: ServiceName
    id: str
    name: str

    def is_named(self, text: str) -> bool:
        """Return whether a text is its name or ID."""
        return text == self.name or text.lower() == self.id.lower()

    def __str__(self) -> str:
        return f'{"connection" if self.service == "omni" else "project"} "{display(self.name) or self.id}"'


@dataclass(frozen=True)
class Selection:
    """Which connections and projects are read.

    Attributes:
        connections: names or IDs of connections, all when empty.
        projects: names or UUIDs of projects, all when empty.
        profile: profile of the instances.
    """

    connections: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    profile: str | None = None

    def services(self, only: ServiceName | None) -> list[ServiceName]:
        """Return the services that have what is selected. A named connection or project excludes the other service.

        Args:
            only: the only service to return, ``None`` for both.
        """
        names: list[ServiceName] = ["omni", "lightdash"] if only is None else [only]
        excluded = {
            *({"omni"} if self.projects and not self.connections else ()),
            *({"lightdash"} if self.connections and not self.projects else ()),
        }
        return [name for name in names if name not in excluded]


def missing_parents(parents: list[Parent], wanted: tuple[str, ...], *, word: str) -> list[str]:
    """Return a sentence for each connection or project that is wanted and does not exist.

    Args:
        parents: what the key sees.
        wanted: names or IDs.
        word: what they are.
    """
    names = ", ".join(sorted(f'"{display(parent.name)}"' for parent in parents)) or "none"
    missing = [text for text in wanted if not any(parent.is_named(text) for parent in parents)]
    return [f'There is no {word} "{text}". The key sees: {names}.' for text in missing]
