"""The record of an export: what was selected and found. ``--check`` compares it with the live objects."""

from __future__ import annotations

import json
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from omni_pulumi.export.names import StateKey, key_of
from omni_pulumi.export.objects import (
    KINDS,
    ConnectionId,
    ConstructorCall,
    ExportError,
    Found,
    Inventory,
    ObjectSelection,
    SecretText,
)
from omni_pulumi.fields import Identifies, marked

FILE: Final = "omni-pulumi-export.json"
_VERSION: Final = 1
_IDENTITIES = {kind.resource: sorted(marked(kind.lifecycle.args_model, Identifies)) for kind in KINDS.values()}
"""The arguments by which a create finds an object, by class of the resource."""


@dataclass(frozen=True)
class Manifest:
    """The record of an export. It contains no secret.

    Attributes:
        services: the services that were read.
        selection: what was selected.
        objects: the objects that were found, as JSON. One that another stack manages is ``elsewhere``.
    """

    services: Sequence[str]
    selection: ObjectSelection
    objects: Sequence[Mapping[str, Any]]

    def names(self, found: Sequence[Found]) -> dict[StateKey, str]:
        """Return the names that objects have in the program that the export wrote."""
        matched = self.match(found)
        return {key: each["resource"] for key, each in matched.items() if each["resource"] is not None}

    def match(self, found: Sequence[Found]) -> dict[StateKey, Mapping[str, Any]]:
        """Return what the record has of objects, by their present key.

        An object that was deleted and created again has another ID. It is the same object for a program, which finds it
        by its identity.
        """
        by_key = {_key(each): each for each in self.objects}
        matched = {key_of(each): by_key.pop(key_of(each)) for each in found if key_of(each) in by_key}
        by_identity = {_identity(each): each for each in by_key.values()}
        for each in found:
            identity = _identity(_to_json(each))
            if key_of(each) not in matched and identity in by_identity:
                matched[key_of(each)] = by_identity.pop(identity)
        return matched


@dataclass(frozen=True)
class Changes:
    """How the live objects differ from the record.

    Attributes:
        added: the objects that are new.
        removed: the objects that no longer exist, as JSON.
        changed: the arguments that changed, by object.
        unknown: the objects that could not be read, as JSON.
    """

    added: Sequence[Found]
    removed: Sequence[Mapping[str, Any]]
    changed: Sequence[tuple[Found, Sequence[str]]]
    unknown: Sequence[Mapping[str, Any]]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def to_text(
    services: Sequence[str],
    selection: ObjectSelection,
    found: Sequence[Found],
    names: Mapping[StateKey, str],
    *,
    elsewhere: Collection[StateKey] = (),
    unknown: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return the record of an export as text.

    Args:
        services: the services that were read.
        selection: what was selected.
        found: the objects.
        names: names of the resources in the program.
        elsewhere: keys of the objects that another stack manages.
        unknown: what an earlier record has of objects that cannot be read now.
    """
    entries = [(_to_json(each), key_of(each)) for each in found]
    content = {
        "version": _VERSION,
        "services": list(services),
        "selection": asdict(selection),
        "objects": [
            *({**each, "resource": names.get(key), "elsewhere": key in elsewhere} for each, key in entries),
            *unknown,
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def read(directory: Path) -> Manifest:
    """Return the record in a directory.

    Raises:
        ExportError: there is none, or it cannot be read.
    """
    path = directory / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in content["selection"].items()
        }
        manifest = Manifest(content["services"], ObjectSelection(**fields), content["objects"])
        for each in manifest.objects:  # checks the form of the objects
            _key(each), _identity(each), each["resource"]
    except FileNotFoundError:
        raise ExportError(f"{path} does not exist, so {directory} is no export.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExportError(f"Cannot read {path} ({type(error).__name__}). Delete it and export again.") from None
    if content.get("version") != _VERSION:
        raise ExportError(f"{path} is from another version of omni-pulumi. Delete it and export again.")
    return manifest


def compare(manifest: Manifest, inventory: Inventory) -> Changes:
    """Return how the live objects differ from a record."""
    before = manifest.match(inventory.found)
    matched = {_key(each) for each in before.values()}
    skipped = {each.id for each in inventory.skipped}
    gone = [each for each in manifest.objects if _key(each) not in matched]
    unknown = [each for each in gone if not skipped.isdisjoint({each["id"], each["parent"]["id"]})]
    changed = [
        (each, _changed(before[key_of(each)], _to_json(each)))
        for each in inventory.found
        if key_of(each) in before and not is_elsewhere(before[key_of(each)])
    ]
    return Changes(
        added=[each for each in inventory.found if key_of(each) not in before],
        removed=[each for each in gone if each not in unknown and not is_elsewhere(each)],
        changed=[(each, arguments) for each, arguments in changed if arguments],
        unknown=unknown,
    )


def is_elsewhere(recorded: Mapping[str, Any]) -> bool:
    """Return whether another stack manages an object, so that changes of it are no changes of this program."""
    return bool(recorded.get("elsewhere"))


def _identity(recorded: Mapping[str, Any]) -> Hashable:
    """Return the values by which a create finds an object."""
    arguments = recorded["arguments"]
    values = [arguments.get(name) for name in _IDENTITIES.get(recorded["kind"], ())]
    return recorded["kind"], recorded["parent"]["id"], *values


def _key(recorded: Mapping[str, Any]) -> StateKey:
    return recorded["kind"], recorded["id"]


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the paths of the arguments that differ. Names of parents are not compared."""
    old, new = _leaves("", before["arguments"]), _leaves("", after["arguments"])
    return sorted(path for path in {*old, *new} if old.get(path) != new.get(path))


def _leaves(path: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {path: value}
    return {
        leaf: item
        for name, inner in value.items()
        for leaf, item in _leaves(f"{path}.{name}" if path else name, inner).items()
    }


def _to_json(found: Found) -> dict[str, Any]:
    return {
        "kind": found.kind.resource,
        "id": found.id,
        "name": found.name,
        "description": str(found),
        "parent": {"id": found.parent.id, "name": found.parent.name},
        "arguments": _plain(found.arguments),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, SecretText):
        return "(secret)"
    if isinstance(value, ConnectionId):
        return value.connection.id
    if isinstance(value, ConstructorCall):
        return {"class": value.name, **_plain(value.arguments)}
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
