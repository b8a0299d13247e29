"""What the engine tests share: a project in a temporary folder, and the services as they look at them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from omni_pulumi.simulator import Dialect, LightdashSimulator, OmniSimulator
from tests.engine.project import PROGRAM, Project
from tests.engine.scene import World, program


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
    urls = f"  omni:baseUrl: {omni.url}\n  lightdash:url: {lightdash.url}/api\n"
    settings.write_text(f"{settings.read_text().rstrip()}\n{urls}")
    return Project(tmp_path, stack="test")


@dataclass(frozen=True)
class Created:
    """What the first `up` of the tests' program has left: the state of the stack, and what the services store.

    The state holds the services' URLs, which `destroy` uses.
    """

    state: Path
    urls: tuple[str, str]
    omni: Any
    lightdash: Any


@pytest.fixture(scope="session")
def first_ups() -> dict[Dialect, Created]:
    """What the first `up` has left, by dialect: one `pulumi up` for all tests that begin with it."""
    return {}


@pytest.fixture
def created(
    project: Project,
    omni: OmniSimulator,
    lightdash: LightdashSimulator,
    first_ups: dict[Dialect, Created],
    tmp_path_factory: pytest.TempPathFactory,
) -> Project:
    """A project whose program is up."""
    project.write(program())
    known = first_ups.get(omni.dialect)
    if known is None:
        up = project.up()
        assert up.status == 0, up.output
        state = tmp_path_factory.mktemp("created") / "state"
        shutil.copytree(project.project / ".pulumi-state", state)
        first_ups[omni.dialect] = Created(state, (omni.url, lightdash.url), omni.snapshot(), lightdash.snapshot())
    else:
        shutil.copytree(known.state, project.project / ".pulumi-state", dirs_exist_ok=True)
        for path in (project.project / ".pulumi-state").rglob("*.json"):
            text = path.read_text().replace(known.urls[0], omni.url)
            path.write_text(text.replace(known.urls[1], lightdash.url))
        omni.restore(known.omni)
        lightdash.restore(known.lightdash)
    omni.clear_requests()
    lightdash.clear_requests()
    return project


@pytest.fixture
def world(omni: OmniSimulator, lightdash: LightdashSimulator) -> World:
    """The two services as the tests look at them."""
    return World(omni, lightdash)
