"""Runs Pulumi's operations on one resource: ``harness.up(branch="dev")``, ``harness.refresh()``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from omni_pulumi.dynamic.provider import Provider
from omni_pulumi.errors import Error
from tests.servicer import ProviderError, Stack

E = TypeVar("E", bound=Error)


@dataclass
class ResourceHarness:
    """One resource of a stack, and the program that declares it.

    Each operation takes changes to the program as keyword arguments. A change to ``None`` removes the property.

    Attributes:
        stack: the stack, which has the state of the resource.
        provider: the provider of the resource.
        program: the properties that the program declares.
    """

    stack: Stack
    provider: Provider[Any, Any, Any]
    program: Mapping[str, Any]

    def declared(self, **changes: Any) -> dict[str, Any]:
        """Return the properties of the changed program."""
        return {name: value for name, value in {**self.program, **changes}.items() if value is not None}

    def up(self, **changes: Any) -> str:
        """Run ``pulumi up``, and return ``create``, ``update``, ``replace`` or ``same``."""
        return self.stack.up("it", self.provider, self.declared(**changes))

    def preview(self, **changes: Any) -> str:
        """Run ``pulumi preview``, and return what an ``up`` would do."""
        return self.stack.preview("it", self.provider, self.declared(**changes))

    def refresh(self) -> bool:
        """Run ``pulumi refresh``, and return whether the object exists."""
        return self.stack.refresh("it")

    def destroy(self) -> None:
        """Run ``pulumi destroy``."""
        self.stack.destroy("it")

    def refusal(self, kind: type[E], **changes: Any) -> E:
        """Run an ``up`` that fails, and return its error, which is of this class."""
        with pytest.raises(ProviderError) as caught:
            self.up(**changes)
        error = caught.value.error
        assert type(error) is kind, repr(error)
        return error

    def assert_settled(self, **changes: Any) -> None:
        """Assert that a preview shows no change, before and after a refresh."""
        assert self.preview(**changes) == "same"
        assert self.refresh()
        assert self.preview(**changes) == "same"

    def assert_drifted_and_repaired(self, **changes: Any) -> None:
        """Assert that a refresh finds drift, and that one ``up`` repairs it."""
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
