"""What one resource of a program takes over from another one is not deleted with the other's name."""

from __future__ import annotations

from typing import Any

import pytest

from omni_pulumi.dynamic import Provider
from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tests.resources.test_gone import PROGRAMS, exist
from tests.servicer import Stack


@pytest.mark.parametrize("interrupted", [False, True])
@pytest.mark.parametrize("name", PROGRAMS)
def test_another_name_in_the_program(
    stack: Stack,
    omni_services: dict[str, OmniSimulator],
    lightdash: LightdashSimulator,
    log: pytest.LogCaptureFixture,
    name: str,
    *,
    interrupted: bool,
) -> None:
    """The engine makes the new name's before it deletes the old name's: with ``adopt`` both are the same object.

    So they are when the command ended between the two, and the next one deletes.
    """
    omni = omni_services["generated"]
    kind: type[Provider[Any, Any, Any]]
    kind, program = PROGRAMS[name]
    stack.up("old", kind(), program)
    with stack.command():
        assert stack.up("new", kind(), {**program, "adopt": True}) == "create"
        if not interrupted:
            stack.destroy("old")
    if interrupted:
        with stack.command():
            assert stack.up("new", kind(), {**program, "adopt": True}) == "same"
            stack.destroy("old")
    assert "belongs to another resource of this program now, so it is not deleted" in log.text
    assert exist(omni, lightdash)
    assert stack.refresh("new")
    assert stack.preview("new", kind(), program) == "same"
    with stack.command():
        stack.destroy("new")
    assert not exist(omni, lightdash)
