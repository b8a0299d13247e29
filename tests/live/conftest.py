"""Fixtures for the live tests: real instances, which environment variables configure."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from omni_pulumi.process import PROCESS
from omni_pulumi.settings import LIGHTDASH, OMNI
from tests.live.instances import Lightdash, Omni, OutsideClient
from tests.servicer import Stack


@pytest.fixture
def unique() -> str:
    """A name that no other object has."""
    return f"omni-pulumi-test-{uuid.uuid4().hex[:12]}"


@pytest.fixture(autouse=True)
def _remove_settings() -> None:
    """Keep the environment variables, which all other tests remove."""


@pytest.fixture(autouse=True)
def sleeps() -> Iterator[None]:
    """Wait before retries, unlike in all other tests."""
    yield
    PROCESS.reset()


@pytest.fixture
def omni() -> Iterator[Omni]:
    """The Omni instance of ``OMNI_BASE_URL``. Without ``OMNI_LIVE=1`` the test is skipped."""
    settings = _settings("OMNI_LIVE", "OMNI_BASE_URL", "OMNI_API_KEY", "OMNI_LIVE_CONNECTION_ID")
    config = {"omni:baseUrl": settings["OMNI_BASE_URL"], "omni:apiKey": settings["OMNI_API_KEY"]}
    instance = OMNI.instance(config.get, None)
    outside = OutsideClient(instance.url, f"Bearer {instance.api_key}")
    yield Omni(Stack(config), outside, settings["OMNI_LIVE_CONNECTION_ID"].lower())
    outside.close()


@pytest.fixture
def lightdash() -> Iterator[Lightdash]:
    """The Lightdash instance of ``LIGHTDASH_URL``. Without ``LIGHTDASH_LIVE=1`` the test is skipped."""
    settings = _settings("LIGHTDASH_LIVE", "LIGHTDASH_URL", "LIGHTDASH_API_KEY", "LIGHTDASH_LIVE_PROJECT_UUID")
    config = {"lightdash:url": settings["LIGHTDASH_URL"], "lightdash:apiKey": settings["LIGHTDASH_API_KEY"]}
    instance = LIGHTDASH.instance(config.get, None)
    outside = OutsideClient(instance.url, f"ApiKey {instance.api_key}")
    yield Lightdash(Stack(config), outside, settings["LIGHTDASH_LIVE_PROJECT_UUID"].lower())
    outside.close()


def _settings(switch: str, *names: str) -> dict[str, str]:
    """Return settings by name, or skip the test unless the switch is 1. A missing setting then fails the test."""
    if os.environ.get(switch) != "1":
        pytest.skip(f"runs against a real instance: set {switch}=1 and {', '.join(names)}")
    missing = [name for name in names if not os.environ.get(name)]
    assert missing == [], f"{switch}=1 needs {', '.join(missing)}"
    return {name: os.environ[name] for name in names}
