"""The objects of both services as parts such as `variables.A`, and what a write may change in them.

A part is the smallest unit that a program, or a change outside Pulumi, can set. One rule for writes applies to each
kind of object: see :func:`unexpected_changes`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from omni_pulumi.simulator.forms import StoredForm

Parts = dict[str, object]
"""Values by path. The value of a variable or a token is a pair: the value, and whether it is secret."""

Objects = dict[str, Parts]
"""The parts of objects, by the ID of the object."""

PLACEHOLDERS = {"(set in Omni)", "(was secret)"}
"""Values that a refresh puts into the state in place of a secret."""

_AS_SENT = {"name", "dbt_version", "dbtVersion", "type", "adopt", "personalAccessToken", "secretVariables"}
"""Parts and properties of which a service stores no other form."""


def value_parts(values: list[str]) -> Parts:
    """Return a part for each value of a list."""
    return {f"values.{value}": True for value in values}


def stored_parts(parts: Parts, form: StoredForm) -> Parts:
    """Return declared parts in the form in which the service stores them."""
    return {path: value if path in _AS_SENT else _stored(value, form) for path, value in parts.items()}


def _stored(value: object, form: StoredForm) -> object:
    match value:
        case str():
            return form(value)
        case (str() as plain, False):
            return form(plain), False
    return value


def stored_properties(properties: Any, form: StoredForm) -> Any:
    """Return a program's properties with the texts in the form in which the service stores them."""
    if isinstance(properties, dict):
        return {
            key: value if key in _AS_SENT or key.endswith("Trigger") else stored_properties(value, form)
            for key, value in properties.items()
        }
    return form(properties) if isinstance(properties, str) else properties


def is_placeholder(value: object) -> bool:
    """Return whether the value of a part is a placeholder."""
    return isinstance(value, tuple) and value[0] in PLACEHOLDERS


def unexpected_changes(
    before: Parts,
    after: Parts,
    *,
    program: Parts,
    removable: Collection[str] = (),
    recent: Mapping[str, Collection[object]] | None = None,
) -> dict[str, tuple[object, object]]:
    """Return the parts that a write must not change in this way, with their values before and after it.

    Args:
        before: the object before the write.
        after: the object after the write.
        program: what the program declares. A placeholder keeps the service's value.
        removable: the paths that a write may remove unless the program declares them.
        recent: earlier values of parts on which the write may rely, ``None`` for a part that did not exist.
    """
    found = {}
    for path in {*before, *after}:
        value, now = before.get(path), after.get(path)
        allowed: list[object] = [value, *((recent or {}).get(path, ()))]
        if path in program:
            allowed += [] if is_placeholder(program[path]) else [program[path]]
        elif path in removable:
            allowed.append(None)
        if now not in allowed:
            found[path] = (value, now)
    return found
