"""What the engine tests share: a project in a temporary folder, and the services as they look at them."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tests.engine.project import PROGRAM, Project
from tests.engine.scene import World


@pytest.fixture
def project(tmp_path: Path, omni: OmniSimulator, lightdash: LightdashSimulator) -> Project:
    """An empty project; the test runs under each dialect of Omni."""
    (tmp_path / "Pulumi.yaml").write_text("name: engine\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    project = Project(tmp_path, stack="test")
    project.create_stack(
        config={
            "omni:baseUrl": omni.url,
            "omni:requestsPerMinute": "6000",
            "lightdash:url": f"{lightdash.url}/api",
        },
        secrets={"omni:apiKey": omni.api_key, "lightdash:apiKey": lightdash.api_key},
    )
    return project


@pytest.fixture
def world(omni: OmniSimulator, lightdash: LightdashSimulator) -> World:
    """The two services as the tests look at them."""
    return World(omni, lightdash)
