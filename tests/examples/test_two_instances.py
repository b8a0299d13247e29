"""One stack manages two Omni instances, selected by profile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from omni_pulumi.simulator import CONNECTION_ID, OmniSimulator
from tests.examples.conftest import Example

pytestmark = pytest.mark.slow


@pytest.fixture
def europe() -> Iterator[OmniSimulator]:
    """A second Omni simulator."""
    with OmniSimulator() as europe:
        yield europe


def schemas(omni: OmniSimulator) -> set[str]:
    """Returns the target schemas in an instance, without that of the default environment."""
    return {each["target_schema"] for each in omni.environments(CONNECTION_ID) if each["name"] == "Staging"}


def test_two_instances(example: Example, omni: OmniSimulator, europe: OmniSimulator) -> None:
    """Configured by variables: each instance has its own resources, and drift is corrected in one instance only."""
    pulumi = example("two_instances", OMNI_EU_BASE_URL=europe.url, OMNI_EU_API_KEY=europe.api_key)
    assert "+ 7 created" in pulumi.must("up", "--yes", "--skip-preview")
    assert (schemas(omni), schemas(europe)) == ({"analytics_us"}, {"analytics_eu"})
    assert (
        omni.environment_user_attribute(CONNECTION_ID) == europe.environment_user_attribute(CONNECTION_ID) is not None
    )
    assert "7 unchanged" in pulumi.must("preview", "--refresh", "--expect-no-changes")

    europe.configure_dbt(CONNECTION_ID, branch="hotfix")
    assert "~ 1 updated" in pulumi.must("up", "--yes", "--skip-preview", "--refresh")
    assert (europe.dbt_configuration(CONNECTION_ID) or {})["branch"] == "main"

    assert "- 7 deleted" in pulumi.must("destroy", "--yes", "--skip-preview")
    assert (omni.dbt_configuration(CONNECTION_ID), europe.dbt_configuration(CONNECTION_ID)) == (None, None)


def test_stack_configuration(example: Example, omni: OmniSimulator, europe: OmniSimulator) -> None:
    """The stack's configuration can have the settings of a profile, with the API key as a secret."""
    pulumi = example("two_instances")
    pulumi.must("config", "set", "omni-eu:baseUrl", europe.url)
    pulumi.must("config", "set", "--secret", "omni-eu:apiKey", europe.api_key)
    pulumi.must("up", "--yes", "--skip-preview")
    assert (schemas(omni), schemas(europe)) == ({"analytics_us"}, {"analytics_eu"})
