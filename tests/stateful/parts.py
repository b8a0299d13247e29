"""The objects of both services as parts such as `variables.A`, and what a write may change in them.

A part is the smallest unit that a program, or a change outside Pulumi, can set. One rule for writes applies to each
kind of object: see :func:`unexpected_changes`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

Parts = dict[str, object]
"""Values by path. The value of a variable or a token is a pair: the value, and whether it is secret."""

Objects = dict[str, Parts]
"""The parts of objects, by the ID of the object."""

PLACEHOLDERS = {"(set in Omni)", "(was secret)"}
"""Values that a refresh puts into the state in place of a secret."""


def value_parts(values: list[str]) -> Parts:
    """Return a part for each value of a list."""
    return {f"values.{value}": True for value in values}


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
