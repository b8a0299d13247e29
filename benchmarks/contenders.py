"""What is compared: ways to manage the same dbt environments, and the operations that each of them runs."""

from __future__ import annotations

import abc
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from benchmarks.processes import Finished, run
from tools.pulumi_cli import PulumiCli

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(__file__).resolve().parent / "programs"

PARALLEL = 4
"""How many operations run at once. Pulumi's host of dynamic providers in Python serves four."""

Operation = Literal["create", "preview", "no changes", "update", "refresh", "repair", "destroy"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)

_UP = ("up", "--yes", "--skip-preview")

_COMMANDS: Mapping[Operation, Sequence[str]] = {
    "create": _UP,
    "preview": ("preview",),
    "no changes": _UP,
    "update": _UP,
    "refresh": ("refresh", "--yes", "--skip-preview"),
    "repair": (*_UP, "--refresh"),
    "destroy": ("destroy", "--yes", "--skip-preview"),
}


class Contender(abc.ABC):
    """A way to manage dbt environments.

    Attributes:
        name: its name in the table.
    """

    name: str

    @abc.abstractmethod
    def prepare(self, folder: Path) -> None:
        """Create a folder with an empty stack. It is not measured."""

    @abc.abstractmethod
    def declare(self, folder: Path, resources: Sequence[Mapping[str, Any]]) -> None:
        """Write what the program declares."""

    @abc.abstractmethod
    def run(self, folder: Path, operation: Operation) -> Finished:
        """Run an operation."""


class Pulumi(Contender):
    """Runs Pulumi with one of the programs."""

    def __init__(self, name: str, program: str, template: Path, env: Mapping[str, str]) -> None:
        """Use a program, and copies of the stack in ``template``."""
        self.name = name
        self._program = PROGRAMS / f"{program}.py"
        self._template = template
        self._env = {**env, "PYTHONPATH": str(ROOT)}

    def prepare(self, folder: Path) -> None:
        """Copy the empty stack, because creating one takes seconds."""
        shutil.copytree(self._template, folder)
        shutil.copy(self._program, folder / "__main__.py")

    def declare(self, folder: Path, resources: Sequence[Mapping[str, Any]]) -> None:
        """Write the resources for the program."""
        (folder / "stack.json").write_text(json.dumps(resources))

    def run(self, folder: Path, operation: Operation) -> Finished:
        """Run an operation."""
        cli = PulumiCli(folder, env=self._env)
        return run(cli.command(*_COMMANDS[operation]), cwd=folder, env=cli.env, provider="pulumi.dynamic")


def create_template(folder: Path) -> None:
    """Create a Pulumi project with an empty stack."""
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: benchmark\nruntime: python\n")
    PulumiCli(folder).create_stack()
