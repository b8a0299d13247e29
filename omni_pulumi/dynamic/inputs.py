"""What a program passes to a resource or a function, before Pulumi serializes it.

Pulumi drops ``None``, and accepts the text of an output that an f-string contains. So these are refused when the
program declares the resource, or when it gets to know the value of an output.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pydantic

from omni_pulumi.check import CheckFailure, unusable_values
from omni_pulumi.fields import ArgumentGroup, is_nullable


class ArgumentError(pulumi.RunError):
    """An argument of a resource has a value that cannot be meant.

    Pulumi prints an error of this kind without a traceback.

    Attributes:
        resource: the resource's type and name.
        arguments: the paths of the arguments, such as ``variables.DBT_TOKEN``.
    """

    def __init__(self, resource: str, failures: Sequence[CheckFailure]) -> None:
        """Name the resource before the reasons."""
        super().__init__(f"{resource}: {'; '.join(map(str, failures))}.")
        self.resource = resource
        self.arguments = tuple(failure.property for failure in failures)


def _plain(value: Any) -> Any:
    return value.arguments() if isinstance(value, ArgumentGroup) else value


@dataclass(frozen=True)
class Examination:
    """Examines the arguments of a resource or a function.

    Attributes:
        model: model of the arguments.
        error: returns the error that is raised.
    """

    model: type[pydantic.BaseModel]
    error: Callable[[Sequence[CheckFailure]], Exception]

    def examine(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments. Outputs are examined when their values are known.

        ``None`` is what a program passes to leave an argument out. An output that is ``None`` has the same effect only
        if the argument can be ``None``.

        Raises:
            Exception: an argument has a value that cannot be meant.
        """
        fields = self.model.model_fields
        examined = {
            name: _plain(value) for name, value in arguments.items() if value is not None or fields[name].is_required()
        }
        self._refuse(examined)
        return {
            name: self._later(name, examined[name], is_nullable=is_nullable(fields[name])) if name in examined else None
            for name in arguments
        }

    def _refuse(self, arguments: Mapping[str, Any]) -> None:
        failures = [failure for name, value in arguments.items() for failure in unusable_values(name, value)]
        if failures:
            raise self.error(failures)

    def _later(self, path: str, value: Any, *, is_nullable: bool = False) -> Any:
        """Return a value, with outputs that are examined when their values are known."""

        def examine(known: Any) -> Any:
            if known is None and is_nullable:
                return None
            known = _plain(known)
            self._refuse({path: known})
            return self._later(path, known)

        if isinstance(value, pulumi.Output) or inspect.isawaitable(value):
            output: pulumi.Output[Any] = pulumi.Output.from_input(value)
            return output.apply(examine)
        if isinstance(value, Mapping):
            return {key: self._later(f"{path}.{key}", item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._later(f"{path}.{index}", item) for index, item in enumerate(value)]
        return value
