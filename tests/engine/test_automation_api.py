"""Programs that run in one process, with Pulumi's Automation API."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from omni_pulumi.simulator import CONNECTION_ID, OmniSimulator
from tools.pulumi_cli import PulumiCli

pytestmark = pytest.mark.slow

PROGRAM = f"""
from pulumi import automation

from omni_pulumi import DbtEnvironment


def program():
    for name in ("one", "two"):
        DbtEnvironment(name, connection_id="{CONNECTION_ID}", name=name, target_schema=name)


for name in ("first", "second"):
    stack = automation.create_stack(name, project_name="several", program=program)
    stack.set_config("omni:baseUrl", automation.ConfigValue("https://omni.example.com"))
    stack.set_config("omni:apiKey", automation.ConfigValue("{OmniSimulator.api_key}"))
    events = []
    stack.preview(on_event=events.append)
    messages = [event.diagnostic_event.message for event in events if event.diagnostic_event]
    print(name, sum("`pulumi config set --secret omni:apiKey`" in message for message in messages))
"""


def test_warning_about_a_key_in_plain_text(tmp_path: Path) -> None:
    """Each stack of a process gets the warning about its API key once."""
    cli = PulumiCli(tmp_path, stack="first")
    (tmp_path / ".pulumi-state").mkdir()
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env={**cli.env}, capture_output=True, text=True, check=False
    )
    assert result.stdout.splitlines() == ["first 1", "second 1"], result.stderr
