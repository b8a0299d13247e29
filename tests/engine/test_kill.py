"""Kills the provider process or the CLI during a request, and runs ``pulumi up`` again.

A create that is killed may leave an object that is not in the state. The next ``up`` then refuses to overwrite it and
names ``adopt=True``, with which it succeeds.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import Self

from omni_pulumi.simulator import CONNECTION_ID, GENERATED, LightdashSimulator, OmniSimulator, faults
from tests.engine.programs import connection, program
from tests.engine.project import Program, Project
from tests.engine.services import Services

pytestmark = pytest.mark.slow

CHANGED = program({"branch": "b"}, {"target_schema": "b"}, {"user_attribute_values": ["b"]}, connection(branch="b"))
EMPTY: Program = {}

KILLED_REQUESTS = {
    "create dbt configuration": ("omni", "PUT", "/dbt$", EMPTY, program()),
    "create environment": ("omni", "POST", "/environments$", EMPTY, program()),
    "create connection environment": ("omni", "POST", "/connection-environments$", EMPTY, program()),
    "set values of new connection environment": ("omni", "PUT", "/connection-environments/", EMPTY, program()),
    "create source": ("lightdash", "POST", "/dbt-sources$", EMPTY, program()),
    "update dbt configuration": ("omni", "PUT", "/dbt$", program(), CHANGED),
    "update environment": ("omni", "PUT", "/environments/", program(), CHANGED),
    "update source": ("lightdash", "PATCH", "/dbt-sources/", program(), CHANGED),
    "delete environment": ("omni", "DELETE", "/environments/", program(), EMPTY),
    "delete source": ("lightdash", "DELETE", "/dbt-sources/", program(), EMPTY),
}


@pytest.fixture
def omni() -> Iterator[OmniSimulator]:
    """An Omni that has a list of connection environments."""
    with OmniSimulator(dialect=GENERATED) as omni:
        yield omni


@pytest.mark.parametrize("victim", ["provider", "CLI"])
@pytest.mark.parametrize("killed_request", KILLED_REQUESTS)
def test_killed(
    request: pytest.FixtureRequest, omni: OmniSimulator, lightdash: LightdashSimulator, killed_request: str, victim: str
) -> None:
    """After a kill during any request the next ``up`` succeeds, and no object exists twice."""
    service, method, path, before, after = KILLED_REQUESTS[killed_request]
    services = Services(omni, lightdash)
    project: Project = request.getfixturevalue("created" if before else "project")

    killed: list[int] = []
    with UpCommand(project, after) as command:
        kill = command.kill if victim == "CLI" else lambda: kill_providers(project)
        simulator = omni if service == "omni" else lightdash
        is_second_form = killed_request == "create connection environment"  # Omni refuses the first form of the body
        simulator.inject(
            faults.Callback(
                lambda: killed.append(kill()),
                processed=True,
                answered=False,
                method=method,
                path=path,
                after=1 if is_second_form else 0,
            )
        )
        command.start()
        assert command.wait() != 0
    assert killed == [1]
    kill_providers(project)
    simulator.clear_faults()
    project.run("cancel", "--yes")

    again = project.up("--refresh")
    if again.status != 0:
        assert killed_request.startswith(("create", "set")), again.output
        assert "adopt=True" in again.output
        project.write({name: (kind, {**arguments, "adopt": True}) for name, (kind, arguments) in after.items()})
        again = project.up("--refresh")
    assert again.status == 0, again.output
    if after:
        services.assert_matches(after)
    else:
        assert services.lightdash.sources(services.lightdash.project_id) == []
        assert omni.connection_environments() == []
    names = sorted(e["name"] for e in omni.environments(CONNECTION_ID))
    assert names == (["Production", "Staging"] if after else ["Production"])
    assert project.preview("--refresh", "--expect-no-changes").status == 0


class UpCommand:
    """A ``pulumi up`` in a process of its own, which can be killed. The end of the ``with`` block kills it, too."""

    def __init__(self, project: Project, new_program: Program) -> None:
        project.write(new_program)
        self._project = project
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start the command."""
        self._process = self._project.start("up", "--yes", "--skip-preview", "--parallel", "1")

    def wait(self) -> int:
        """Wait until the command ends, and return its exit status."""
        assert self._process is not None
        self._process.communicate(timeout=60)
        return self._process.returncode

    def kill(self) -> int:
        """Kill the CLI, and return how many processes were killed."""
        if self._process is None or self._process.poll() is not None:
            return 0
        self._process.kill()
        return 1


def kill_providers(project: Project) -> int:
    """Kill the provider processes of a project, and return how many.

    Their environment contains the folder of the project.
    """
    killed = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            environment = (process / "environ").read_bytes()
        except OSError:
            continue
        if b"pulumi.dynamic" in command and str(project.project).encode() in environment:
            os.kill(int(process.name), signal.SIGKILL)
            killed += 1
    return killed
