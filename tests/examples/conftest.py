"""Fixtures of the example tests: copies of examples, configured for the simulators."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tests.examples.ci import GitHub, GitLab
from tests.examples.comments import Comments, serve
from tools.pulumi_cli import PulumiCli

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"

Example = Callable[..., PulumiCli]
"""Creates a stack of an example from the name of its folder, the name of the stack, and environment variables."""

Ci = Callable[..., GitHub | GitLab]
"""Creates a CI service from the name of an example, a checkout, and settings of the project. ``folder`` replaces the
workflow's line with the folder of ``Pulumi.yaml``."""


@pytest.fixture
def omni(omni_services: dict[str, OmniSimulator]) -> OmniSimulator:
    """An empty Omni simulator with one dialect."""
    service = omni_services["pages"]
    service.reset()
    return service


@pytest.fixture
def services(omni: OmniSimulator, lightdash: LightdashSimulator) -> dict[str, str]:
    """The environment variables that the simulator prints."""
    return {
        "OMNI_BASE_URL": omni.url,
        "OMNI_API_KEY": omni.api_key,
        "LIGHTDASH_URL": lightdash.url,
        "LIGHTDASH_API_KEY": lightdash.api_key,
    }


@pytest.fixture
def example(tmp_path: Path, services: dict[str, str]) -> Example:
    """Copies of examples, configured by environment variables."""

    def make(name: str, *, stack: str = "try", **env: str) -> PulumiCli:
        project = tmp_path / name
        copy(EXAMPLES / name, project)
        pulumi = PulumiCli(project, stack=stack, env={**services, **env})
        pulumi.create_stack()
        return pulumi

    return make


def copy(source: Path, to: Path) -> None:
    """Copies a folder without hidden and generated files."""
    shutil.copytree(source, to, ignore=shutil.ignore_patterns(".*", "__pycache__"))


@pytest.fixture
def comments() -> Iterator[Comments]:
    """The comments on pull request 7."""
    with serve() as comments:
        yield comments


@pytest.fixture(params=[GitHub, GitLab])
def ci(request: pytest.FixtureRequest, tmp_path: Path, services: dict[str, str], comments: Comments) -> Ci:
    """Each CI service, with its own backend and all variables of the examples."""
    service: type[GitHub | GitLab] = request.param
    state = tmp_path / "state"
    state.mkdir()
    settings = {
        **services,
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "a passphrase for a stack that is thrown away",
        "GITLAB_TOKEN": "a project's token",
    }

    def make(name: str, checkout: Path, *, folder: str | None = None, **further: str) -> GitHub | GitLab:
        text = (EXAMPLES / name / f"{service.__name__.lower()}.yml").read_text()
        if folder:
            text, places = re.subn(r"\S+ # the folder of Pulumi.yaml", folder, text)
            assert places == 1
        return service(text, checkout, api=comments.api, settings={**settings, **further})

    return make
