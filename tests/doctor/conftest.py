"""Runs ``omni-pulumi doctor``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from omni_pulumi.doctor.checks import Status
from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tests import local_server
from tests.local_server import LocalServer
from tests.subcommand import Ended, Run, runner, settings


class Result(NamedTuple):
    """The result of a check in the output of ``--json``."""

    status: Status
    result: str
    advice: str


class Diagnosis(Ended):
    """What the command returned and wrote with ``--json``."""

    def of(self, check: str, subject: str | None = None) -> Result:
        """Return the only result of a check, of the whole instance or of a connection or project."""
        (found,) = (each for each in self.json["checks"] if (each["check"], each["subject"]) == (check, subject))
        return Result(found["status"], found["result"], found["advice"])

    @property
    def problems(self) -> list[str]:
        """The names of the checks that found a problem."""
        return [each["check"] for each in self.json["checks"] if each["status"] == "problem"]


Diagnose = Callable[..., Diagnosis]


@pytest.fixture
def run(
    omni: OmniSimulator,
    lightdash: LightdashSimulator,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Run:
    """Runs ``omni-pulumi doctor`` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name, value in {**settings(omni, lightdash), "OMNI_REQUESTS_PER_MINUTE": "60"}.items():
        monkeypatch.setenv(name, value)
    return runner("doctor", capsys)


@pytest.fixture
def diagnose(run: Run) -> Diagnose:
    """Runs ``omni-pulumi doctor --json``. Each warning and each problem has advice."""

    def diagnose(*arguments: str) -> Diagnosis:
        ended = Diagnosis(*run("--json", *arguments))
        found = {each["status"]: bool(each["advice"]) for each in ended.json["checks"]}
        assert found == {status: status in {"warning", "problem"} for status in found}
        assert ended.status == (1 if ended.problems else 0)
        return ended

    return diagnose


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """An HTTP server that is neither Omni nor Lightdash. It is also an HTTP proxy."""
    with local_server.running() as server:
        yield server


@pytest.fixture(autouse=True)
def _own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the proxies and certificates of the machine that runs the tests."""
    names = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}
    for name in list(os.environ):
        if name.upper() in names:
            monkeypatch.delenv(name)
