"""What differs between an object and the program, by property path such as ``variables.DBT_TARGET``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pydantic
from pydantic.alias_generators import to_camel

from omni_pulumi.fields import Args, State, own_fields
from omni_pulumi.redact import mask_urls

_VARIABLE = re.compile(r"(^|\.)(variables|environment)\.")


def changed_paths(state: State, args: Args) -> tuple[str, ...]:
    """Return the paths of the properties in which the program differs from the state. ``adopt`` is not compared."""
    return tuple(_changed_leaves(state, args))


def changed_fields(state: State, args: Args) -> list[str]:
    """Return the names of the resource's own arguments in which the program differs from the state."""
    changed = {path.partition(".")[0] for path in _changed_leaves(state, args)}
    return [name for name in own_fields(type(args)) if to_camel(name) in changed]


def changed_secrets(state: State, args: Args) -> list[str]:
    """Return the paths of secrets whose value changes. A secret that is unknown in a preview is not among them."""
    return [
        path
        for path, (before, after) in _changed_leaves(state, args).items()
        if isinstance(before, pydantic.SecretStr) and isinstance(after, pydantic.SecretStr)
    ]


def written_secrets(state: State, args: Args) -> list[str]:
    """Return the paths of the secrets that an adoption writes. No service returns a secret, so it writes all."""
    return [
        path for path, (_before, after) in _changed_leaves(state, args).items() if isinstance(after, pydantic.SecretStr)
    ]


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
    """Return values of a list as property paths, such as ``userAttributeValues "staging"``."""
    return [f'{name} "{value}"' for value in values]


def describe_changes(state: State, args: Args, *, verb: str) -> list[str]:
    """Return the properties that change, with the values that the service has: ``branch (now "main")``.

    The values of the program are left out, because any of them may be a secret and Pulumi does not tell a provider
    which ones are. The values of variables are left out too.

    Args:
        state: what the service has.
        args: what the program declares.
        verb: ``now`` before the change, ``was`` after it.
    """
    secrets = written_secrets(state, args)
    changes = []
    for path, (before, after) in _changed_leaves(state, args).items():
        if after is None:
            continue
        if path in secrets:
            changes.append(f"{path} written")
        else:
            changes.append(path if _VARIABLE.search(path) else f"{path} ({verb} {_shown(before)})")
    return changes


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
        items = {to_camel(name): getattr(value, name) for name in type(value).model_fields}
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
        return f'"{mask_urls(value)}"'
    return str(value).lower() if isinstance(value, bool) else str(value)
