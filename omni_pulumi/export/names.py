"""Names in the program. They come from display names, and have a suffix only where two would be equal."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from omni_pulumi.export.objects import ATTRIBUTE, CONFIGURATION, CONNECTION_ENVIRONMENT, Found
from omni_pulumi.selection import Parent

_MAX_LENGTH: Final = 60
"""Characters of a name. It is also the name of a file."""

_SUFFIX_LENGTH: Final = 4
"""Characters of an ID that tell equal names apart. More are used if these are equal too."""

_RESERVED = frozenset({*keyword.kwlist, *dir(builtins), "config", "pulumi"})

StateKey = tuple[str, str]
"""Class of the resource, and the object's ID in Pulumi's state."""


def key_of(found: Found) -> StateKey:
    """Return the key of an object."""
    return found.kind.resource, found.id


def slug(text: str, otherwise: str) -> str:
    """Return a display name as a name in a program: ``Staging 3`` becomes ``staging_3``.

    Args:
        text: the display name.
        otherwise: the name if the display name has no letters and digits of ASCII.
    """
    ascii_text = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "_", ascii_text)
    return words.strip("_")[:_MAX_LENGTH].rstrip("_") or otherwise


def identifier(name: str, prefix: str) -> str:
    """Return a slug as a variable of Python, which is no keyword and hides no built-in name."""
    if name[0].isdigit():
        name = f"{prefix}_{name}"
    return f"{name}_" if name in _RESERVED else name


def unique(wanted: Sequence[tuple[str, str]], taken: Collection[str] = ()) -> list[str]:
    """Return names that differ from each other. Equal ones get the end of their ID: ``staging_1f2e``.

    Args:
        wanted: names and IDs.
        taken: names that are in use.
    """
    count = Counter(name for name, _ in wanted)
    used = {*taken, *(name for name, _ in wanted if count[name] == 1)}
    names: list[str] = []
    for name, object_id in wanted:
        if count[name] > 1 or name in taken:
            name = _with_suffix(name, object_id, used)
            used.add(name)
        names.append(name)
    return names


def _with_suffix(name: str, object_id: str, used: Collection[str]) -> str:
    letters = re.sub(r"[^0-9a-z]", "", object_id.lower())
    candidates = (f"{name}_{letters[-length:]}" for length in range(_SUFFIX_LENGTH, len(letters) + 1))
    return next((candidate for candidate in candidates if candidate not in used), f"{name}_{letters}")


def parent_names(parents: Sequence[Parent]) -> dict[str, str]:
    """Return the names of connections or projects by their ID."""
    wanted = [
        (slug(parent.name, "connection" if parent.service == "omni" else "project"), parent.id) for parent in parents
    ]
    return dict(zip((parent.id for parent in parents), unique(wanted), strict=True))


def resource_names(
    found: Sequence[Found],
    parents: Mapping[str, str],
    known: Mapping[StateKey, str],
    taken: Mapping[str, Collection[str]],
) -> dict[StateKey, str]:
    """Return the names of the resources, which begin with the name of the connection or project.

    Args:
        found: the objects.
        parents: names of the connections and projects by ID.
        known: names that an earlier export gave.
        taken: names in use by class of the resource, such as those of a stack.
    """
    names = {key_of(each): known[key_of(each)] for each in found if key_of(each) in known}
    for resource in sorted({each.kind.resource for each in found}):
        new = [each for each in found if each.kind.resource == resource and key_of(each) not in names]
        in_use = {*taken.get(resource, ()), *(name for key, name in names.items() if key[0] == resource)}
        wanted = [(_wanted(each, parents[each.parent.id]), each.id) for each in new]
        names.update(zip(map(key_of, new), unique(wanted, in_use), strict=True))
    return names


def _wanted(found: Found, parent: str) -> str:
    if found.kind in {CONFIGURATION, ATTRIBUTE}:
        return parent
    own = slug(found.name, found.kind.option.replace("-", "_"))
    if found.kind == CONNECTION_ENVIRONMENT and own.startswith(f"{parent}_"):
        return own
    return f"{parent}_{own}"


def config_key(resource_name: str, name: str) -> str:
    """Return the key of a secret in the stack's configuration, such as ``warehouseStagingDbtToken``."""
    first, *words = f"{resource_name}_{slug(name, 'secret')}".split("_")
    return first + "".join(word.capitalize() for word in words)
