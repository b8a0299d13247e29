"""Fixtures for the engine tests: a Pulumi project in a temporary folder, and the simulated services."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from omni_pulumi.simulator import GENERATED, Dialect, LightdashSimulator, OmniSimulator
from tests.engine.programs import program
from tests.engine.project import Project
from tests.engine.services import Services


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project with an empty stack. Each test copies it, because creating a stack takes seconds."""
    folder = tmp_path_factory.mktemp("project")
    Project(folder, stack="test").create()
    return folder


@pytest.fixture
def lightdash_version(omni: OmniSimulator) -> str:
    """Another version of Lightdash for each dialect of Omni, so that the tests run twice instead of four times."""
    return "1.237.0" if omni.dialect == GENERATED else "0.3277.1"


@pytest.fixture
def project(tmp_path: Path, new_project: Path, omni: OmniSimulator, lightdash: LightdashSimulator) -> Project:
    """A project with an empty stack. The test runs once for each dialect of Omni."""
    shutil.copytree(new_project, tmp_path, dirs_exist_ok=True)
    settings = tmp_path / "Pulumi.test.yaml"
    urls = f"  omni:baseUrl: {omni.url}\n  lightdash:url: {lightdash.url}/api\n"
    settings.write_text(f"{settings.read_text().rstrip()}\n{urls}")
    return Project(tmp_path, stack="test")


@dataclass(frozen=True)
class Created:
    """The state of the stack and the objects in the services after the first `up` of the tests' program.

    Attributes:
        state: the folder with the state.
        urls: the URLs of Omni and Lightdash, which the state contains.
        omni: a snapshot of Omni.
        lightdash: a snapshot of Lightdash.
    """

    state: Path
    urls: tuple[str, str]
    omni: Any
    lightdash: Any


@pytest.fixture(scope="session")
def first_ups() -> dict[Dialect, Created]:
    """The result of the first `up` by dialect. The tests that start with it share it, because `up` takes seconds."""
    return {}


@pytest.fixture
def created(
    project: Project,
    omni: OmniSimulator,
    lightdash: LightdashSimulator,
    first_ups: dict[Dialect, Created],
    tmp_path_factory: pytest.TempPathFactory,
) -> Project:
    """A project in which the tests' program is created."""
    project.write(program())
    first_up = first_ups.get(omni.dialect)
    if first_up is None:
        up = project.up()
        assert up.status == 0, up.output
        state = tmp_path_factory.mktemp("created") / "state"
        shutil.copytree(project.project / ".pulumi-state", state)
        first_ups[omni.dialect] = Created(state, (omni.url, lightdash.url), omni.snapshot(), lightdash.snapshot())
    else:
        shutil.copytree(first_up.state, project.project / ".pulumi-state", dirs_exist_ok=True)
        for path in (project.project / ".pulumi-state").rglob("*.json"):
            text = path.read_text().replace(first_up.urls[0], omni.url)
            path.write_text(text.replace(first_up.urls[1], lightdash.url))
        omni.restore(first_up.omni)
        lightdash.restore(first_up.lightdash)
    omni.clear_requests()
    lightdash.clear_requests()
    return project


@pytest.fixture
def services(omni: OmniSimulator, lightdash: LightdashSimulator) -> Services:
    """The two simulated services."""
    return Services(omni, lightdash)
