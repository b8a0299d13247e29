"""What the tests share: the two services, empty for each test, and a stack that is configured for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from omni_pulumi.simulator import GENERATED, PAGES, LightdashSimulator, OmniSimulator
from tests.servicer import Stack

DIALECTS = {"pages": PAGES, "generated": GENERATED}


@pytest.fixture(scope="session")
def omni_services() -> Iterator[dict[str, OmniSimulator]]:
    """An Omni for each dialect."""
    with OmniSimulator(dialect=PAGES) as pages, OmniSimulator(dialect=GENERATED) as generated:
        yield {"pages": pages, "generated": generated}


@pytest.fixture(scope="session")
def lightdash_service() -> Iterator[LightdashSimulator]:
    """A Lightdash."""
    with LightdashSimulator() as lightdash:
        yield lightdash


@pytest.fixture(params=DIALECTS)
def omni(request: pytest.FixtureRequest, omni_services: dict[str, OmniSimulator]) -> OmniSimulator:
    """An empty Omni; the test runs under each dialect."""
    service = omni_services[request.param]
    service.reset()
    return service


@pytest.fixture
def lightdash(lightdash_service: LightdashSimulator) -> LightdashSimulator:
    """An empty Lightdash."""
    lightdash_service.reset()
    return lightdash_service


@pytest.fixture
def omni_stack(omni: OmniSimulator) -> Stack:
    """A stack that is configured for Omni."""
    return Stack({"omni:baseUrl": omni.url, "omni:apiKey": omni.api_key})


@pytest.fixture
def lightdash_stack(lightdash: LightdashSimulator) -> Stack:
    """A stack that is configured for Lightdash."""
    return Stack({"lightdash:url": lightdash.url, "lightdash:apiKey": lightdash.api_key})


