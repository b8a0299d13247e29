"""The states that versions of the package wrote.

``states/<version>/state.json`` is the output of ``pulumi stack export`` for ``program.json`` beside it. Placeholders
replace the URLs of the services, and the IDs that they assign. ``python -m tests.engine.old_states <version>`` records
the state of the present code.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from pydantic.alias_generators import to_snake

from omni_pulumi.simulator import CONNECTION_ID, GENERATED, LightdashSimulator, OmniSimulator
from tests.catalogue import SAMPLES
from tests.engine.project import Program, Project

STATES = Path(__file__).parent / "states"


def versions() -> list[str]:
    """Return the versions that have a state, oldest first."""
    return sorted((path.name for path in STATES.iterdir()), key=lambda version: [*map(int, version.split("."))])


def program_of(version: str) -> Program:
    """Return the program whose state a version wrote."""
    program: Program = json.loads((STATES / version / "program.json").read_text())
    return program


def state_of(version: str, placeholders: Mapping[str, str]) -> str:
    """Return the state that a version wrote, with values for its placeholders."""
    return Template((STATES / version / "state.json").read_text()).substitute(placeholders)


def record(version: str) -> None:
    """Record the state of a program that has each kind of resource, with all its arguments."""
    program = _complete_program()
    with (
        tempfile.TemporaryDirectory() as folder,
        OmniSimulator(dialect=GENERATED) as omni,
        LightdashSimulator() as lightdash,
    ):
        project = Project(Path(folder), stack="test")
        project.create({"omni:baseUrl": omni.url, "lightdash:url": lightdash.url})
        project.write(program)
        project.must("up", "--yes", "--skip-preview")
        state = project.export()
        placeholders = {"omni": omni.url, "lightdash": lightdash.url, **_assigned_ids(program, state)}
    for resource in state["deployment"]["resources"]:
        for paths_of_this_machine in ("sourcePosition", "stackTrace"):
            resource.pop(paths_of_this_machine, None)
    text = json.dumps(state, indent=1)
    for name, value in placeholders.items():
        text = text.replace(value, f"${{{name}}}")
    (STATES / version).mkdir(exist_ok=True)
    (STATES / version / "program.json").write_text(f"{json.dumps(program, indent=1)}\n")
    (STATES / version / "state.json").write_text(f"{text}\n")


def _complete_program() -> Program:
    """Return a program with one resource of each kind, named as its class, with all its arguments."""
    return {kind: (kind, _arguments(kind, sample.complete)) for kind, sample in SAMPLES.items()}


def _arguments(kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    arguments = {to_snake(name): value for name, value in properties.items()}
    if kind != "DbtConfiguration" and arguments.get("connection_id") == CONNECTION_ID:
        arguments["connection_id"] = {"$output": ["DbtConfiguration", "connection_id"]}
    if "dbt_connection" in arguments:
        arguments["dbt_connection"] = {to_snake(name): value for name, value in arguments["dbt_connection"].items()}
    return arguments


def _assigned_ids(program: Program, state: Mapping[str, Any]) -> dict[str, str]:
    """Return the IDs that the services assigned, by the names of the resources."""
    outputs = {
        resource["urn"].rpartition("::")[2]: resource.get("outputs", {})
        for resource in state["deployment"]["resources"]
    }
    ids = {name: outputs[name][SAMPLES[kind].id_key] for name, (kind, _) in program.items()}
    return {name: id_ for name, id_ in ids.items() if id_ not in json.dumps(program)}


if __name__ == "__main__":
    record(sys.argv[1])
