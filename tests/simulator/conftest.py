"""Simulators that run for the whole session and are emptied before each test, and clients that speak to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from omni_pulumi.simulator import GENERATED, PAGES, Dialect, LightdashSimulator, OmniSimulator

OmniStart = Callable[[Dialect], OmniSimulator]
Connect = Callable[[str, str], httpx.Client]


@pytest.fixture(scope="session")
def omni_with() -> Iterator[OmniStart]:
    """A running, empty Omni of a dialect."""
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
    """A client for an address, with an Authorization header unless that is empty."""
    with ExitStack() as stack:
        clients: dict[tuple[str, str], httpx.Client] = {}

        def client(url: str, authorization: str) -> httpx.Client:
            if (url, authorization) not in clients:
                headers = {"Authorization": authorization} if authorization else {}
                clients[url, authorization] = stack.enter_context(httpx.Client(base_url=url, headers=headers))
            return clients[url, authorization]

        yield client


@pytest.fixture(params=[PAGES, GENERATED], ids=["pages", "generated"])
def omni(request: pytest.FixtureRequest, omni_with: OmniStart) -> OmniSimulator:
    """An empty Omni, in both dialects."""
    return omni_with(request.param)


@pytest.fixture
def api(omni: OmniSimulator, connect: Connect) -> httpx.Client:
    """A client of `omni` with its Organization API key."""
    return connect(omni.url, f"Bearer {omni.api_key}")


@pytest.fixture(scope="session")
def running_lightdash() -> Iterator[LightdashSimulator]:
    """A running Lightdash 0.3277.1."""
    with LightdashSimulator() as simulator:
        yield simulator


@pytest.fixture
def lightdash(running_lightdash: LightdashSimulator) -> LightdashSimulator:
    """An empty Lightdash 0.3277.1."""
    running_lightdash.reset()
    return running_lightdash


@pytest.fixture
def admin(lightdash: LightdashSimulator, connect: Connect) -> httpx.Client:
    """A client of `lightdash` with an admin's token."""
    return connect(lightdash.url, f"ApiKey {lightdash.api_key}")
