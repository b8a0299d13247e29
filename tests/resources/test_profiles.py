"""Profiles: one stack manages objects of two instances."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from omni_pulumi.errors import ConfigurationError
from omni_pulumi.process import PROCESS
from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider
from omni_pulumi.simulator import CONNECTION_ID, OmniSimulator
from tests.catalogue import SAMPLES
from tests.servicer import ProviderError, Refusal, Stack

PROGRAM = SAMPLES["DbtConfiguration"].minimal
IN_EUROPE = {**PROGRAM, "profile": "eu"}


@pytest.fixture
def europe() -> Iterator[OmniSimulator]:
    """A second instance of Omni."""
    with OmniSimulator() as europe:
        yield europe
        PROCESS.reset()


def stack(omni: OmniSimulator, europe: OmniSimulator) -> Stack:
    """Return a stack that is configured for both instances: the second one has the profile ``eu``."""
    return Stack(
        {
            "omni:baseUrl": omni.url,
            "omni:apiKey": omni.api_key,
            "omni-eu:baseUrl": f"{europe.url}/api",
            "omni-eu:apiKey": europe.api_key,
        }
    )


def test_each_profile_has_its_instance(omni: OmniSimulator, europe: OmniSimulator) -> None:
    """Each operation of a resource goes to the instance of its profile."""
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


def test_profile_of_another_instance_replaces(omni: OmniSimulator, europe: OmniSimulator) -> None:
    """Changing to a profile of another instance creates the object there and deletes it on the first instance."""
    both = stack(omni, europe)
    provider = DbtConfigurationProvider()
    both.up("it", provider, PROGRAM)
    assert both.up("it", provider, IN_EUROPE) == "replace"
    assert omni.dbt_configuration(CONNECTION_ID) is None
    assert europe.dbt_configuration(CONNECTION_ID) is not None


def test_profile_of_the_same_instance_does_not_replace(omni: OmniSimulator) -> None:
    """Changing to another profile of the same instance is an update.

    A replacement would delete the object that it adopts.
    """
    both = stack(omni, omni)
    provider = DbtConfigurationProvider()
    both.up("it", provider, PROGRAM)
    assert both.up("it", provider, {**IN_EUROPE, "adopt": True}) == "update"
    assert omni.dbt_configuration(CONNECTION_ID) is not None
    assert both.preview("it", provider, IN_EUROPE) == "same"


def test_profile_without_settings(omni: OmniSimulator) -> None:
    """A preview fails when a profile has no settings, and names the commands that set them.

    A destroy fails in the same way, because it does not validate inputs.
    """
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
