"""A Pulumi project whose program a test writes as data, run by the real CLI."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tools.pulumi_cli import PulumiCli, Result

PROGRAM = '''
import json
import pathlib

import pulumi

import omni_pulumi

made = {}


def value(given):
    """Data as inputs: {"$secret": ...} is a secret, {"$output": [resource, attribute]} another resource's output."""
    if isinstance(given, list):
        return [value(item) for item in given]
    if not isinstance(given, dict):
        return given
    if "$secret" in given:
        return pulumi.Output.secret(given["$secret"])
    if "$output" in given:
        return getattr(made[given["$output"][0]], given["$output"][1])
    if "$map" in given:
        return value(given["$map"]).apply(lambda known: {"type": "none", "target": known})
    return {key: value(item) for key, item in given.items()}


OPTIONS = {"aliases", "delete_before_replace", "depends_on", "ignore_changes", "protect", "replacement_trigger"}


def options(arguments):
    """Take the options out of the arguments; they name aliases and other resources."""
    given = {name: arguments.pop(name) for name in OPTIONS & arguments.keys()}
    if "aliases" in given:
        given["aliases"] = [pulumi.Alias(name=alias) for alias in given["aliases"]]
    if "depends_on" in given:
        given["depends_on"] = [made[name] for name in given["depends_on"]]
    return pulumi.ResourceOptions(**given)


for name, (kind, arguments) in json.loads(pathlib.Path("program.json").read_text()).items():
    opts = options(arguments)
    made[name] = getattr(omni_pulumi, kind)(name, **value(arguments), opts=opts)
    if kind == "DbtEnvironment":
        pulumi.export(f"{name}.secretVariables", made[name].secret_variables)
'''

Program = Mapping[str, tuple[str, Mapping[str, Any]]]
"""Resources by name: the class, and its arguments and options."""


class Project(PulumiCli):
    """A Pulumi project that is configured for the two services."""

    def write(self, program: Program) -> None:
        """Make this the program."""
        (self.project / "program.json").write_text(json.dumps(program))

    def preview(self, *options: str) -> Result:
        """``pulumi preview --diff``, its output with single blanks so that columns do not matter."""
        return self._flat("preview", "--diff", *options)

    def up(self, *options: str) -> Result:
        """``pulumi up`` without a question, its output with single blanks."""
        return self._flat("up", "--yes", "--skip-preview", *options)

    def preview_and_up(self) -> Result:
        """``pulumi up --diff``, which shows the preview first, its output with single blanks."""
        return self._flat("up", "--yes", "--diff")

    def destroy(self) -> Result:
        """``pulumi destroy`` without a question, its output with single blanks."""
        return self._flat("destroy", "--yes", "--skip-preview")

    def state(self) -> str:
        """All that Pulumi has written of the stack: the state and its history."""
        return "\n".join(path.read_text() for path in sorted((self.project / ".pulumi-state").rglob("*.json")))

    def _flat(self, *arguments: str) -> Result:
        result = self.run(*arguments)
        return Result(" ".join(result.output.split()).replace(" :", ":"), result.status)
