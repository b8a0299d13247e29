"""Runs a subcommand of `omni-pulumi` in this process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from omni_pulumi.cli import main
from omni_pulumi.process import PROCESS
from omni_pulumi.simulator import LightdashSimulator, OmniSimulator


class Ended(NamedTuple):
    """What a command returned and wrote."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as JSON."""
        return json.loads(self.out)

    @property
    def summary(self) -> str:
        """The last line of stdout."""
        return self.out.splitlines()[-1]


Run = Callable[..., Ended]


def runner(subcommand: str, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a subcommand with its arguments, as a new process would."""

    def run(*arguments: str) -> Ended:
        PROCESS.reset()
        capsys.readouterr()
        status = main([subcommand, *arguments])
        PROCESS.reset()
        return Ended(status, *capsys.readouterr())

    return run


def settings(omni: OmniSimulator, lightdash: LightdashSimulator) -> dict[str, str]:
    """The environment variables of the two services."""
    return {
        "OMNI_BASE_URL": omni.url,
        "OMNI_API_KEY": omni.api_key,
        "OMNI_REQUESTS_PER_MINUTE": "1000000",
        "LIGHTDASH_URL": lightdash.url,
        "LIGHTDASH_API_KEY": lightdash.api_key,
    }


def unset(monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    """Remove the settings of a service."""
    for name in [name for name in os.environ if name.startswith(prefix)]:
        monkeypatch.delenv(name)
