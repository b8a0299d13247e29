"""Notes that a provider writes to stderr: a sentence for people, followed by data for ``omni-pulumi preview-summary``.

The engine shows what a provider writes to stderr and keeps it in the events of a preview. It cannot say which resource
a line is about, so the data has the resource's ID. It is one JSON object at the end of the same line:

    omni_pulumi: dbt environment "Staging" of connection 7: secret_variables.A changes
        {"note": "changes", "id": "7/8", "properties": ["secretVariables.A"]}

A note names properties and never has a value.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

PREFIX = "omni_pulumi: "
"""Begins every line that a provider logs."""

CHANGES = "changes"
"""The program changes these properties. Pulumi does not display the change of a secret value, and does not tell a
provider which values are secret to it, so the note names all properties."""

DRIFT = "drift"
"""A refresh found these properties changed outside Pulumi."""

_DATA = ' {"note": '
"""Begins the data. JSON escapes the quotes inside a text, so the last match in a line is the beginning."""


@dataclass(frozen=True)
class Note:
    """A sentence, and the facts in it.

    Attributes:
        text: the sentence.
        kind: what the note states, such as :data:`CHANGES`; empty for a sentence without data.
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


def changes(
    description: str, names: Sequence[str], *, resource_id: str, properties: Sequence[str], kind: str = CHANGES
) -> Note:
    """Return the note that properties change, or have changed.

    Args:
        description: the object, such as ``dbt environment "Staging" of connection <id>``.
        names: paths of the properties as a program spells them.
        resource_id: the Pulumi ID of the resource.
        properties: paths of the properties, in camelCase as in a preview.
        kind: :data:`CHANGES` or :data:`DRIFT`.
    """
    verb = "changed outside Pulumi" if kind == DRIFT else "changes" if len(names) == 1 else "change"
    return Note(f"{description}: {', '.join(names)} {verb}", kind, resource_id, tuple(properties))


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
