"""Runs ``omni-pulumi export``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from omni_pulumi.simulator import GENERATED, LightdashSimulator, OmniSimulator
from tests.subcommand import Run, runner, settings


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
    """Runs ``omni-pulumi export`` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name, value in settings(omni, lightdash).items():
        monkeypatch.setenv(name, value)
    return runner("export", capsys)


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
