"""Starting and stopping simulators, recorded requests, and the command line."""

from __future__ import annotations

import errno
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from omni_pulumi import simulator
from omni_pulumi.simulator import LightdashSimulator, OmniSimulator, RecordedRequest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("simulator_class", [OmniSimulator, LightdashSimulator])
def test_a_simulator_serves_only_inside_its_with_block(
    simulator_class: type[OmniSimulator | LightdashSimulator],
) -> None:
    """A simulator serves while its `with` block runs, then closes its port. It can be started again."""
    simulator = simulator_class()
    for _ in range(2):
        with simulator as running:
            url = running.url
            assert httpx.get(f"{url}/nothing").status_code == 404
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)
    with pytest.raises(RuntimeError, match="`with` block"):
        _ = simulator.url


def test_the_port_can_be_chosen() -> None:
    """A simulator listens on the given port and raises EADDRINUSE if it is in use."""
    with OmniSimulator() as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(OSError) as caught:  # noqa: PT011 - errno is asserted below
            OmniSimulator(port=port).start()
        assert caught.value.errno == errno.EADDRINUSE
    with OmniSimulator(port=port) as second:
        assert second.url == f"http://127.0.0.1:{port}"


def test_a_simulator_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Starting, serving a request and stopping print nothing."""
    with LightdashSimulator() as lightdash:
        httpx.get(lightdash.url)
    assert capfd.readouterr() == ("", "")


def test_requests_are_recorded_in_order(omni: OmniSimulator, api: httpx.Client) -> None:
    """A request is recorded before its response arrives: method, path, query, status, JSON body, headers and time."""
    start = time.monotonic()
    api.get("/api/v1/nothing", params={"pageSize": "5", "empty": ""})
    api.put("/api/v1/nothing?x=1", json={"a": None}, headers={"X-Test": "One"})
    api.post("/api/v1/nothing", content=b"{")
    first, second, third = omni.requests
    assert (first.method, first.path, first.status) == ("GET", "/api/v1/nothing", 404)
    assert (first.query, first.body) == ({"pageSize": "5", "empty": ""}, None)
    assert (second.method, second.body, second.headers["x-test"]) == ("PUT", {"a": None}, "One")
    assert third.body is None
    assert start <= first.received_at <= second.received_at <= third.received_at <= time.monotonic()


def test_the_repr_of_a_record_contains_no_secrets(omni: OmniSimulator, api: httpx.Client) -> None:
    """The repr of a recorded request contains neither body nor headers. A failing test prints it."""
    api.post("/api/v1/nothing", json={"value": "s3cret"})
    (request,) = omni.requests
    assert request.body == {"value": "s3cret"}
    assert "s3cret" not in repr(request)
    assert omni.api_key not in repr(request)


def test_requests_returns_a_copy(omni: OmniSimulator, api: httpx.Client) -> None:
    """`requests` returns a copy. A reset removes the records."""
    before = omni.requests
    api.get("/")
    assert (len(before), len(omni.requests)) == (0, 1)
    omni.reset()
    assert omni.requests == []


def test_an_incomplete_request_is_ignored(omni: OmniSimulator, api: httpx.Client) -> None:
    """A request whose client disconnects before the end of the body changes nothing and is not recorded."""
    path = f"/api/v1/connections/{omni.connection_id}/dbt"
    head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {omni.api_key}\r\nContent-Length: 100\r\n\r\n{{}}"
    with socket.create_connection((api.base_url.host, api.base_url.port or 80)) as connection:
        connection.sendall(head.encode())
    assert api.get(path).status_code == 200
    assert [request.method for request in omni.requests] == ["GET"]


def test_on_request_receives_each_request() -> None:
    """`on_request` is called with each recorded request."""
    seen: list[RecordedRequest] = []
    with LightdashSimulator(on_request=seen.append) as lightdash:
        httpx.get(f"{lightdash.url}/api/v1/health")
    assert [(request.path, request.status) for request in seen] == [("/api/v1/health", 200)]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_line_serves_both_simulators(ending: signal.Signals) -> None:
    """Prints shell exports, then a line for each request without its token. SIGINT and SIGTERM exit with status 0.

    The version of Lightdash is the chosen one.
    """
    options = ["--omni-port", "0", "--lightdash-port", "0", "--lightdash-version", "1.237.0"]
    command = [sys.executable, "-m", "omni_pulumi.simulator", *options]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdout is not None
        exports: dict[str, str] = {}
        for line in process.stdout:
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                exports[name] = value
            if line.startswith("Ctrl-C"):
                break
        path = f"/api/v1/connections/{OmniSimulator.connection_id}/dbt"
        response = httpx.get(
            exports["OMNI_BASE_URL"] + path, headers={"Authorization": f"Bearer {exports['OMNI_API_KEY']}"}
        )
        assert response.status_code == 200
        projects = f"{exports['LIGHTDASH_URL']}/api/v1/projects/{LightdashSimulator.project_id}/dbt-sources"
        listed = httpx.get(projects, headers={"Authorization": f"ApiKey {exports['LIGHTDASH_API_KEY']}"})
        assert (listed.status_code, listed.headers["lightdash-version"]) == (200, "1.237.0")
        process.send_signal(ending)
        rest, errors = process.communicate(timeout=10)
    assert rest.splitlines()[0].split() == ["omni", "GET", path, "200"]
    assert exports["OMNI_API_KEY"] not in rest
    assert (process.returncode, errors) == (0, "")


def test_a_missing_extra_is_named() -> None:
    """Without starlette or uvicorn, the command and an import fail. The error names the module and the extra."""
    ended = run_without("starlette", "--omni-port", "0")
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert "starlette" in ended.stderr
    assert '"simulator"' in ended.stderr
    assert "pip install" not in ended.stderr
    program = "import sys; sys.modules['uvicorn'] = None; from omni_pulumi.simulator import OmniSimulator"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError: The simulator needs uvicorn" in ended.stderr.splitlines()[-1]


def test_help_works_without_the_extra() -> None:
    """`--help` works without starlette and without uvicorn."""
    for module in ("starlette", "uvicorn"):
        ended = run_without(module, "--help")
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "--lightdash-port" in ended.stdout


def test_public_names() -> None:
    """`dir` lists the public names before their import, and each can be imported. Other names raise AttributeError."""
    assert set(simulator.__all__) <= set(dir(simulator))
    assert all(getattr(simulator, name) is not None for name in simulator.__all__)
    assert not hasattr(simulator, "SnowflakeSimulator")


def run_without(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command with one module made unavailable."""
    code = (
        f"import sys, runpy; sys.modules[{module!r}] = None; sys.argv[1:] = {list(arguments)}; "
        "runpy.run_module('omni_pulumi.simulator', run_name='__main__', alter_sys=True)"
    )
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30
    )


def test_the_simulator_imports_nothing_else_of_the_package() -> None:
    """The simulator imports nothing from the rest of the package, so it cannot share its mistakes."""
    package = ROOT / "omni_pulumi" / "simulator"
    lines = [line for path in package.rglob("*.py") for line in path.read_text().splitlines()]
    ours = [line.strip() for line in lines if line.strip().startswith(("from omni_pulumi", "import omni_pulumi"))]
    assert ours
    assert all(line.startswith("from omni_pulumi.simulator") for line in ours)
