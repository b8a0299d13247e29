"""The documented commands and facts are those of the command."""

from __future__ import annotations

import re
import shlex
from typing import NoReturn

import pytest

from omni_pulumi.api.omni.client import OmniClient
from omni_pulumi.doctor import network
from omni_pulumi.simulator import CONNECTION_ID, STAGING_CONNECTION_ID, LightdashSimulator, OmniSimulator
from tests.export.estate import SOURCE
from tests.subcommand import Run
from tests.test_docs import ROOT, blocks

PATH = ROOT / "docs" / "doctor.md"
PAGE = PATH.read_text(encoding="utf-8")
URL = "https://acme.omniapp.co"


@pytest.fixture
def omni(omni_services: dict[str, OmniSimulator]) -> OmniSimulator:
    """The Omni of the documentation."""
    service = omni_services["generated"]
    service.reset()
    service.configure_dbt(CONNECTION_ID)
    service.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID, ["staging"])
    return service


@pytest.mark.parametrize("command", [line for block in blocks(PATH, "shell") for line in block.splitlines()])
def test_documented_commands(run: Run, command: str) -> None:
    """Each command of the page works, and finds nothing but the documented problem."""
    ended = run(*shlex.split(command.partition(" > ")[0])[2:])
    assert (ended.status, ended.err) == (0 if "lightdash" in command else 1, "")
    assert "--report" in command or f"Problems: {ended.status}" in ended.summary


def test_documented_output(run: Run, omni: OmniSimulator) -> None:
    """The output of the page is that of the command. Only the line about the network differs for a local URL."""
    (quoted,) = blocks(PATH, "text")
    written = run("omni", "--connection", "Warehouse").out.replace(omni.url, URL)
    assert written.replace(network.settings(omni.url), network.settings(URL)) == quoted


def test_documented_checks(run: Run, lightdash: LightdashSimulator) -> None:
    """The page describes each check."""
    lightdash.break_credentials(lightdash.add_source(lightdash.project_id, "finance", SOURCE))
    rows = re.findall(r"^\| ([\w ,]+) \|", PAGE.partition("## What is checked")[2].partition("## ")[0], re.MULTILINE)
    documented = {name for row in rows for name in row.split(", ")} - {"check"}
    found = set(re.findall(r'"check": "([\w ]+)"', run("--json").out))
    assert found - documented == {"version"}
    assert documented - found == {"settings"}


def test_documented_exit_statuses(run: Run) -> None:
    """The exit statuses are those of the page about all commands, and of the help."""
    general = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    statuses = re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)
    assert statuses == re.findall(r"^\| (\d+) \|", general, re.MULTILINE)
    assert statuses == re.findall(r"\b\d+\b", run("--help").out.partition("Exit status:")[2].partition("\n\n")[0])


def test_interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is one line and exit status 130."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(OmniClient, "list_connections", interrupt)
    ended = run("omni")
    assert (ended.status, ended.out, ended.err.strip().count("\n")) == (130, "", 0)
