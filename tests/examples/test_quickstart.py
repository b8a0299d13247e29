"""The project in the root of the repository runs as the README says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.pulumi_cli import PulumiCli

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def exports() -> Iterator[dict[str, str]]:
    """The variables that ``make simulator`` prints. It runs during the test."""
    command = [sys.executable, "-m", "omni_pulumi.simulator", "--omni-port", "0", "--lightdash-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        lines = []
        for line in running.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        yield dict(re.findall(r"^export (\w+)=(\S+)$", "".join(lines), re.MULTILINE))
        running.terminate()


def test_quickstart(exports: dict[str, str], tmp_path: Path) -> None:
    """``up`` and ``destroy`` work with the simulator's variables and without configuration."""
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    shutil.copytree(ROOT / "examples" / "quickstart", tmp_path / "examples" / "quickstart")
    pulumi = PulumiCli(tmp_path, stack="try", env=exports)
    pulumi.create_stack()
    assert "+ 6 created" in pulumi.must("up", "--yes", "--skip-preview")
    assert "6 unchanged" in pulumi.must("preview", "--refresh", "--expect-no-changes")
    assert "- 6 deleted" in pulumi.must("destroy", "--yes", "--skip-preview")
