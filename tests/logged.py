"""What the providers have logged, by level: a test names the level and the fact, not the sentence."""

from __future__ import annotations

import logging

import pytest


def warnings(log: pytest.LogCaptureFixture) -> list[str]:
    """Texts of the warnings, in the order in which they were logged."""
    return [record.getMessage() for record in log.records if record.levelno == logging.WARNING]
