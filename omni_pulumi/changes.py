"""What differs between an object and the program, by path such as ``secret_variables.DBT_TOKEN``.

A program spells a path in snake_case, and Pulumi in camelCase: ``secretVariables.DBT_TOKEN``. The keys of a map are
the same in both.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

import pydantic
from pulumi.output import Unknown
from pydantic.alias_generators import to_snake

from omni_pulumi.fields import Args, State, own_fields
from omni_pulumi.redact import redact

_VARIABLE = re.compile(r"((?:^|\.)(?:variables|secretVariables|environment)\.)(.*)", re.DOTALL)
"""Matches the path of a variable, from the map that has it."""


def program_path(path: str) -> str:
    """Return the path of a property as a program spells it.

    Args:
        path: the path as Pulumi spells it.
    """
    variable = _VARIABLE.search(path)
    if variable is None:
        return to_snake(path)
    return f"{to_snake(path[: variable.start()])}{to_snake(variable[1])}{variable[2]}"


def changed_paths(state: State, args: Args) -> tuple[str, ...]:
    """Return the paths of the arguments in which the program differs from the state. ``adopt`` is not compared."""
    return tuple(map(program_path, _changed_leaves(state, args)))


def changed_fields(state: State, args: Args) -> list[str]:
    """Return the names of the resource's own arguments in which the program differs from the state."""
    changed = {path.partition(".")[0] for path in _changed_leaves(state, args)}
    return [name for name, field in own_fields(type(args)).items() if field.alias in changed]


def known_changes(state: State, args: Args) -> list[str]:
    """Return Pulumi's paths of the arguments that change to a value that is known in a preview."""
    return [path for path, (_, after) in _changed_leaves(state, args).items() if not isinstance(after, Unknown)]


def drifted(known: State, found: State, arguments: Container[str]) -> list[str]:
    """Return Pulumi's paths of the arguments in which an object differs from the state.

    Args:
        known: what the state has.
        found: what the service has.
        arguments: Pulumi's names of the arguments.
    """
    before, after = _leaves("", known), _leaves("", found)
    paths = (path for path in sorted({*before, *after}) if before.get(path) != after.get(path))
    return [path for path in paths if path.partition(".")[0] in arguments]


def undeclared_fields(current: State, args: Args, known: State | None = None) -> dict[str, Any]:
    """Return the optional fields that the service has and neither the program nor the state has.

    A write of the whole object would remove them.

    Args:
        current: what the service has.
        args: what the program declares.
        known: what the state has, ``None`` when the object is not in the state.
    """
    return {
        name: getattr(current, name)
        for name in own_fields(type(args))
        if getattr(args, name) is None
        and (known is None or getattr(known, name) is None)
        and getattr(current, name) is not None
    }


def undeclared_values(current: Sequence[str], declared: Sequence[str], known: Sequence[str] = ()) -> list[str]:
    """Return the values of a list that the service has and neither the program nor the state has."""
    return [value for value in current if value not in {*declared, *known}]


def value_paths(name: str, values: Iterable[str]) -> list[str]:
    """Return values of a list with the name of their argument, such as ``user_attribute_values "staging"``."""
    return [f'{name} "{value}"' for value in values]


def describe_changes(state: State, args: Args, *, verb: str) -> list[str]:
    """Return the arguments that change, with the values that the service has: ``branch (now "main")``.

    The values of the program are left out, because any of them may be a secret and Pulumi does not tell a provider
    which ones are. The values of variables are left out too.

    Args:
        state: what the service has.
        args: what the program declares.
        verb: ``now`` before the change, ``was`` after it.
    """
    changes = []
    for path, (before, after) in _changed_leaves(state, args).items():
        if isinstance(after, pydantic.SecretStr):  # no service returns a secret, so an adoption writes all
            changes.append(f"{program_path(path)} written")
        elif after is not None:
            is_variable = _VARIABLE.search(path)
            changes.append(f"{program_path(path)}{'' if is_variable else f' ({verb} {_shown(before)})'}")
    return changes


def describe_other_forms(state: State, args: Args, service: str) -> list[str]:
    """Return the arguments of which the service has another form than the program, with both values.

    The values of variables are left out, because any of them may be a secret. How they differ is not.

    Args:
        state: what the service has after a write.
        args: what the program declares.
        service: the name of the service.
    """
    found = []
    for path, (stored, sent) in _changed_leaves(state, args).items():
        if isinstance(sent, pydantic.SecretStr) or isinstance(stored, pydantic.SecretStr):
            continue  # no service returns a secret
        values = f"the program has {_shown(sent)}, {service} has {_shown(stored)}"
        if _VARIABLE.search(path):
            values = f"{service} has {_difference(sent, stored)}"
        found.append(f"{program_path(path)} ({values})")
    return found


_FORMS: Mapping[str, Callable[[str], str]] = {
    "another case": str.casefold,
    "other spaces at the ends": str.strip,
    "another Unicode normal form": functools.partial(unicodedata.normalize, "NFC"),
    "another slash at the end": lambda text: text.rstrip("/"),
}
"""How two forms of a text can differ, and what makes them the same."""


def _difference(sent: Any, stored: Any) -> str:
    if not isinstance(sent, str) or not isinstance(stored, str):
        return "no value" if stored is None else "another value"
    return next((name for name, form in _FORMS.items() if form(sent) == form(stored)), "another value")


def _changed_leaves(state: State, args: Args) -> dict[str, tuple[Any, Any]]:
    before, after = _leaves("", state), _leaves("", args)
    arguments = args.property_names() - {"adopt"}
    return {
        path: (before.get(path), after.get(path))
        for path in sorted({*before, *after})
        if path.partition(".")[0] in arguments and before.get(path) != after.get(path)
    }


def _leaves(path: str, value: Any) -> dict[str, Any]:
    """Return the values below a path by their own path, without ``None``."""
    if isinstance(value, pydantic.BaseModel):
        items = {str(field.alias): getattr(value, name) for name, field in type(value).model_fields.items()}
    elif isinstance(value, Mapping):
        items = dict(value)
    else:
        return {} if value is None else {path: value}
    leaves = {}
    for key, item in items.items():
        leaves.update(_leaves(f"{path}.{key}" if path else key, item))
    return leaves


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, pydantic.SecretStr):
        return "[secret]"
    if isinstance(value, str):
        return f'"{redact(value)}"'
    return str(value).lower() if isinstance(value, bool) else str(value)
