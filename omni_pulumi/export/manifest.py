"""The record of an export: what was selected and found. ``--check`` compares it with the live objects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from omni_pulumi.export.names import StateKey, key_of
from omni_pulumi.export.objects import (
    ConnectionId,
    ConstructorCall,
    ExportError,
    Found,
    Inventory,
    ObjectSelection,
    SecretText,
)

FILE: Final = "omni-pulumi-export.json"
_VERSION: Final = 1


@dataclass(frozen=True)
class Manifest:
    """The record of an export. It contains no secret.

    Attributes:
        services: the services that were read.
        selection: what was selected.
        objects: the objects that were found, as JSON.
    """

    services: Sequence[str]
    selection: ObjectSelection
    objects: Sequence[Mapping[str, Any]]

    @property
    def names(self) -> dict[StateKey, str]:
        """Names of the resources that the export wrote."""
        return {_key(each): each["resource"] for each in self.objects if each["resource"] is not None}


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
    services: Sequence[str], selection: ObjectSelection, found: Sequence[Found], names: Mapping[StateKey, str]
) -> str:
    """Return the record of an export as text."""
    content = {
        "version": _VERSION,
        "services": list(services),
        "selection": asdict(selection),
        "objects": [{**_to_json(each), "resource": names.get(key_of(each))} for each in found],
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
        manifest.names  # noqa: B018 - checks the form of the objects
    except FileNotFoundError:
        raise ExportError(f"{path} does not exist, so {directory} is no export.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExportError(f"Cannot read {path} ({type(error).__name__}). Delete it and export again.") from None
    if content.get("version") != _VERSION:
        raise ExportError(f"{path} is from another version of omni-pulumi. Delete it and export again.")
    return manifest


def compare(manifest: Manifest, inventory: Inventory) -> Changes:
    """Return how the live objects differ from a record."""
    before = {_key(each): each for each in manifest.objects}
    after = {key_of(each): each for each in inventory.found}
    skipped = {each.id for each in inventory.skipped}
    gone = [each for key, each in before.items() if key not in after]
    unknown = [each for each in gone if not skipped.isdisjoint({each["id"], each["parent"]["id"]})]
    changed = [(each, _changed(before[key], _to_json(each))) for key, each in after.items() if key in before]
    return Changes(
        added=[each for key, each in after.items() if key not in before],
        removed=[each for each in gone if each not in unknown],
        changed=[(each, arguments) for each, arguments in changed if arguments],
        unknown=unknown,
    )


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
