"""The command ``omni-pulumi export``: reads the services, and writes a project or compares it with an earlier one."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from omni_pulumi.api.lightdash.client import LightdashClient
from omni_pulumi.api.omni.client import OmniClient
from omni_pulumi.errors import CancelledError, ConfigurationError, Error
from omni_pulumi.export import files, manifest
from omni_pulumi.export.lightdash import LightdashReader
from omni_pulumi.export.manifest import Changes, Manifest
from omni_pulumi.export.names import key_of, slug
from omni_pulumi.export.objects import KINDS, ExportError, Found, Inventory, ObjectSelection
from omni_pulumi.export.omni import OmniReader
from omni_pulumi.export.program import Program, Writer
from omni_pulumi.export.stack import Stack
from omni_pulumi.export.stack import read as read_stack
from omni_pulumi.process import PROCESS
from omni_pulumi.selection import ServiceName
from omni_pulumi.settings import LIGHTDASH, OMNI, Config
from omni_pulumi.stack_settings import configuration
from omni_pulumi.text_files import read

SUCCESS, CHANGED, FAILURE, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses. An export that finds nothing that it can write ends with ``CHANGED`` too."""

_BAR_LENGTH: Final = 20
"""Characters of the progress bar."""

_SERVICES = {"omni": OMNI, "lightdash": LIGHTDASH}
_ALWAYS_WRITTEN = ("Pulumi.yaml", "requirements.txt", "__main__.py", manifest.FILE)


@dataclass(frozen=True)
class Options:
    """What the command line says.

    Attributes:
        service: the only service to read, ``None`` for each one that is configured.
        selection: which objects are read.
        directory: where the project is written.
        force: whether files in the way are overwritten.
        managed: file with the output of ``pulumi stack export``, ``-`` for stdin.
        stack: stack whose configuration has the settings, ``None`` for the environment.
        as_json: whether stdout gets JSON.
    """

    service: ServiceName | None
    selection: ObjectSelection
    directory: Path
    force: bool = False
    managed: str | None = None
    stack: str | None = None
    as_json: bool = False


def export(options: Options) -> int:
    """Write a project, and return the exit status."""
    return _run(lambda: _export(options))


def check(directory: Path, *, stack: str | None = None, as_json: bool = False) -> int:
    """Compare the live objects with an earlier export, and return the exit status: ``1`` when they differ.

    Args:
        directory: where the export was written.
        stack: stack whose configuration has the settings, ``None`` for the environment.
        as_json: whether stdout gets JSON.
    """
    return _run(lambda: _check(directory, configuration(stack).get, as_json=as_json))


def renew(
    directory: Path, selection: Mapping[str, Any], *, managed: str | None = None, stack: str | None = None
) -> int:
    """Write the record of an earlier export again, without touching the program, and return the exit status.

    Args:
        directory: where the export was written.
        selection: what replaces the recorded selection, by attribute of :class:`ObjectSelection`.
        managed: file with the output of ``pulumi stack export`` of a stack that manages a part, ``-`` for stdin.
        stack: stack whose configuration has the settings, ``None`` for the environment.
    """
    return _run(lambda: _renew(directory, selection, managed, configuration(stack).get))


def _run(command: Callable[[], int]) -> int:
    PROCESS.log.install()
    try:
        status = command()
    except (ExportError, Error) as error:
        _progress_line("")
        sys.stderr.write(f"omni-pulumi export: {error}\n")
        return INTERRUPTED if isinstance(error, CancelledError) else FAILURE
    except KeyboardInterrupt:
        _progress_line("")
        sys.stderr.write("omni-pulumi export: Interrupted. Run the command again, with --force if a file exists.\n")
        return INTERRUPTED
    return status


def _export(options: Options) -> int:
    earlier = None
    if options.force:
        if (options.directory / manifest.FILE).exists():
            earlier = manifest.read(options.directory)
    else:
        files.require_free(options.directory, _ALWAYS_WRITTEN)
    in_stack = Stack() if options.managed is None else read_stack(_read(options.managed), options.managed)
    config = configuration(options.stack).get
    services = _services(options.service, options.selection, config)
    inventory = _read_services(services, config, options.selection)
    written = [each for each in inventory.found if key_of(each) not in in_stack.objects]
    program = _write(options, services, inventory, written, earlier, in_stack)
    _tell(inventory)
    if options.as_json:
        _print(_to_json(inventory, written, program))
    else:
        _print(_to_text(options, inventory, written, program))
    if inventory.found:
        return SUCCESS
    sys.stderr.write(f"omni-pulumi export: Wrote no file: {_why_nothing(inventory)}\n")
    return CHANGED


