"""How many requests a command sends. Omni allows 60 a minute for each API key."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from omni_pulumi.process import PROCESS
from omni_pulumi.resources.dbt_environment import DbtEnvironmentProvider
from omni_pulumi.simulator import GENERATED, OmniSimulator
from tests.catalogue import SAMPLES
from tests.servicer import Stack

ENVIRONMENTS = 50


@pytest.fixture
def omni() -> Iterator[OmniSimulator]:
    """An Omni with a dbt configuration."""
    with OmniSimulator(dialect=GENERATED) as omni:
        omni.configure_dbt(omni.connection_id)
        yield omni


@pytest.fixture(autouse=True)
def _stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock, so that a slow machine does not make a list too old."""
    monkeypatch.setattr(PROCESS, "clock", lambda: 0.0)


@pytest.fixture
def stack(omni: OmniSimulator) -> Stack:
    """A stack with many environments of one connection."""
    stack = Stack({"omni:baseUrl": omni.url, "omni:apiKey": omni.api_key, "omni:requestsPerMinute": "1000000"})
    with stack.command():
        run(stack, "one")
    return stack


def run(stack: Stack, schema: str) -> None:
    """Update the stack."""
    for number in range(ENVIRONMENTS):
        program = {**SAMPLES["DbtEnvironment"].complete, "name": f"environment {number}", "targetSchema": schema}
        stack.up(f"environment {number}", DbtEnvironmentProvider(), program)


def refresh(stack: Stack) -> None:
    """Refresh the stack."""
    for number in range(ENVIRONMENTS):
        assert stack.refresh(f"environment {number}")


def destroy(stack: Stack) -> None:
    """Destroy the stack."""
    for number in range(ENVIRONMENTS):
        stack.destroy(f"environment {number}")


def test_create(omni: OmniSimulator, stack: Stack) -> None:
    """A create of N environments reads the list once, and creates each environment with one request."""
    assert len(stack.resources) == ENVIRONMENTS
    methods = [request.method for request in omni.requests]
    assert (methods.count("POST"), methods.count("GET")) == (ENVIRONMENTS, 1)


@pytest.mark.parametrize(
    ("command", "writes", "reads"),
    [
        pytest.param(lambda stack: run(stack, "two"), ENVIRONMENTS, 1, id="update"),
        pytest.param(lambda stack: run(stack, "one"), 0, 0, id="no changes"),
        pytest.param(refresh, 0, 1, id="refresh"),
        pytest.param(destroy, ENVIRONMENTS, 0, id="destroy"),
    ],
)
def test_command(omni: OmniSimulator, stack: Stack, command: Callable[[Stack], None], writes: int, reads: int) -> None:
    """Each command sends one request for each object that it writes, and reads a list once."""
    before = len(omni.requests)
    with stack.command():
        command(stack)
    methods = [request.method for request in omni.requests[before:]]
    assert (len(methods) - methods.count("GET"), methods.count("GET")) == (writes, reads)
