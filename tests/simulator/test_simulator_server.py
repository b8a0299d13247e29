"""Start, stop, records, and the command line."""

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


@pytest.mark.parametrize("kind", [OmniSimulator, LightdashSimulator])
def test_it_serves_within_its_block_only(kind: type[OmniSimulator | LightdashSimulator]) -> None:
    """A simulator has an address while its block runs, closes its port afterwards, and can be started again."""
    simulator = kind()
    for _ in range(2):
        with simulator as running:
            url = running.url
            assert httpx.get(f"{url}/nothing").status_code == 404
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)
    with pytest.raises(RuntimeError, match="`with` block"):
        _ = simulator.url


def test_it_takes_the_port_it_is_given() -> None:
    """The demo needs the same address on every start."""
    with OmniSimulator() as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(OSError) as caught:  # noqa: PT011 - the number below tells which
            OmniSimulator(port=port).start()
        assert caught.value.errno == errno.EADDRINUSE
    with OmniSimulator(port=port) as second:
        assert second.url == f"http://127.0.0.1:{port}"


def test_a_running_start_keeps_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    """Neither a start nor a request nor a stop prints anything."""
    with LightdashSimulator() as lightdash:
        httpx.get(lightdash.url)
    assert capfd.readouterr() == ("", "")


def test_requests_are_recorded_in_order(omni: OmniSimulator, api: httpx.Client) -> None:
    """Every request is on record by the time its answer arrives: method, path, query, status, JSON body, headers."""
    start = time.monotonic()
    api.get("/api/v1/nothing", params={"pageSize": "5", "empty": ""})
    api.put("/api/v1/nothing?x=1", json={"a": None}, headers={"X-Test": "One"})
    api.post("/api/v1/nothing", content=b"{")
    first, second, third = omni.requests
    assert (first.method, first.path, first.status) == ("GET", "/api/v1/nothing", 404)
    assert (first.query, first.body) == ({"pageSize": "5", "empty": ""}, None)
    assert (second.method, second.body, second.headers["x-test"]) == ("PUT", {"a": None}, "One")
    assert third.body is None
    assert start <= first.at <= second.at <= third.at <= time.monotonic()


def test_a_record_does_not_print_secrets(omni: OmniSimulator, api: httpx.Client) -> None:
    """A failing test prints the records it compared: headers hold the token, bodies the secrets."""
    api.post("/api/v1/nothing", json={"value": "s3cret"})
    (request,) = omni.requests
    assert request.body == {"value": "s3cret"}
    assert "s3cret" not in repr(request)
    assert omni.api_key not in repr(request)


def test_the_records_are_a_copy(omni: OmniSimulator, api: httpx.Client) -> None:
    """What a test has read does not change under its hands; a reset empties the records."""
    before = omni.requests
    api.get("/")
    assert (len(before), len(omni.requests)) == (0, 1)
    omni.reset()
    assert omni.requests == []


def test_half_a_request_is_dropped(omni: OmniSimulator, api: httpx.Client) -> None:
    """A client that goes away before the end of its body has asked for nothing: no change, no record."""
    path = f"/api/v1/connections/{omni.connection_id}/dbt"
    head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {omni.api_key}\r\nContent-Length: 100\r\n\r\n{{}}"
    with socket.create_connection((api.base_url.host, api.base_url.port or 80)) as connection:
        connection.sendall(head.encode())
    assert api.get(path).status_code == 200
    assert [request.method for request in omni.requests] == ["GET"]


def test_requests_can_be_followed() -> None:
    """`on_request` gets each request as it is answered."""
    seen: list[RecordedRequest] = []
    with LightdashSimulator(on_request=seen.append) as lightdash:
        httpx.get(f"{lightdash.url}/api/v1/health")
    assert [(request.path, request.status) for request in seen] == [("/api/v1/health", 200)]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_line_runs_both(ending: signal.Signals) -> None:
    """It prints lines to paste into a shell, a line per request without its token, and ends with status 0."""
    command = [sys.executable, "-m", "omni_pulumi.simulator", "--omni-port", "0", "--lightdash-port", "0"]
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
        answer = httpx.get(
            exports["OMNI_BASE_URL"] + path, headers={"Authorization": f"Bearer {exports['OMNI_API_KEY']}"}
        )
        assert answer.status_code == 200
        projects = f"{exports['LIGHTDASH_URL']}/api/v1/projects/{LightdashSimulator.project_id}/dbt-sources"
        listed = httpx.get(projects, headers={"Authorization": f"ApiKey {exports['LIGHTDASH_API_KEY']}"})
        assert listed.status_code == 200
        process.send_signal(ending)
        rest, errors = process.communicate(timeout=10)
    assert rest.splitlines()[0].split() == ["omni", "GET", path, "200"]
    assert exports["OMNI_API_KEY"] not in rest
    assert (process.returncode, errors) == (0, "")


def test_a_missing_extra_is_named() -> None:
    """Without starlette, the command ends with one line that names the extra, and a program's import says the same."""
    ended = run_without("starlette", "--omni-port", "0")
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert "starlette" in ended.stderr
    assert '"simulator"' in ended.stderr
    assert "pip install" not in ended.stderr
    program = "import sys; sys.modules['uvicorn'] = None; from omni_pulumi.simulator import OmniSimulator"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError: The simulator needs uvicorn" in ended.stderr.splitlines()[-1]


def test_options_are_shown_without_the_extra() -> None:
    """``--help`` works where neither starlette nor uvicorn is installed."""
    for module in ("starlette", "uvicorn"):
        ended = run_without(module, "--help")
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "--lightdash-port" in ended.stdout


def test_public_names() -> None:
    """``dir`` lists the public names before they are imported, and each is there."""
    assert set(simulator.__all__) <= set(dir(simulator))
    assert all(getattr(simulator, name) is not None for name in simulator.__all__)
    assert not hasattr(simulator, "SnowflakeSimulator")


def run_without(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command as if a module were not installed."""
    code = (
        f"import sys, runpy; sys.modules[{module!r}] = None; sys.argv[1:] = {list(arguments)}; "
        "runpy.run_module('omni_pulumi.simulator', run_name='__main__', alter_sys=True)"
    )
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30
    )


def test_the_base_is_not_imported() -> None:
    """The simulator is a second reading of the pages: it shares no line with the rest of the package."""
    package = ROOT / "omni_pulumi" / "simulator"
    lines = [line for path in package.rglob("*.py") for line in path.read_text().splitlines()]
    ours = [line.strip() for line in lines if line.strip().startswith(("from omni_pulumi", "import omni_pulumi"))]
    assert ours
    assert all(line.startswith("from omni_pulumi.simulator") for line in ours)
