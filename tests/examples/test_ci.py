"""The CI services of the tests change nothing outside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples.ci import run

pytestmark = pytest.mark.slow


def test_pulumi_writes_into_the_checkout(tmp_path: Path) -> None:
    """Pulumi writes its settings into the checkout, not into the home folder of the user."""
    (tmp_path / "Pulumi.yaml").write_text("name: written-by-the-tests\nruntime: python\n")
    backend = {"PULUMI_BACKEND_URL": tmp_path.as_uri(), "PULUMI_CONFIG_PASSPHRASE": "any"}
    output, status = run(["pulumi", "stack", "init", "prod"], tmp_path, backend)
    assert status == 0, output
    assert list((tmp_path / ".pulumi-home" / "workspaces").glob("written-by-the-tests-*"))
