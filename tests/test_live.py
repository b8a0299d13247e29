"""The tests against real instances work: run against the simulator, as against any other URL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from omni_pulumi.simulator import LightdashSimulator, OmniSimulator, faults

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent

OTHERS = {"ssh_url": "git@github.com:acme/theirs.git", "branch": "theirs"}


def run(env: dict[str, str]) -> str:
    """What pytest says of the live tests."""
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "tests/live"]
    given = {**os.environ, **env}
    done = subprocess.run(command, cwd=ROOT, env=given, text=True, capture_output=True, check=False)
    return done.stdout + done.stderr


@pytest.fixture
def settings(omni: OmniSimulator, lightdash: LightdashSimulator) -> dict[str, str]:
    """The switches, and the two services as instances."""
    return {
        "OMNI_LIVE": "1",
        "OMNI_BASE_URL": omni.url,
        "OMNI_API_KEY": omni.api_key,
        "OMNI_REQUESTS_PER_MINUTE": "6000",
        "OMNI_LIVE_CONNECTION_ID": omni.connection_id,
        "OMNI_LIVE_ENVIRONMENT_CONNECTION_ID": omni.staging_connection_id,
        "OMNI_LIVE_USER_ATTRIBUTE": "environment",
        "LIGHTDASH_LIVE": "1",
        "LIGHTDASH_URL": f"{lightdash.url}/api/v1/",
        "LIGHTDASH_API_KEY": lightdash.api_key,
        "LIGHTDASH_LIVE_PROJECT_UUID": lightdash.project_id,
    }


def assert_nothing_is_left(omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """Only what Omni makes by itself is there."""
    assert omni.dbt_configuration(omni.connection_id) is None
    assert [e for e in omni.environments(omni.connection_id) if not e["is_default_environment"]] == []
    assert omni.connection_environments() == []
    assert omni.environment_user_attribute(omni.connection_id) is None
    assert lightdash.sources(lightdash.project_id) == []


def test_they_run_against_any_url(settings: dict[str, str], omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """With the switches set all five lives are lived, and nothing is left behind."""
    said = run(settings)
    assert "5 passed" in said, said
    assert_nothing_is_left(omni, lightdash)


def test_they_clean_up_when_a_change_fails(
    settings: dict[str, str], omni: OmniSimulator, lightdash: LightdashSimulator
) -> None:
    """Lives that are cut short by a refused change leave nothing behind."""
    omni.inject(
        faults.Status(403, processed=False, method="PUT", path="/dbt$", after=2, times=None),
        faults.Status(403, processed=False, method="PUT", path="/dbt/environments/", times=None),
        faults.Status(403, processed=False, method="PUT", path="/connection-environments/", after=1, times=None),
    )
    lightdash.inject(faults.Status(403, processed=False, method="PATCH", times=None))
    said = run(settings)
    assert "4 failed" in said, said
    assert_nothing_is_left(omni, lightdash)


def test_they_clean_up_what_the_stack_does_not_know(
    settings: dict[str, str], omni: OmniSimulator, lightdash: LightdashSimulator
) -> None:
    """What was made although the service said no is found by its name, and removed."""
    omni.inject(
        faults.Status(403, processed=True, method="PUT", path="/dbt$"),
        faults.Status(403, processed=True, method="POST", path="/dbt/environments$"),
    )
    if omni.dialect.connection_environment_list:
        omni.inject(faults.Status(403, processed=True, method="POST", path="/connection-environments$"))
    lightdash.inject(faults.Status(403, processed=True, method="POST"))
    said = run(settings)
    assert f"{4 if omni.dialect.connection_environment_list else 3} failed" in said, said
    assert_nothing_is_left(omni, lightdash)


def test_they_leave_alone_what_is_there(
    settings: dict[str, str], omni: OmniSimulator, lightdash: LightdashSimulator
) -> None:
    """A dbt configuration that is there stays as it is, and the reason of the skip says so."""
    omni.configure_dbt(omni.connection_id, **OTHERS)
    before = omni.dbt_configuration(omni.connection_id)
    said = run(settings)
    assert "3 passed, 1 skipped" in said, said
    assert "has a dbt configuration, which is left alone" in said
    assert omni.dbt_configuration(omni.connection_id) == before
    assert [r for r in omni.requests if r.method in {"PUT", "DELETE"} and r.path.endswith("/dbt")] == []
    assert lightdash.sources(lightdash.project_id) == []


def test_they_are_skipped_with_a_reason() -> None:
    """Without the switches they are skipped, and the reason names the switch."""
    said = run({"OMNI_LIVE": "", "LIGHTDASH_LIVE": ""})
    assert "4 skipped" in said, said
    assert "OMNI_LIVE=1" in said
    assert "LIGHTDASH_LIVE=1" in said


def test_a_switch_without_settings_fails(settings: dict[str, str]) -> None:
    """Tests that were asked for and cannot run are no skip, and say what is missing."""
    said = run({**settings, "OMNI_LIVE_CONNECTION_ID": "", "LIGHTDASH_LIVE": ""})
    assert "1 skipped, 3 errors" in said, said
    assert "OMNI_LIVE=1 needs OMNI_LIVE_CONNECTION_ID" in said
