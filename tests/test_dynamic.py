"""What a provider does to the process that it runs in: its log, Ctrl-C, and how its errors are shown."""

from __future__ import annotations

import io
import logging
import sys

import pytest
from pulumi import dynamic

from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider


def configure() -> None:
    """What Pulumi calls before anything else of a provider."""
    config = dynamic.Config(raw_config={}, project_name="project")
    DbtConfigurationProvider().configure(dynamic.ConfigureRequest(config=config))


def test_the_log_masks_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log goes to stderr once, however often a provider is configured, without the user part of a URL."""
    log, stderr = logging.getLogger("omni_pulumi"), io.StringIO()
    monkeypatch.setattr(log, "handlers", [])
    monkeypatch.setattr(log, "propagate", True)
    monkeypatch.setattr(sys, "stderr", stderr)
    configure()
    configure()
    logging.getLogger("omni_pulumi.anything").warning("found %s", "https://user:made-up-token@acme.test/dbt.git")
    assert stderr.getvalue() == "omni_pulumi: found https://[secret]@acme.test/dbt.git\n"
