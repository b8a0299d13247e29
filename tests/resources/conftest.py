"""Fixtures that the tests of several resources share."""

from __future__ import annotations

import pytest

from omni_pulumi.simulator import GENERATED, LightdashSimulator, OmniSimulator
from tests.servicer import Stack


@pytest.fixture
def stack(omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator) -> Stack:
    """An empty stack that is configured for both services. Its Omni has a list of connection environments."""
    omni = omni_services["generated"]
    omni.reset()
    assert omni.dialect == GENERATED
    return Stack(
        {
            "omni:baseUrl": omni.url,
            "omni:apiKey": omni.api_key,
            "omni:requestsPerMinute": "1000000",
            "lightdash:url": lightdash.url,
            "lightdash:apiKey": lightdash.api_key,
        }
    )
