"""Every example has a complete project, a README, a row in the list of examples, and a test."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.examples.conftest import EXAMPLES

ROOT = EXAMPLES.parent
FOLDERS = sorted(path for path in EXAMPLES.iterdir() if path.is_dir() and not path.name.startswith("."))
PROGRAMS = [path for path in FOLDERS if (path / "__main__.py").exists()]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_is_explained_listed_and_run(folder: Path) -> None:
    """An example has a README, which for the quickstart is the repository's, a link there, and a test module."""
    assert f"](examples/{folder.name}/" in (ROOT / "README.md").read_text()
    assert folder.name == "quickstart" or (folder / "README.md").exists()
    assert (Path(__file__).parent / f"test_{folder.name}.py").exists()


@pytest.mark.parametrize("folder", PROGRAMS, ids=lambda path: path.name)
def test_is_a_project(folder: Path) -> None:
    """A program has a Pulumi.yaml whose settings have defaults, and a requirements.txt."""
    if folder.name == "quickstart":
        project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
        assert project["main"] == "examples/quickstart"
    else:
        project = yaml.safe_load((folder / "Pulumi.yaml").read_text())
        assert "omni-pulumi" in (folder / "requirements.txt").read_text().split()
    assert project["runtime"] == "python"
    assert all("default" in each for each in project.get("config", {}).values())
