"""Fixtures for all tests: the two simulated services, empty for each test, and stacks that are configured for them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack

import hypothesis
import pytest

from omni_pulumi.process import PROCESS
from omni_pulumi.simulator import GENERATED, LIGHTDASH_VERSIONS, PAGES, LightdashSimulator, OmniSimulator
from tests.servicer import Stack

hypothesis.settings.register_profile("busy machine", deadline=None)
hypothesis.settings.load_profile("busy machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the length of the stateful test."""
    parser.addoption("--sequences", type=int, default=60, help="sequences of the stateful test (default: %(default)s)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slow tests first, so that the parallel test processes end at about the same time."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


DIALECTS = {"pages": PAGES, "generated": GENERATED}


@pytest.fixture(scope="session")
def omni_services() -> Iterator[dict[str, OmniSimulator]]:
    """A simulated Omni for each dialect."""
    with OmniSimulator(dialect=PAGES) as pages, OmniSimulator(dialect=GENERATED) as generated:
        yield {"pages": pages, "generated": generated}
        PROCESS.reset()


@pytest.fixture(scope="session")
def lightdash_services() -> Iterator[dict[str, LightdashSimulator]]:
    """A simulated Lightdash of each version."""
    with ExitStack() as running:
        yield {version: running.enter_context(LightdashSimulator(version=version)) for version in LIGHTDASH_VERSIONS}


@pytest.fixture(scope="session")
def lightdash_service(lightdash_services: dict[str, LightdashSimulator]) -> LightdashSimulator:
    """A simulated Lightdash of the default version."""
    return lightdash_services[LIGHTDASH_VERSIONS[0]]


@pytest.fixture
def lightdash_version() -> str:
    """The newest version of Lightdash. Tests that run once for each version replace this fixture."""
    return LIGHTDASH_VERSIONS[-1]


@pytest.fixture(params=DIALECTS)
def omni(request: pytest.FixtureRequest, omni_services: dict[str, OmniSimulator]) -> OmniSimulator:
    """An empty Omni. The test runs once for each dialect."""
    service = omni_services[request.param]
    service.reset()
    return service


@pytest.fixture
def lightdash(lightdash_services: dict[str, LightdashSimulator], lightdash_version: str) -> LightdashSimulator:
    """An empty Lightdash."""
    service = lightdash_services[lightdash_version]
    service.reset()
    return service


@pytest.fixture
def omni_stack(omni: OmniSimulator) -> Stack:
    """A stack that is configured for Omni."""
    return Stack({"omni:baseUrl": omni.url, "omni:apiKey": omni.api_key, "omni:requestsPerMinute": "1000000"})


@pytest.fixture
def lightdash_stack(lightdash: LightdashSimulator) -> Stack:
    """A stack that is configured for Lightdash."""
    return Stack({"lightdash:url": lightdash.url, "lightdash:apiKey": lightdash.api_key})


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.LogCaptureFixture]:
    """The log of the providers, which the root logger does not get."""
    logger = logging.getLogger("omni_pulumi")
    monkeypatch.setattr(logger, "propagate", False)
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


@pytest.fixture(autouse=True)
def _remove_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the environment variables that the developer has set for real instances."""
    for name in list(os.environ):
        if name.startswith(("OMNI_", "LIGHTDASH_")) and name != "OMNI_PULUMI_CACHE":
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays before retries and reads, in seconds. Tests record them instead of waiting."""
    delays: list[float] = []
    monkeypatch.setattr(PROCESS.cancellation, "sleep", delays.append)
    return delays
