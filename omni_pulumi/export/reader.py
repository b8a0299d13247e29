"""What the readers of both services have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from omni_pulumi.export.objects import Inventory, ObjectSelection, Skipped
from omni_pulumi.redact import is_secret
from omni_pulumi.selection import Parent

C = TypeVar("C")

Progress = Callable[[int, int, str], None]
"""Called with the number of connections or projects that were read, that of all, and what is read."""


class Reader(Generic[C]):
    """Read what is selected of one instance.

    Attributes:
        inventory: what was read.
    """

    def __init__(self, client: C, selection: ObjectSelection, progress: Progress) -> None:
        self._client, self._selection, self._progress = client, selection, progress
        self.inventory = Inventory()

    def _each(self, selected: Sequence[Parent]) -> Iterator[Parent]:
        """Yield connections or projects by name, and show the progress. Skip those whose name looks like a secret."""
        ordered = sorted(selected, key=lambda parent: (parent.name.casefold(), parent.id))
        for done, parent in enumerate(ordered):
            self._progress(done, len(ordered), str(parent))
            if is_secret(parent.name):
                self._skip_parent(parent, "its name looks like a secret")
            else:
                yield parent

    def _skip_parent(self, parent: Parent, reason: str) -> None:
        self.inventory.skipped.append(Skipped(parent.id, f"{parent} ({parent.id})", reason, objects=0))
