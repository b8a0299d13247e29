"""Changes outside Pulumi, and when they happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.stateful.kind import Services
from tests.stateful.kinds import KINDS, added_by_services, objects
from tests.stateful.parts import Parts


class Clock:
    """The clock that determines the age of the providers' lists. It stands still until a test advances it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Change:
    """A part that changed outside Pulumi.

    Attributes:
        object_id: ID of the object.
        path: path of the part.
        before: its value before the change, ``None`` if it did not exist.
        at: the time of the change.
        command: number of the `pulumi` command that started last.
    """

    object_id: str
    path: str
    before: object
    at: float
    command: int


class Outside:
    """A user of the Omni UI and the Lightdash UI.

    Attributes:
        owned: IDs of the objects that the user created and no resource has adopted.
        changes: all changes so far.
        command: number of the `pulumi` command that started last.
    """

    def __init__(self, services: Services, clock: Clock) -> None:
        self._services, self._clock = services, clock
        self.owned: set[str] = set()
        self.changes: list[Change] = []
        self.command = 0

    def possible(self) -> dict[str, Callable[[], object]]:
        """Return the possible changes by description. It begins with the ID of the object if there is one."""
        possible: dict[str, Callable[[], object]] = {"nothing": lambda: None}
        for kind in KINDS:
            possible |= kind.outside_changes(self._services, len(self.changes))
        return possible

    def change(self, number: int, object_id: str | None) -> tuple[str, list[Change]]:
        """Make one of the possible changes. Return its description and the parts that changed.

        Args:
            number: selects the change.
            object_id: the object to change. If it is ``None`` or does not exist, ``number`` selects the object too.
        """
        possible = self.possible()
        targets = sorted({_target(name) for name in possible})
        target = object_id if object_id in targets else targets[number % len(targets)]
        descriptions = sorted(name for name in possible if _target(name) == target)
        name = descriptions[number // len(targets) % len(descriptions)]
        before = objects(self._services)
        possible[name]()
        after = objects(self._services)
        self.owned |= after.keys() - before.keys() - added_by_services(self._services)
        self.owned &= after.keys()
        changes = [
            change
            for object_id in {*before, *after}
            for change in self._changes(object_id, before.get(object_id, {}), after.get(object_id, {}))
        ]
        self.changes += changes
        return name, changes

    def _changes(self, object_id: str, before: Parts, after: Parts) -> list[Change]:
        return [
            Change(object_id, path, before.get(path), self._clock(), self.command)
            for path in {*before, *after}
            if before.get(path) != after.get(path)
        ]


def _target(name: str) -> str:
    """Return what a change is about: the ID of an object, or the whole description without one."""
    return name.partition(": ")[0]
