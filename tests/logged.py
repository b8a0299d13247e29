"""Reads the log of the providers. Tests assert on the level and on facts, not on sentences."""

from __future__ import annotations

import logging

import pytest


def warnings(log: pytest.LogCaptureFixture) -> list[str]:
    """Return the texts of the logged warnings, in order."""
    return [record.getMessage() for record in log.records if record.levelno == logging.WARNING]
