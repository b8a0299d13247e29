"""Read which objects a stack manages, from the output of ``pulumi stack export``."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from omni_pulumi.export.names import StateKey
from omni_pulumi.export.objects import KINDS, ExportError


@dataclass(frozen=True)
class Stack:
    """What a stack manages.

    Attributes:
        objects: keys of the objects.
        names: names of the resources by class.
    """

    objects: set[StateKey] = field(default_factory=set)
    names: dict[str, set[str]] = field(default_factory=dict)


def read(text: str, source: str) -> Stack:
    """Return what a stack manages.

    Args:
        text: the output of ``pulumi stack export``.
        source: where it comes from, for messages.

    Raises:
        ExportError: it is something else.
    """
    try:
        document = json.loads(text)
        resources = document["deployment"].get("resources") or []
        entries = [(each["type"], each.get("id", ""), each["urn"].rsplit("::", 1)[-1]) for each in resources]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ExportError(f"{source} is not the output of `pulumi stack export`.") from None
    classes = {kind.type_token: kind.resource for kind in KINDS.values()}
    stack = Stack()
    for type_token, object_id, name in entries:
        if type_token in classes:
            stack.objects.add((classes[type_token], object_id))
            stack.names.setdefault(classes[type_token], set()).add(name)
    return stack
