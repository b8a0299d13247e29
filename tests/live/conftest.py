"""Real instances are what the developer's environment names, and they take their time."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from omni_pulumi.process import PROCESS
from tests.live.settings import lightdash, omni

__all__ = ["lightdash", "omni"]


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
