"""The live tests, run against the simulator: what they need, and that they delete what they create."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from omni_pulumi.simulator import LightdashSimulator, OmniSimulator, faults
from tests.catalogue import SAMPLES

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent

EXISTING_CONFIGURATION = {"ssh_url": "git@github.com:acme/other.git", "branch": "other"}


def run(env: dict[str, str]) -> str:
    """Run the live tests with environment variables, and return the output of pytest."""
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "tests/live"]
    result = subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, text=True, capture_output=True, check=False)
    return result.stdout + result.stderr


@pytest.fixture
def settings(omni: OmniSimulator, lightdash: LightdashSimulator) -> dict[str, str]:
    """The environment variables for the live tests, with the two simulated services as instances."""
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
    """Assert that the services have only the objects that they create themselves."""
    assert omni.dbt_configuration(omni.connection_id) is None
    assert [e for e in omni.environments(omni.connection_id) if not e["is_default_environment"]] == []
    assert omni.connection_environments() == []
    assert omni.environment_user_attribute(omni.connection_id) is None
    assert lightdash.sources(lightdash.project_id) == []


def test_live_tests_pass_against_the_simulator(
    settings: dict[str, str], omni: OmniSimulator, lightdash: LightdashSimulator
) -> None:
    """The live test of each resource passes and leaves no object behind."""
    output = run(settings)
    assert f"{len(SAMPLES)} passed" in output, output
    assert_nothing_is_left(omni, lightdash)


def test_live_tests_clean_up_after_a_failed_update(
    settings: dict[str, str], omni: OmniSimulator, lightdash: LightdashSimulator
) -> None:
    """Live tests that fail because an update is refused leave no object behind."""
    omni.inject(
        faults.Status(403, processed=False, method="PUT", path="/dbt$", after=2, times=None),
        faults.Status(403, processed=False, method="PUT", path="/dbt/environments/", times=None),
        faults.Status(403, processed=False, method="PUT", path="/connection-environments/", after=1, times=None),
    )
    lightdash.inject(faults.Status(403, processed=False, method="PATCH", times=None))
    output = run(settings)
    assert "4 failed" in output, output
    assert_nothing_is_left(omni, lightdash)


def test_live_tests_clean_up_after_a_failed_create(
    settings: dict[str, str], omni: OmniSimulator, lightdash: LightdashSimulator
) -> None:
    """An object that a create made although its response was an error is found by its name and deleted."""
    omni.inject(
        faults.Status(403, processed=True, method="PUT", path="/dbt$"),
        faults.Status(403, processed=True, method="POST", path="/dbt/environments$"),
    )
    if omni.dialect.connection_environment_list:
        omni.inject(faults.Status(403, processed=True, method="POST", path="/connection-environments$"))
    lightdash.inject(faults.Status(403, processed=True, method="POST"))
    output = run(settings)
    assert f"{4 if omni.dialect.connection_environment_list else 3} failed" in output, output
    assert_nothing_is_left(omni, lightdash)


def test_live_tests_keep_an_existing_configuration(
    settings: dict[str, str], omni: OmniSimulator, lightdash: LightdashSimulator
) -> None:
    """The test of dbt configurations is skipped, with a reason, when the connection has one, which stays unchanged."""
    omni.configure_dbt(omni.connection_id, **EXISTING_CONFIGURATION)
    before = omni.dbt_configuration(omni.connection_id)
    output = run(settings)
    assert f"{len(SAMPLES) - 1} passed, 1 skipped" in output, output
    assert "has a dbt configuration, which is left alone" in output
    assert omni.dbt_configuration(omni.connection_id) == before
    assert [r for r in omni.requests if r.method in {"PUT", "DELETE"} and r.path.endswith("/dbt")] == []
    assert lightdash.sources(lightdash.project_id) == []


def test_live_tests_are_skipped_by_default() -> None:
    """Without ``OMNI_LIVE=1`` and ``LIGHTDASH_LIVE=1`` the live tests are skipped, and the reason names them."""
    output = run({"OMNI_LIVE": "", "LIGHTDASH_LIVE": ""})
    assert f"{len(SAMPLES)} skipped" in output, output
    assert "OMNI_LIVE=1" in output
    assert "LIGHTDASH_LIVE=1" in output


def test_missing_settings_are_an_error(settings: dict[str, str]) -> None:
    """With ``OMNI_LIVE=1`` a missing setting is an error that names it, and no skip."""
    services = Counter(sample.service.name for sample in SAMPLES.values())
    output = run({**settings, "OMNI_LIVE_CONNECTION_ID": "", "LIGHTDASH_LIVE": ""})
    assert f"{services['Lightdash']} skipped, {services['Omni']} errors" in output, output
    assert "OMNI_LIVE=1 needs OMNI_LIVE_CONNECTION_ID" in output
