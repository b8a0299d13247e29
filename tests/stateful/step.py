"""One step of a `pulumi` command, and the objects of both services before and after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from omni_pulumi.errors import AlreadyExistsError, ConfigurationError, Error, NothingToAdoptError
from omni_pulumi.simulator.forms import StoredForm
from tests.servicer import Resource
from tests.stateful.kind import Kind
from tests.stateful.kinds import identity
from tests.stateful.parts import Objects, Parts, stored_parts
from tests.stateful.programs import kind_of


@dataclass(frozen=True)
class Step:
    """What a `pulumi` command does with one resource.

    Attributes:
        name: the name of the resource in the program.
        inputs: its inputs in the program, or in the state where `ignore_changes` names them.
        resource: the resource in the state before the step.
        result: what was done, such as `create`, `same`, `deleted` or `failed`.
        failure: why the step failed, ``None`` if it succeeded.
        before: the objects of both services before the step.
        after: the objects of both services after the step.
    """

    name: str
    inputs: Mapping[str, Any]
    resource: Resource | None
    result: str
    failure: Failure | None
    before: Objects
    after: Objects
    form: StoredForm

    @property
    def kind(self) -> Kind:
        return kind_of(self.name)

    @property
    def declared(self) -> Parts:
        return stored_parts(self.kind.declared(self.inputs), self.form)

    def is_unmanaged(self, path: str) -> bool:
        """Return whether the program lists a part as unmanaged."""
        return self.kind.is_unmanaged(path, self.inputs)

    @property
    def adoptable(self) -> set[str]:
        """IDs of the objects that a create finds and may adopt."""
        wanted = self.kind.identity_of(self.declared)
        return {id_ for id_, parts in self.before.items() if identity(parts) == wanted}

    @property
    def is_refused(self) -> bool:
        """Whether the provider rejected the step before any write."""
        if self.failure is None:
            return False
        refusals = (AlreadyExistsError, NothingToAdoptError, ConfigurationError)
        return self.failure.error is None or isinstance(self.failure.error, refusals)


@dataclass(frozen=True)
class Failure:
    """Why a step failed.

    Attributes:
        operation: `refresh`, `up` or `destroy`.
        name: the name of the resource in the program.
        error: the provider's error, ``None`` when validation failed.
        text: what the engine displays.
    """

    operation: str
    name: str
    error: Error | None
    text: str


class History:
    """All values that parts have had. A stale list may have any of them."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, list[object]]] = {}

    def note(self, now: Objects) -> Objects:
        """Record the current values, and return them."""
        for object_id, parts in now.items():
            is_new = object_id not in self._values
            known = self._values.setdefault(object_id, {})
            for path in {*known, *parts}:
                values = known.setdefault(path, [] if is_new else [None])
                if (value := parts.get(path)) not in values:
                    values.append(value)
        return now

    def values(self, object_id: str) -> dict[str, list[object]]:
        """Return all values of each part of an object. ``None`` means that the part did not exist."""
        return self._values.get(object_id, {})
