"""What the engine tests share: a project in a temporary folder, and the services as they look at them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tests.engine.project import PROGRAM, Project
from tests.engine.scene import World


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an empty stack, which each test copies: two commands of Pulumi for all tests together."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "Pulumi.yaml").write_text("name: engine\nruntime: python\n")
    (folder / "__main__.py").write_text(PROGRAM)
    Project(folder, stack="test").create_stack(
        config={"omni:requestsPerMinute": "6000"},
        secrets={"omni:apiKey": OmniSimulator.api_key, "lightdash:apiKey": LightdashSimulator.api_key},
    )
    return folder


@pytest.fixture
def project(tmp_path: Path, new_project: Path, omni: OmniSimulator, lightdash: LightdashSimulator) -> Project:
    """An empty project; the test runs under each dialect of Omni."""
    shutil.copytree(new_project, tmp_path, dirs_exist_ok=True)
    settings = tmp_path / "Pulumi.test.yaml"
    settings.write_text(
        f"{settings.read_text().rstrip()}\n  omni:baseUrl: {omni.url}\n  lightdash:url: {lightdash.url}/api\n"
    )
    return Project(tmp_path, stack="test")


@pytest.fixture
def world(omni: OmniSimulator, lightdash: LightdashSimulator) -> World:
    """The two services as the tests look at them."""
    return World(omni, lightdash)
