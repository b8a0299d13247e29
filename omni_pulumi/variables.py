"""The variables of a dbt environment: who manages each one, and what an update sends.

A name has exactly one kind, the first one that applies:

1. declared: the program sets it, in ``variables`` or ``secret_variables``.
2. unmanaged: ``unmanaged_variables`` lists it. Updates keep it.
3. retained: the program dropped it and Omni kept it. Updates leave it out.
4. unknown: neither the program nor the state has it. Updates keep it and warn.

Omni may delete a variable that an update leaves out, and it never returns the value of a secret. To keep a variable, an
update sends it back: a secret with its ID and without a value, a plain variable with its value.
"""

from __future__ import annotations

import enum
import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pydantic

from omni_pulumi.api.omni.models import Variable, VariableBody

SET_IN_OMNI = pydantic.SecretStr("(set in Omni)")
"""Replaces the value of a secret that the program did not set. Omni never returns one."""

WAS_SECRET = "(was secret)"  # noqa: S105 - a placeholder
"""Replaces the value of a secret that became a plain variable in Omni, so that the value stays hidden."""

_GLOB_CHARACTERS = frozenset("*?[")


class Declared(Protocol):
    """The variables of a program, or those in the state."""

    @property
    def variables(self) -> Mapping[str, str]:
        """Values of plain variables, by name."""

    @property
    def secret_variables(self) -> Mapping[str, pydantic.SecretStr]:
        """Values of secret variables, by name."""

    @property
    def unmanaged_variables(self) -> Sequence[str] | None:
        """Names and globs of variables that are managed elsewhere."""


class Stored(Declared, Protocol):
    """The variables in the state."""

    @property
    def retained_variables(self) -> Sequence[str]:
        """Names of the variables that the program dropped and Omni kept."""


@dataclass(frozen=True)
class VariableUpdate:
    """What an update sends.

    Attributes:
        bodies: the variables of the request.
        unknown: names that neither the program nor the state has. The update keeps them.
        no_longer_unmanaged: names that ``unmanaged_variables`` no longer lists. The update keeps them.
        missing: names that Omni no longer has, and whose values only Omni knew. They cannot be sent.
    """

    bodies: list[VariableBody]
    unknown: list[str]
    no_longer_unmanaged: list[str]
    missing: list[str]

    @property
    def kept(self) -> set[str]:
        """Names that the update keeps and the program does not list. Only a refresh puts them into the state."""
        return {*self.unknown, *self.no_longer_unmanaged}


def is_unmanaged(name: str, declared: Declared | None) -> bool:
    """Return whether ``unmanaged_variables`` lists a name."""
    patterns = (declared.unmanaged_variables or ()) if declared is not None else ()
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def is_glob(pattern: str) -> bool:
    """Return whether an item of ``unmanaged_variables`` is a glob, and not a name."""
    return not _GLOB_CHARACTERS.isdisjoint(pattern)


def declared_names(declared: Declared) -> set[str]:
    """Return the names of the variables that a program declares or the state has."""
    return {*declared.variables, *declared.secret_variables}


def placeholders(declared: Declared) -> set[str]:
    """Return the names whose value is a placeholder. ``ignore_changes`` passes placeholders of the state as inputs."""
    secrets = {name for name, value in declared.secret_variables.items() if value == SET_IN_OMNI}
    return secrets | {name for name, value in declared.variables.items() if value == WAS_SECRET}


def undeclared(declared: Declared, found: Iterable[Variable]) -> list[str]:
    """Return the variables that adopting an environment would delete: neither declared nor unmanaged."""
    names = declared_names(declared)
    return sorted(
        f"{variable.name} (secret)" if variable.is_secret else variable.name
        for variable in found
        if variable.name not in names and not is_unmanaged(variable.name, declared)
    )


def plan_update(declared: Declared, found: Sequence[Variable], known: Stored | None) -> VariableUpdate:
    """Return what an update sends to an environment that has the variables ``found``.

    Args:
        declared: what the program declares.
        found: what Omni has.
        known: what the state has, ``None`` when the environment is created or adopted.
    """
    present = {variable.name: variable for variable in found}
    names, not_sent = declared_names(declared), placeholders(declared)
    secrets = {name: value.get_secret_value() for name, value in declared.secret_variables.items()}
    bodies = [
        VariableBody.of(present[name].id if name in present else None, name, value, is_secret=name in secrets)
        for name, value in {**declared.variables, **secrets}.items()
        if name not in not_sent
    ]
    bodies += [_unchanged(present[name]) for name in sorted(not_sent) if name in present]
    undeclared_kinds = {name: _undeclared_kind(name, declared, known) for name in present if name not in names}
    bodies += [_unchanged(present[name]) for name, kind in undeclared_kinds.items() if kind is not _Kind.RETAINED]
    return VariableUpdate(
        bodies,
        unknown=[name for name, kind in undeclared_kinds.items() if kind is _Kind.UNKNOWN],
        no_longer_unmanaged=[name for name, kind in undeclared_kinds.items() if kind is _Kind.NO_LONGER_UNMANAGED],
        missing=sorted(not_sent - present.keys()),
    )


class _Kind(enum.Enum):
    """Why an update keeps a variable that the program does not declare, or does not keep it."""

    UNMANAGED = enum.auto()
    RETAINED = enum.auto()
    NO_LONGER_UNMANAGED = enum.auto()
    UNKNOWN = enum.auto()


def _undeclared_kind(name: str, declared: Declared, known: Stored | None) -> _Kind:
    if is_unmanaged(name, declared):
        return _Kind.UNMANAGED
    if known is not None and name in {*declared_names(known), *known.retained_variables}:
        return _Kind.RETAINED
    return _Kind.NO_LONGER_UNMANAGED if is_unmanaged(name, known) else _Kind.UNKNOWN


def _unchanged(variable: Variable) -> VariableBody:
    """Send no value if Omni returned none, because it would replace the value in Omni."""
    if variable.is_secret or variable.value is None:
        return VariableBody(id=variable.id, is_secret=variable.is_secret)
    return VariableBody(id=variable.id, value=variable.value, is_secret=False)


def merge_variables(known: Stored, found: Iterable[Variable]) -> dict[str, object]:
    """Return the fields of the state that contain variables, after a read.

    Args:
        known: what the state had.
        found: what Omni has.
    """
    declared = declared_names(known)
    plain: dict[str, str] = {}
    secret: dict[str, pydantic.SecretStr] = {}
    retained: list[str] = []
    for variable in found:
        name = variable.name
        if name not in declared and name in known.retained_variables:
            retained.append(name)
        elif name not in declared and is_unmanaged(name, known):
            continue
        elif variable.is_secret:
            secret[name] = known.secret_variables.get(name, SET_IN_OMNI)
        elif name in known.secret_variables or known.variables.get(name) == WAS_SECRET:
            plain[name] = WAS_SECRET
        else:
            plain[name] = variable.value or ""
    return {"variables": plain, "secret_variables": secret, "retained_variables": retained}
