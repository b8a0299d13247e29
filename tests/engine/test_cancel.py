"""Ctrl-C in the middle of an ``up``."""

from __future__ import annotations

import signal
import time

import pytest

from omni_pulumi.simulator import faults
from tests.engine.project import Project
from tests.engine.scene import World, program

pytestmark = pytest.mark.slow


def test_cancel(project: Project, world: World) -> None:
    """Waiting ends at once although the service asked for an hour, and the next run ends as declared."""
    project.must("config", "set", "omni:totalTimeout", "7200")
    project.write(program())
    world.omni.inject(faults.rate_limited(1000, retry_after="3600"))
    running = project.start("up", "--yes", "--skip-preview")
    while not world.omni.requests:
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    output, _ = running.communicate(timeout=60)
    assert running.returncode != 0
    assert "error: Cancelled while a request waited to be sent." in output

    world.omni.clear_faults()
    assert project.up("--refresh").status == 0
    world.holds(program())
    assert project.preview("--refresh", "--expect-no-changes").status == 0
