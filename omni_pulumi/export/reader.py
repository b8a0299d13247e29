"""What the readers of both services have in common."""

from __future__ import annotations

import dataclasses
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

    def _each(self, selected: Sequence[Parent], wanted: Sequence[str]) -> Iterator[Parent]:
        """Yield connections or projects by name, and show the progress.

        One whose name looks like a secret is skipped. If it is wanted by its ID, it is yielded without its name.

        Args:
            selected: what to read.
            wanted: names or IDs in the options.
        """
        ids = {text.lower() for text in wanted}
        ordered = sorted(selected, key=lambda parent: (parent.name.casefold(), parent.id))
        for done, parent in enumerate(ordered):
            self._progress(done, len(ordered), str(parent))
            if not is_secret(parent.name):
                yield parent
            elif parent.id.lower() in ids:
                yield dataclasses.replace(parent, name="")
            else:
                option = "--connection" if parent.service == "omni" else "--project"
                self._skip_parent(parent, f"its name looks like a secret, so select it with {option} {parent.id}")

    def _note_nothing(self, parents: Sequence[Parent], word: str) -> None:
        """Note that the key sees no connection or project at all."""
        if not parents:
            self.inventory.notes.append(
                f"The key sees no {word}. Check that URL and key are those of the instance, and what the key may read."
            )

    def _skip_parent(self, parent: Parent, reason: str) -> None:
        self.inventory.skipped.append(Skipped(parent.id, f"{parent} ({parent.id})", reason))
