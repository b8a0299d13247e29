"""One stack, two instances: what a profile does to a resource."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from omni_pulumi.api.errors import ConfigurationError
from omni_pulumi.process import PROCESS
from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider
from omni_pulumi.simulator import CONNECTION_ID, OmniSimulator
from tests.catalogue import SAMPLES
from tests.servicer import ProviderError, Refusal, Stack

PROGRAM = SAMPLES["DbtConfiguration"].minimal
IN_EUROPE = {**PROGRAM, "profile": "eu"}


@pytest.fixture
def europe() -> Iterator[OmniSimulator]:
    """Another Omni."""
    with OmniSimulator() as europe:
        yield europe
        PROCESS.reset()


def stack(omni: OmniSimulator, europe: OmniSimulator) -> Stack:
    """A stack that is configured for both."""
    return Stack(
        {
            "omni:baseUrl": omni.url,
            "omni:apiKey": omni.api_key,
            "omni-eu:baseUrl": f"{europe.url}/api",
            "omni-eu:apiKey": europe.api_key,
        }
    )


def test_each_goes_to_its_own(omni: OmniSimulator, europe: OmniSimulator) -> None:
    """Resources of two profiles live side by side, each on its instance, through all operations."""
    both = stack(omni, europe)
    provider = DbtConfigurationProvider()
    assert both.up("here", provider, PROGRAM) == "create"
    assert both.up("there", provider, {**IN_EUROPE, "branch": "eu"}) == "create"
    assert both.refresh("here")
    assert both.refresh("there")
    assert both.preview("there", provider, {**IN_EUROPE, "branch": "eu"}) == "same"
    assert (omni.dbt_configuration(CONNECTION_ID) or {})["branch"] == "main"
    assert (europe.dbt_configuration(CONNECTION_ID) or {})["branch"] == "eu"
    both.destroy("there")
    assert europe.dbt_configuration(CONNECTION_ID) is None
    assert omni.dbt_configuration(CONNECTION_ID) is not None


def test_another_instance_replaces(omni: OmniSimulator, europe: OmniSimulator) -> None:
    """A profile that leads elsewhere makes the object there and removes it here."""
    both = stack(omni, europe)
    provider = DbtConfigurationProvider()
    both.up("it", provider, PROGRAM)
    assert both.up("it", provider, IN_EUROPE) == "replace"
    assert omni.dbt_configuration(CONNECTION_ID) is None
    assert europe.dbt_configuration(CONNECTION_ID) is not None


def test_another_name_for_the_same_instance_does_not_replace(omni: OmniSimulator) -> None:
    """To replace here would remove what was just taken over: a profile that is only renamed is an update."""
    both = stack(omni, omni)
    provider = DbtConfigurationProvider()
    both.up("it", provider, PROGRAM)
    assert both.up("it", provider, {**IN_EUROPE, "adopt": True}) == "update"
    assert omni.dbt_configuration(CONNECTION_ID) is not None
    assert both.preview("it", provider, IN_EUROPE) == "same"


def test_a_profile_without_settings_is_named(omni: OmniSimulator) -> None:
    """At preview, with the commands that set it; and in a destroy, which has no preview of its own."""
    configured = stack(omni, omni)
    provider = DbtConfigurationProvider()
    configured.up("it", provider, IN_EUROPE)
    bare = Stack({"omni:baseUrl": omni.url, "omni:apiKey": omni.api_key}, configured.resources)
    refusal = bare.servicer.check(provider, IN_EUROPE)
    assert isinstance(refusal, Refusal)
    (reason,) = refusal.failures.values()
    assert "pulumi config set omni-eu:baseUrl" in reason
    with pytest.raises(ProviderError) as caught:
        bare.destroy("it")
    assert isinstance(caught.value.error, ConfigurationError)
    assert caught.value.error.settings == ("omni-eu:baseUrl", "omni-eu:apiKey")
    assert "pulumi config set --secret omni-eu:apiKey" in str(caught.value.error)
