"""The documented commands work, against the simulators."""

from __future__ import annotations

import io
import json
import re
import shlex
from pathlib import Path

import pytest

from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tests.export.estate import fill_lightdash, fill_omni
from tests.export.test_objects import stack_of
from tests.subcommand import Run

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
COMMANDS = list(dict.fromkeys(re.findall(r"^(?:.* \| )?(omni-pulumi export .*)$", PAGE, re.MULTILINE)))


def test_documented_commands(
    run: Run, omni: OmniSimulator, lightdash: LightdashSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command of the page succeeds, in the order of the page."""
    connection = fill_omni(omni)[0]
    omni.rename_connection(connection, "Warehouse")
    fill_lightdash(lightdash)
    assert len(COMMANDS) == 8
    for each in COMMANDS:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(stack_of()).encode())))
        ended = run(*shlex.split(each)[2:])
        assert ended.status == 0, f"{each}: {ended.err}"


@pytest.mark.parametrize("option", re.findall(r"`(--[a-z-]+)", PAGE))
def test_documented_options(run: Run, option: str) -> None:
    """The help describes each option of the page, except those of Pulumi."""
    assert re.search(rf"^  (-o, )?{option}\b", run("--help").out, re.MULTILINE)


def test_the_documented_number_of_requests(run: Run, omni: OmniSimulator) -> None:
    """A read of 50 connections takes the documented number of requests, if each list has one page."""
    connections = [omni.add_connection(f"Warehouse {number}") for number in range(50)]
    for each in connections:
        omni.configure_dbt(each)
    assert run("omni", *[option for each in connections for option in ("--connection", each)]).status == 0
    assert [int(number) for number in re.findall(r"takes (\d+) requests", PAGE)] == [len(omni.requests)]
