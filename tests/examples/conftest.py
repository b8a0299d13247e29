"""What the tests of the examples share: a copy of an example's project, with the settings of the simulated services."""

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
"""Makes a stack of an example: its folder's name, the stack's name, and further variables of the environment."""

Ci = Callable[..., GitHub | GitLab]
"""Makes a CI service: an example's name, the checkout that it works in, and further settings of the project; ``folder``
changes the workflow's line that names the folder of ``Pulumi.yaml``."""


@pytest.fixture
def omni(omni_services: dict[str, OmniSimulator]) -> OmniSimulator:
    """An empty Omni; examples are run under one dialect."""
    service = omni_services["pages"]
    service.reset()
    return service


@pytest.fixture
def services(omni: OmniSimulator, lightdash: LightdashSimulator) -> dict[str, str]:
    """The variables that the simulator prints."""
    return {
        "OMNI_BASE_URL": omni.url,
        "OMNI_API_KEY": omni.api_key,
        "LIGHTDASH_URL": lightdash.url,
        "LIGHTDASH_API_KEY": lightdash.api_key,
    }


@pytest.fixture
def example(tmp_path: Path, services: dict[str, str]) -> Example:
    """Examples as a user has them, configured by the services' variables."""

    def make(name: str, *, stack: str = "try", **env: str) -> PulumiCli:
        project = tmp_path / name
        copy(EXAMPLES / name, project)
        pulumi = PulumiCli(project, stack=stack, env={**services, **env})
        pulumi.create_stack()
        return pulumi

    return make


def copy(source: Path, to: Path) -> None:
    """Copy a folder without what running it has left there."""
    shutil.copytree(source, to, ignore=shutil.ignore_patterns(".*", "__pycache__"))


@pytest.fixture
def comments() -> Iterator[Comments]:
    """The comments of pull request 7."""
    with serve() as comments:
        yield comments


@pytest.fixture(params=[GitHub, GitLab])
def ci(request: pytest.FixtureRequest, tmp_path: Path, services: dict[str, str], comments: Comments) -> Ci:
    """Each CI service, with a project on a backend of its own and all that the examples have filled in."""
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