def _write(
    options: Options,
    services: Sequence[ServiceName],
    inventory: Inventory,
    written: Sequence[Found],
    earlier: Manifest | None,
    in_stack: Stack,
) -> Program:
    """Write the project, unless there is nothing to declare."""
    if not written:
        return Program({}, {}, {}, {})
    program = Writer(
        written,
        name=slug(options.directory.resolve().name, "export").replace("_", "-"),
        profile=options.selection.profile,
        known={} if earlier is None else earlier.names(written),
        taken=in_stack.names,
    ).write()
    record = manifest.to_text(services, options.selection, inventory.found, program.names, elsewhere=in_stack.objects)
    project = {**program.files, manifest.FILE: record}
    if not options.force:
        files.require_free(options.directory, project)
    files.write(options.directory, project)
    return program


def _check(directory: Path, config: Config, *, as_json: bool) -> int:
    recorded = manifest.read(directory)
    inventory = _read_services(_recorded_services(recorded), config, recorded.selection)
    changes = manifest.compare(recorded, inventory)
    _tell(inventory)
    _print(_changes_to_json(changes) if as_json else _changes_to_text(recorded, inventory, changes))
    return CHANGED if changes else SUCCESS


def _renew(directory: Path, selection: Mapping[str, Any], managed: str | None, config: Config) -> int:
    recorded = manifest.read(directory)
    wanted = dataclasses.replace(recorded.selection, **selection)
    in_stack = Stack() if managed is None else read_stack(_read(managed), managed)
    services = _recorded_services(recorded)
    inventory = _read_services(services, config, wanted)
    _tell(inventory)
    if not inventory.found:
        raise ExportError(f"The record is unchanged: {_why_nothing(inventory)}")
    changes = manifest.compare(recorded, inventory)
    before = recorded.match(inventory.found)
    elsewhere = in_stack.objects | {key for key, each in before.items() if manifest.is_elsewhere(each)}
    record = manifest.to_text(
        services, wanted, inventory.found, recorded.names(inventory.found), elsewhere=elsewhere, unknown=changes.unknown
    )
    files.write(directory, {manifest.FILE: record})
    _print(_changes_to_text(recorded, inventory, changes))
    return SUCCESS


def _recorded_services(recorded: Manifest) -> list[ServiceName]:
    return [name for name in ("omni", "lightdash") if name in recorded.services]


def _services(service: ServiceName | None, selection: ObjectSelection, config: Config) -> list[ServiceName]:
    """Return the services to read: each one that is configured, or the only one that has what is selected.

    Raises:
        ConfigurationError: none is configured.
        ExportError: no service has what is selected.
    """
    wanted = selection.services(service)
    if not wanted:
        raise ExportError(
            "The options exclude both services: --connection, --owner and the kinds of Omni select from Omni, "
            "--project and the kind source from Lightdash."
        )
    if len(wanted) == 1:
        return wanted
    profile = selection.profile
    found = [name for name in wanted if _SERVICES[name].url(config, profile) is not None]
    if found:
        return found
    problems = []
    for each in _SERVICES.values():
        try:
            each.instance(config, profile)
        except ConfigurationError as error:
            problems.append(error)
    raise ConfigurationError(
        f"No service is configured. {' '.join(map(str, problems))}",
        settings=tuple(name for problem in problems for name in problem.settings),
    )


def _read_services(services: Sequence[ServiceName], config: Config, selection: ObjectSelection) -> Inventory:
    """Return what the services have.

    Raises:
        Error: a service is not configured, cannot be reached, or refuses the key.
        ExportError: a connection or project does not exist.
    """
    inventories: list[Inventory] = []
    instances = {name: _SERVICES[name].instance(config, selection.profile) for name in services}
    if "omni" in instances:
        omni = PROCESS.clients.get("Omni", instances["omni"], OmniClient)
        inventories.append(OmniReader(omni, selection, _progress).read())
    if "lightdash" in instances:
        lightdash = PROCESS.clients.get("Lightdash", instances["lightdash"], LightdashClient)
        inventories.append(LightdashReader(lightdash, selection, _progress).read())
    return Inventory(
        found=[found for inventory in inventories for found in _in_order(inventory.found)],
        skipped=[skipped for inventory in inventories for skipped in inventory.skipped],
        notes=[note for inventory in inventories for note in inventory.notes],
    )


def _in_order(found: Sequence[Found]) -> list[Found]:
    """Return objects by their connection or project, and in each by kind."""
    parents = {parent: index for index, parent in enumerate(dict.fromkeys(each.parent for each in found))}
    kinds = list(KINDS.values())
    return sorted(found, key=lambda each: (parents[each.parent], kinds.index(each.kind)))


def _read(file: str) -> str:
    """Return the text of a file, or of stdin for ``-``."""
    try:
        return read(file)
    except OSError as error:
        raise ExportError(f"Cannot read {file}: {error.strerror}.") from None


def _print(text: str) -> None:
    """Write UTF-8 to stdout, whatever the encoding of the terminal."""
    sys.stdout.buffer.write(text.encode())
    sys.stdout.flush()


