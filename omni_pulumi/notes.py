"""Notes that a provider writes to stderr: a sentence for people, followed by data for ``omni-pulumi preview-summary``.

The engine shows what a provider writes to stderr and keeps it in the events of a preview. It cannot say which resource
a line is about, so the data has the resource's ID. It is one JSON object at the end of the same line:

    omni_pulumi: dbt environment "Staging" of connection 7: secret_variables.A has a new value
        {"note": "secret-changes", "id": "7/8", "properties": ["secretVariables.A"]}

A note names properties and never has a value.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

PREFIX = "omni_pulumi: "
"""Begins every line that a provider logs."""

SECRET_CHANGES = "secret-changes"  # noqa: S105 - a kind of note
"""Secret properties have new values. Pulumi does not display such a change."""

_DATA = ' {"note": '
"""Begins the data. JSON escapes the quotes inside a text, so the last match in a line is the beginning."""


@dataclass(frozen=True)
class Note:
    """A sentence, and the facts in it.

    Attributes:
        text: the sentence.
        kind: what the note states, such as :data:`SECRET_CHANGES`; empty for a sentence without data.
        resource_id: the Pulumi ID of the resource.
        properties: paths of the resource's properties, in camelCase as in a preview.
    """

    text: str
    kind: str = ""
    resource_id: str = ""
    properties: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the line without :data:`PREFIX`, which the log handler adds."""
        if not self.kind:
            return self.text
        data = {"note": self.kind, "id": self.resource_id, "properties": self.properties}
        return f"{' '.join(self.text.split())} {json.dumps(data)}"


def secret_changes(description: str, names: Sequence[str], *, resource_id: str, properties: Sequence[str]) -> Note:
    """Return the note that secret properties have new values.

    Args:
        description: the object, such as ``dbt environment "Staging" of connection <id>``.
        names: paths of the properties as a program spells them.
        resource_id: the Pulumi ID of the resource.
        properties: paths of the properties, in camelCase as in a preview.
    """
    verb = "has a new value" if len(names) == 1 else "have new values"
    return Note(f"{description}: {', '.join(names)} {verb}", SECRET_CHANGES, resource_id, tuple(properties))


def parse(line: str) -> Note | None:
    """Return the note in a line of stderr, or ``None`` when the line is not a provider's of this package."""
    if not line.startswith(PREFIX):
        return None
    line = line.removeprefix(PREFIX)
    text, marker, rest = line.rpartition(_DATA)
    try:
        data = json.loads(marker + rest)
        kind, resource_id, properties = data["note"], data["id"], data["properties"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return Note(line)
    texts = [kind, resource_id, *(properties if isinstance(properties, list) else [None])]
    if not all(isinstance(text, str) for text in texts):
        return Note(line)
    return Note(text, kind, resource_id, tuple(properties))
