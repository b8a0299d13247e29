"""What the tests of the examples share: a copy of an example's project, with the settings of the simulated services."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tools.pulumi_cli import PulumiCli

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"

Example = Callable[..., PulumiCli]
"""Makes a stack of an example: its folder's name, the stack's name, and further variables of the environment."""


@pytest.fixture
def omni(omni_services: dict[str, OmniSimulator]) -> OmniSimulator:
    """An empty Omni; examples are run under one dialect."""
    service = omni_services["pages"]
    service.reset()
    return service


@pytest.fixture
def example(tmp_path: Path, omni: OmniSimulator, lightdash: LightdashSimulator) -> Example:
    """Examples as a user has them, configured by the variables that the simulator prints."""

    def make(name: str, *, stack: str = "try", **env: str) -> PulumiCli:
        project = tmp_path / name
        shutil.copytree(EXAMPLES / name, project, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        services = {
            "OMNI_BASE_URL": omni.url,
            "OMNI_API_KEY": omni.api_key,
            "LIGHTDASH_URL": lightdash.url,
            "LIGHTDASH_API_KEY": lightdash.api_key,
        }
        pulumi = PulumiCli(project, stack=stack, env={**services, **env})
        pulumi.create_stack()
        return pulumi

    return make
