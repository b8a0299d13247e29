"""Session-wide simulators, reset before each test, and HTTP clients for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from omni_pulumi.simulator import (
    GENERATED,
    LIGHTDASH_VERSIONS,
    PAGES,
    PROJECT_ID,
    Dialect,
    LightdashSimulator,
    OmniSimulator,
)
from tests.simulator.lightdash_sources import SOURCES, WHOLE

StartOmni = Callable[[Dialect], OmniSimulator]
Connect = Callable[[str, str], httpx.Client]


@pytest.fixture(scope="session")
def start_omni() -> Iterator[StartOmni]:
    """Starts an Omni simulator with a dialect, or resets the running one."""
    with ExitStack() as stack:
        running: dict[Dialect, OmniSimulator] = {}

        def start(dialect: Dialect) -> OmniSimulator:
            if dialect not in running:
                running[dialect] = stack.enter_context(OmniSimulator(dialect=dialect))
            running[dialect].reset()
            return running[dialect]

        yield start


@pytest.fixture(scope="session")
def connect() -> Iterator[Connect]:
    """Returns a client for a URL, with an Authorization header unless it is empty."""
    with ExitStack() as stack:
        clients: dict[tuple[str, str], httpx.Client] = {}

        def client(url: str, authorization: str) -> httpx.Client:
            if (url, authorization) not in clients:
                headers = {"Authorization": authorization} if authorization else {}
                clients[url, authorization] = stack.enter_context(httpx.Client(base_url=url, headers=headers))
            return clients[url, authorization]

        yield client


@pytest.fixture(params=[PAGES, GENERATED], ids=["pages", "generated"])
def omni(request: pytest.FixtureRequest, start_omni: StartOmni) -> OmniSimulator:
    """A reset Omni simulator. The test runs once for each dialect."""
    return start_omni(request.param)


@pytest.fixture
def api(omni: OmniSimulator, connect: Connect) -> httpx.Client:
    """A client of `omni` with its Organization API key."""
    return connect(omni.url, f"Bearer {omni.api_key}")


@pytest.fixture(scope="session", params=LIGHTDASH_VERSIONS)
def running_lightdash(request: pytest.FixtureRequest) -> Iterator[LightdashSimulator]:
    """A Lightdash simulator of each version."""
    with LightdashSimulator(version=request.param) as simulator:
        yield simulator


@pytest.fixture
def lightdash(running_lightdash: LightdashSimulator) -> LightdashSimulator:
    """A reset Lightdash simulator. The test runs once for each version."""
    running_lightdash.reset()
    return running_lightdash


@pytest.fixture
def admin(lightdash: LightdashSimulator, connect: Connect) -> httpx.Client:
    """A client of `lightdash` with an admin's token."""
    return connect(lightdash.url, f"ApiKey {lightdash.api_key}")


@pytest.fixture
def source(lightdash: LightdashSimulator) -> str:
    """The path of a source that has every field."""
    return f"{SOURCES}/{lightdash.add_source(PROJECT_ID, 'finance', WHOLE)}"
