"""A Pulumi project for the real CLI, whose program is data that a test writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tools.pulumi_cli import PulumiCli, Result

PROGRAM = '''
import json
import pathlib

import pulumi

import omni_pulumi

resources = {}


def value(data):
    """Return data as inputs.

    {"$secret": value} is a secret, {"$output": [resource, attribute]} an output of another resource, and
    {"$map": value} a connection of type none with this target.
    """
    if isinstance(data, list):
        return [value(item) for item in data]
    if not isinstance(data, dict):
        return data
    if "$secret" in data:
        return pulumi.Output.secret(data["$secret"])
    if "$output" in data:
        return getattr(resources[data["$output"][0]], data["$output"][1])
    if "$map" in data:
        return value(data["$map"]).apply(lambda target: {"type": "none", "target": target})
    return {key: value(item) for key, item in data.items()}


OPTIONS = {"aliases", "delete_before_replace", "depends_on", "ignore_changes", "protect", "replacement_trigger"}


def options(arguments):
    """Remove the resource options from the arguments, and return them."""
    data = {name: arguments.pop(name) for name in OPTIONS & arguments.keys()}
    if "aliases" in data:
        data["aliases"] = [pulumi.Alias(name=alias) for alias in data["aliases"]]
    if "depends_on" in data:
        data["depends_on"] = [resources[name] for name in data["depends_on"]]
    return pulumi.ResourceOptions(**data)


for name, (kind, arguments) in json.loads(pathlib.Path("program.json").read_text()).items():
    opts = options(arguments)
    resources[name] = getattr(omni_pulumi, kind)(name, **value(arguments), opts=opts)
    if kind == "DbtEnvironment":
        pulumi.export(f"{name}.secretVariables", resources[name].secret_variables)
'''

Program = Mapping[str, tuple[str, Mapping[str, Any]]]
"""Resources by name: the class, and its arguments and options."""


class Project(PulumiCli):
    """A Pulumi project with a program as data."""

    def create(self, config: Mapping[str, str] = {}) -> None:
        """Create the project with an empty stack, which has the API keys of the simulators."""
        (self.project / "Pulumi.yaml").write_text("name: engine\nruntime: python\n")
        (self.project / "__main__.py").write_text(PROGRAM)
        self.create_stack(
            config={"omni:requestsPerMinute": "6000", **config},
            secrets={"omni:apiKey": OmniSimulator.api_key, "lightdash:apiKey": LightdashSimulator.api_key},
        )

    def write(self, program: Program) -> None:
        """Write the program."""
        (self.project / "program.json").write_text(json.dumps(program))

    def preview(self, *options: str) -> Result:
        """Run ``pulumi preview --diff``, and return its output with single spaces, so that columns do not matter."""
        return self._run_single_spaced("preview", "--diff", *options)

    def up(self, *options: str) -> Result:
        """Run ``pulumi up`` without a prompt, and return its output with single spaces."""
        return self._run_single_spaced("up", "--yes", "--skip-preview", *options)

    def preview_and_up(self) -> Result:
        """Run ``pulumi up --diff``, which shows a preview first, and return its output with single spaces."""
        return self._run_single_spaced("up", "--yes", "--diff")

    def destroy(self) -> Result:
        """Run ``pulumi destroy`` without a prompt, and return its output with single spaces."""
        return self._run_single_spaced("destroy", "--yes", "--skip-preview")

    def import_state(self, state: str) -> None:
        """Replace the state of the stack by one that ``pulumi stack export`` wrote."""
        (self.project / "state.json").write_text(state)
        self.must("stack", "import", "--file", "state.json")

    def state(self) -> str:
        """Return all that Pulumi has written about the stack: its state and its history."""
        return "\n".join(path.read_text() for path in sorted((self.project / ".pulumi-state").rglob("*.json")))

    def _run_single_spaced(self, *arguments: str) -> Result:
        result = self.run(*arguments)
        return Result(" ".join(result.output.split()).replace(" :", ":"), result.status)
