"""Runs the command in this process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from omni_pulumi.cli import main
from omni_pulumi.process import PROCESS
from omni_pulumi.simulator import GENERATED, LightdashSimulator, OmniSimulator


class Ended(NamedTuple):
    """What a command returned and wrote."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as JSON."""
        return json.loads(self.out)

    @property
    def summary(self) -> str:
        """The last line of stdout."""
        return self.out.splitlines()[-1]


Run = Callable[..., Ended]


def settings(omni: OmniSimulator, lightdash: LightdashSimulator) -> dict[str, str]:
    """The environment variables of the two services."""
    return {
        "OMNI_BASE_URL": omni.url,
        "OMNI_API_KEY": omni.api_key,
        "OMNI_REQUESTS_PER_MINUTE": "1000000",
        "LIGHTDASH_URL": lightdash.url,
        "LIGHTDASH_API_KEY": lightdash.api_key,
    }


@pytest.fixture
def lightdash_version(omni: OmniSimulator) -> str:
    """Another version of Lightdash for each dialect of Omni, so that the tests run twice instead of four times."""
    return "1.237.0" if omni.dialect == GENERATED else "0.3277.1"


@pytest.fixture
def run(
    omni: OmniSimulator,
    lightdash: LightdashSimulator,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Run:
    """Runs ``omni-pulumi export`` in an empty folder, as a new process would."""
    monkeypatch.chdir(tmp_path)
    for name, value in settings(omni, lightdash).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Ended:
        PROCESS.reset()
        capsys.readouterr()
        status = main(["export", *arguments])
        PROCESS.reset()
        return Ended(status, *capsys.readouterr())

    return run


def written(directory: Path) -> Mapping[str, str]:
    """The content of all files by path."""
    return {
        str(path.relative_to(directory)): path.read_text()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and ".pulumi-" not in str(path)
    }


def writes(*services: OmniSimulator | LightdashSimulator) -> list[str]:
    """The requests that are no reads, as method and path."""
    return [f"{each.method} {each.path}" for service in services for each in service.requests if each.method != "GET"]


def unset(monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    """Remove the settings of a service."""
    for name in [name for name in os.environ if name.startswith(prefix)]:
        monkeypatch.delenv(name)
