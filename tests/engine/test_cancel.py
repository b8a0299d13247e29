"""Ctrl-C during an ``up``."""

from __future__ import annotations

import signal
import time

import pytest

from omni_pulumi.simulator import faults
from tests.engine.programs import program
from tests.engine.project import Project
from tests.engine.services import Services

pytestmark = pytest.mark.slow


def test_cancel(project: Project, services: Services) -> None:
    """Ctrl-C ends a ``Retry-After`` of an hour at once, and the next ``up`` creates everything."""
    project.must("config", "set", "omni:totalTimeout", "7200")
    project.write(program())
    services.omni.inject(faults.rate_limited(1000, retry_after="3600"))
    running = project.start("up", "--yes", "--skip-preview")
    while not services.omni.requests:
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    output, _ = running.communicate(timeout=60)
    assert running.returncode != 0
    assert "the run was cancelled before the request was sent" in output

    services.omni.clear_faults()
    assert project.up("--refresh").status == 0
    services.assert_matches(program())
    assert project.preview("--refresh", "--expect-no-changes").status == 0
