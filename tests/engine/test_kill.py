"""The provider's process or the CLI is killed in the middle of a request, and ``pulumi up`` is run again.

A killed create may leave an object that the state does not know. The engine cannot know either: the next ``up`` refuses
to overwrite it and names ``adopt=True``, and with that it ends as declared.
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
from tests.engine.project import Program, Project
from tests.engine.scene import World, connection, program

pytestmark = pytest.mark.slow

CHANGED = program({"branch": "b"}, {"target_schema": "b"}, {"user_attribute_values": ["b"]}, connection(branch="b"))
NOTHING: Program = {}

CALLS = {
    "create dbt configuration": ("omni", "PUT", "/dbt$", NOTHING, program()),
    "create environment": ("omni", "POST", "/environments$", NOTHING, program()),
    "create connection environment": ("omni", "POST", "/connection-environments$", NOTHING, program()),
    "set values of a new one": ("omni", "PUT", "/connection-environments/", NOTHING, program()),
    "create source": ("lightdash", "POST", "/dbt-sources$", NOTHING, program()),
    "update dbt configuration": ("omni", "PUT", "/dbt$", program(), CHANGED),
    "update environment": ("omni", "PUT", "/environments/", program(), CHANGED),
    "update source": ("lightdash", "PATCH", "/dbt-sources/", program(), CHANGED),
    "delete environment": ("omni", "DELETE", "/environments/", program(), NOTHING),
    "delete source": ("lightdash", "DELETE", "/dbt-sources/", program(), NOTHING),
}


@pytest.fixture
def omni() -> Iterator[OmniSimulator]:
    """An Omni with a list of connection environments."""
    with OmniSimulator(dialect=GENERATED) as omni:
        yield omni


@pytest.mark.parametrize("victim", ["provider", "CLI"])
@pytest.mark.parametrize("call", CALLS)
def test_killed(
    request: pytest.FixtureRequest, omni: OmniSimulator, lightdash: LightdashSimulator, call: str, victim: str
) -> None:
    """Whatever is killed while a request is carried out, the next runs end as declared, with nothing twice."""
    service, method, path, before, after = CALLS[call]
    world = World(omni, lightdash)
    project: Project = request.getfixturevalue("created" if before else "project")

    killed: list[int] = []
    with start(project, after) as running:
        kill = running.kill if victim == "CLI" else lambda: kill_providers(project)
        simulator = omni if service == "omni" else lightdash
        refused_for_its_form = call == "create connection environment"  # the first of two
        simulator.inject(
            faults.Callback(
                lambda: killed.append(kill()),
                processed=True,
                answered=False,
                method=method,
                path=path,
                after=1 if refused_for_its_form else 0,
            )
        )
        running.resume()
        assert running.wait() != 0
    assert killed == [1]
    kill_providers(project)
    simulator.clear_faults()
    project.run("cancel", "--yes")

    again = project.up("--refresh")
    if again.status != 0:
        assert call.startswith(("create", "set")), again.output
        assert "adopt=True" in again.output
        project.write({name: (kind, {**arguments, "adopt": True}) for name, (kind, arguments) in after.items()})
        again = project.up("--refresh")
    assert again.status == 0, again.output
    if after:
        world.holds(after)
    else:
        assert world.lightdash.sources(world.lightdash.project_id) == []
        assert omni.connection_environments() == []
    left = sorted(e["name"] for e in omni.environments(CONNECTION_ID))
    assert left == (["Production", "Staging"] if after else ["Production"])
    assert project.preview("--refresh", "--expect-no-changes").status == 0


class start:  # noqa: N801 - reads as a verb where it is used
    """``pulumi up`` of a program, held back until ``resume``."""

    def __init__(self, project: Project, wanted: Program) -> None:
        project.write(wanted)
        self._project = project
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def resume(self) -> None:
        """Let it begin."""
        self._process = self._project.start("up", "--yes", "--skip-preview", "--parallel", "1")

    def wait(self) -> int:
        """Until it has ended, and how."""
        assert self._process is not None
        self._process.communicate(timeout=60)
        return self._process.returncode

    def kill(self) -> int:
        """End it at once, as a machine that goes away does, and tell how many processes that were."""
        if self._process is None or self._process.poll() is not None:
            return 0
        self._process.kill()
        return 1


def kill_providers(project: Project) -> int:
    """Kill the provider processes of a project, which have its folder in their environment, and tell how many."""
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