def _progress(done: int, total: int, text: str) -> None:
    bar = "#" * (_BAR_LENGTH * done // max(total, 1))
    _progress_line(f"[{bar:<{_BAR_LENGTH}}] {done}/{total} {text}" if done < total else "")


def _progress_line(text: str) -> None:
    """Replace the last line of a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text[: shutil.get_terminal_size().columns - 1]}")
        sys.stderr.flush()


def _tell(inventory: Inventory) -> None:
    """Write what a person should know to stderr."""
    for skipped in inventory.skipped:
        sys.stderr.write(f"omni-pulumi export: skipped {skipped.description}: {skipped.reason.rstrip('.')}.\n")
    for note in inventory.notes:
        sys.stderr.write(f"omni-pulumi export: {note}\n")


def _to_text(options: Options, inventory: Inventory, written: Sequence[Found], program: Program) -> str:
    lines: list[str] = []
    if program.files:
        secrets = [key for keys in program.secrets.values() for key in keys]
        commands = ["pulumi stack init", *(f"pulumi config set --secret {key}" for key in secrets), "pulumi up"]
        lines += [f"Wrote {len(program.files) + 1} files to {options.directory}. Next, in that directory:", ""]
        lines += [f"  {command}" for command in commands]
        lines += ["", 'After the first `pulumi up`, remove the lines with adopt="existing".', ""]
    return "\n".join([*lines, _summary(inventory, written), ""])


def _why_nothing(inventory: Inventory) -> str:
    if inventory.skipped:
        return "each object was skipped. The lines above have the reasons."
    return "the key sees nothing that the options select. Check the options, and what the key may read."


def _summary(inventory: Inventory, written: Sequence[Found]) -> str:
    skipped = len(inventory.skipped)
    in_stack = len(inventory.found) - len(written)
    reasons = [
        *([f"{in_stack} already in the stack"] if in_stack else []),
        *([f"{skipped} named above"] if skipped else []),
    ]
    total = skipped + in_stack
    details = f" ({', '.join(reasons)})" if reasons else ""
    return f"{len(inventory.found) + skipped} found, {len(written)} written, {total} skipped{details}"


def _to_json(inventory: Inventory, written: Sequence[Found], program: Program) -> str:
    keys = {key_of(each) for each in written}
    objects = [
        {
            "kind": each.kind.option,
            "id": each.id,
            "name": each.name,
            "resource": program.names[key_of(each)] if key_of(each) in keys else None,
            "file": program.places.get(key_of(each)),
            "secrets": list(program.secrets.get(key_of(each), ())),
        }
        for each in inventory.found
    ]
    skipped = [{"id": each.id, "description": each.description, "reason": each.reason} for each in inventory.skipped]
    content = {"objects": objects, "skipped": skipped, "notes": inventory.notes, "files": sorted(program.files)}
    return json.dumps(content, indent=2) + "\n"


def _changes_to_text(recorded: Manifest, inventory: Inventory, changes: Changes) -> str:
    """Return a line for each change. Objects whose descriptions are equal have their ID in it."""
    in_record = Counter(each["description"] for each in recorded.objects)
    in_services = Counter(map(str, inventory.found))

    def title(description: str, object_id: str) -> str:
        is_ambiguous = in_record[description] > 1 or in_services[description] > 1
        return f"{description} ({object_id})" if is_ambiguous else description

    lines = [
        *(f"changed: {title(str(found), found.id)}: {', '.join(arguments)}" for found, arguments in changes.changed),
        *(f"added: {title(str(found), found.id)}" for found in changes.added),
        *(f"removed: {title(each['description'], each['id'])}" for each in changes.removed),
        *(f"not read: {title(each['description'], each['id'])}" for each in changes.unknown),
    ]
    counts = f"{len(changes.changed)} changed, {len(changes.added)} added, {len(changes.removed)} removed"
    return "\n".join([*lines, f"{len(recorded.objects)} recorded, {counts}", ""])


def _changes_to_json(changes: Changes) -> str:
    content = {
        "changed": [
            {"kind": found.kind.option, "id": found.id, "name": found.name, "arguments": list(arguments)}
            for found, arguments in changes.changed
        ],
        "added": [{"kind": each.kind.option, "id": each.id, "name": each.name} for each in changes.added],
        "removed": [_recorded_to_json(each) for each in changes.removed],
        "unknown": [_recorded_to_json(each) for each in changes.unknown],
    }
    return json.dumps(content, indent=2) + "\n"


def _recorded_to_json(recorded: Mapping[str, Any]) -> dict[str, Any]:
    options = {kind.resource: kind.option for kind in KINDS.values()}
    return {"kind": options[recorded["kind"]], "id": recorded["id"], "name": recorded["name"]}
