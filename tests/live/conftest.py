"""Real instances are what the developer's environment names, and they take their time."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from omni_pulumi.process import PROCESS
from omni_pulumi.settings import LIGHTDASH, OMNI
from tests.live.instances import Lightdash, Omni, Others
from tests.servicer import Stack


@pytest.fixture
def unique() -> str:
    """A name that nothing else has."""
    return f"omni-pulumi-test-{uuid.uuid4().hex[:12]}"


@pytest.fixture(autouse=True)
def _no_settings_of_ours() -> None:
    """Unlike elsewhere, the developer's settings are what these tests are about."""


@pytest.fixture(autouse=True)
def pauses() -> Iterator[None]:
    """Unlike elsewhere, pauses are real."""
    yield
    PROCESS.reset()


@pytest.fixture
def omni() -> Iterator[Omni]:
    """The Omni of ``OMNI_BASE_URL``, or a skip that names the switch."""
    given = _needed("OMNI_LIVE", "OMNI_BASE_URL", "OMNI_API_KEY", "OMNI_LIVE_CONNECTION_ID")
    config = {"omni:baseUrl": given["OMNI_BASE_URL"], "omni:apiKey": given["OMNI_API_KEY"]}
    instance = OMNI.instance(config.get, None)
    others = Others(instance.url, f"Bearer {instance.api_key}")
    yield Omni(Stack(config), others, given["OMNI_LIVE_CONNECTION_ID"].lower())
    others.close()


@pytest.fixture
def lightdash() -> Iterator[Lightdash]:
    """The Lightdash of ``LIGHTDASH_URL``, or a skip that names the switch."""
    given = _needed("LIGHTDASH_LIVE", "LIGHTDASH_URL", "LIGHTDASH_API_KEY", "LIGHTDASH_LIVE_PROJECT_UUID")
    config = {"lightdash:url": given["LIGHTDASH_URL"], "lightdash:apiKey": given["LIGHTDASH_API_KEY"]}
    instance = LIGHTDASH.instance(config.get, None)
    others = Others(instance.url, f"ApiKey {instance.api_key}")
    yield Lightdash(Stack(config), others, given["LIGHTDASH_LIVE_PROJECT_UUID"].lower())
    others.close()


def _needed(switch: str, *names: str) -> dict[str, str]:
    """Settings by name. A test that was asked for and cannot run fails."""
    if os.environ.get(switch) != "1":
        pytest.skip(f"runs against a real instance: set {switch}=1 and {', '.join(names)}")
    missing = [name for name in names if not os.environ.get(name)]
    assert missing == [], f"{switch}=1 needs {', '.join(missing)}"
    return {name: os.environ[name] for name in names}
