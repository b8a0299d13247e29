"""Drives one resource in a stack: ``harness.up(branch="dev")``, ``harness.refresh()``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from omni_pulumi.api.errors import Error
from omni_pulumi.dynamic.provider import Provider
from tests.servicer import ProviderError, Stack

E = TypeVar("E", bound=Error)


@dataclass
class ResourceHarness:
    """One resource and the program that declares it; changes to the program are given with each step.

    A change to ``None`` takes the property out of the program.
    """

    stack: Stack
    provider: Provider[Any, Any, Any]
    program: Mapping[str, Any]

    def declared(self, **changes: Any) -> dict[str, Any]:
        """The program with changes."""
        return {name: value for name, value in {**self.program, **changes}.items() if value is not None}

    def up(self, **changes: Any) -> str:
        """What was done."""
        return self.stack.up("it", self.provider, self.declared(**changes))

    def preview(self, **changes: Any) -> str:
        """What would be done."""
        return self.stack.preview("it", self.provider, self.declared(**changes))

    def refresh(self) -> bool:
        """Whether the object is still there."""
        return self.stack.refresh("it")

    def destroy(self) -> None:
        """Delete the object."""
        self.stack.destroy("it")

    def refusal(self, kind: type[E], **changes: Any) -> E:
        """The error of this kind with which an ``up`` fails."""
        with pytest.raises(ProviderError) as caught:
            self.up(**changes)
        error = caught.value.error
        assert type(error) is kind, repr(error)
        return error

    def assert_settled(self, **changes: Any) -> None:
        """No change is reported, neither at once nor after a refresh."""
        assert self.preview(**changes) == "same"
        assert self.refresh()
        assert self.preview(**changes) == "same"

    def assert_drifted_and_repaired(self, **changes: Any) -> None:
        """A refresh finds a difference, one ``up`` removes it, and then all is quiet."""
        assert self.refresh()
        assert self.preview(**changes) == "update"
        assert self.up(**changes) == "update"
        self.assert_settled(**changes)

    @property
    def id(self) -> str:
        """The Pulumi ID."""
        return self.stack.resources["it"].id

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs in the state."""
        return self.stack.resources["it"].outputs

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs in the state."""
        return self.stack.resources["it"].inputs
