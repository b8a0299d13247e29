"""The stacks that are measured, what is declared in them, and whether an operation has done its job."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.contenders import Operation
from benchmarks.simulators import Simulators


class Stack(abc.ABC):
    """What one contender manages in one round.

    Attributes:
        name: its name in the table.
    """

    name: str

    @abc.abstractmethod
    def resources(self, schema: str) -> Sequence[dict[str, Any]]:
        """Return what the program declares. Each operation that changes something declares another schema."""

    @abc.abstractmethod
    def drift(self) -> None:
        """Change all objects outside the program."""

    @abc.abstractmethod
    def failure(self, operation: Operation, schema: str) -> str | None:
        """Return what an operation has not done, ``None`` when it has done its job."""


@dataclass
class Environments(Stack):
    """A number of dbt environments, evenly over some connections, declared one connection after the other."""

    simulators: Simulators
    environments: int
    connections: int
    ids: list[str] = field(init=False)

    def __post_init__(self) -> None:
        """Create the connections."""
        self.name = f"{self.environments} environments, {plural(self.connections, 'connection')}"
        self.ids = self.simulators.add_connections(self.connections)

    def resources(self, schema: str) -> Sequence[dict[str, Any]]:
        """Return the environments, each with a variable and a secret one."""
        return [
            {
                "connectionId": self.ids[number * self.connections // self.environments],
                "name": f"environment {number}",
                "targetSchema": schema,
                "variables": {"DBT_TARGET": f"environment {number}"},
                "secretVariables": {"DBT_TOKEN": f"made-up token {number}"},
            }
            for number in range(self.environments)
        ]

    def drift(self) -> None:
        """Change the schemas."""
        self.simulators.set_schema(self.ids, "drifted")

    def failure(self, operation: Operation, schema: str) -> str | None:
        """Compare the schemas in Omni with the declared one. A refresh changes nothing in Omni."""
        found = self.simulators.schemas(self.ids)
        expected = {} if operation == "destroy" else {schema: self.environments}
        return None if found == expected else f"{operation} leaves other target schemas than the program declares"


@dataclass
class AllKinds(Stack):
    """A resource of each kind, and the default environment that Omni creates."""

    simulators: Simulators

    def __post_init__(self) -> None:
        """Name the stack."""
        self.name = "a resource of each kind"

    def resources(self, schema: str) -> Sequence[dict[str, Any]]:
        """Return the text that changes in each resource."""
        return [{"text": schema}]

    def drift(self) -> None:
        """Change the objects of Omni and Lightdash."""
        self.simulators.change_all_kinds("drifted")

    def failure(self, operation: Operation, schema: str) -> str | None:
        """Compare the texts in both services with the declared one."""
        found = self.simulators.all_kinds()
        expected = [] if operation == "destroy" else [schema] * len(found)
        if found == expected and (found or operation == "destroy"):
            return None
        return f"{operation} leaves {found} instead of {schema} in the services"


def plural(number: int, noun: str) -> str:
    """Return a number and a noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
