"""The tests against real instances work: run against the simulator, as against any other URL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from omni_pulumi.simulator import LightdashSimulator, OmniSimulator

ROOT = Path(__file__).resolve().parent.parent


def run(env: dict[str, str]) -> str:
    """What pytest says of the live tests."""
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "tests/live"]
    given = {**os.environ, **env}
    return subprocess.run(command, cwd=ROOT, env=given, text=True, capture_output=True, check=False).stdout


def test_they_run_against_any_url(omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """With the switches set all four lives are lived, and nothing is left behind."""
    said = run(
        {
            "OMNI_LIVE": "1",
            "OMNI_BASE_URL": omni.url,
            "OMNI_API_KEY": omni.api_key,
            "OMNI_REQUESTS_PER_MINUTE": "6000",
            "OMNI_LIVE_CONNECTION_ID": omni.connection_id,
            "OMNI_LIVE_ENVIRONMENT_CONNECTION_ID": omni.staging_connection_id,
            "LIGHTDASH_LIVE": "1",
            "LIGHTDASH_URL": f"{lightdash.url}/api/v1/",
            "LIGHTDASH_API_KEY": lightdash.api_key,
            "LIGHTDASH_LIVE_PROJECT_UUID": lightdash.project_id,
        }
    )
    assert "4 passed" in said, said
    assert omni.dbt_configuration(omni.connection_id) is None
    assert [e for e in omni.environments(omni.connection_id) if not e["is_default_environment"]] == []
    assert omni.connection_environments() == []
    assert lightdash.sources(lightdash.project_id) == []


def test_they_are_skipped_with_a_reason() -> None:
    """Without the switches they are skipped, and the reason names the switch."""
    said = run({"OMNI_LIVE": "", "LIGHTDASH_LIVE": ""})
    assert "4 skipped" in said, said
    assert "OMNI_LIVE=1" in said
    assert "LIGHTDASH_LIVE=1" in said
