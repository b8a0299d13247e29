"""What a provider imports for its first request, and what hides these modules."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from omni_pulumi.simulator import CONNECTION_ID, OmniSimulator

pytestmark = pytest.mark.slow

PROCESS = """
import json
import os
import sys
from pathlib import Path

import dill
import grpc
from pulumi import dynamic

import omni_pulumi
from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider

url, key, connection_id = sys.argv[1:]
settings = {"omni:baseUrl": url, "omni:apiKey": key}
arguments = {
    "connectionId": connection_id,
    "sshUrl": "git@github.com:acme/dbt.git",
    "branch": "main",
    "autogenRelationships": True,
    "enableVirtualSchemas": False,
}


def run():
    provider = DbtConfigurationProvider()
    provider.configure(dynamic.ConfigureRequest(dynamic.Config(settings, "test")))
    before = {*sys.modules}
    failures = [failure.reason for failure in provider.check({}, arguments).failures]
    if failures:
        return failures[0]
    checked = {*sys.modules}
    try:
        provider.read(connection_id, {**arguments, "dbtVersion": "Auto", "enableSemanticLayer": False})
    except Exception as error:
        return f"broke: {error!r}"
    return sorted({name.partition(".")[0] for name in {*sys.modules} - checked - before} - {"omni_pulumi"})


def fork():
    reader, writer = os.pipe()
    if not os.fork():
        os.write(writer, json.dumps(run()).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        return json.loads(file.read())


results = {"": fork()}
for name in {*results[""]} | {"html", "queue"}:
    Path(f"{name}.py").write_text("")
    results[name] = fork()
    Path(f"{name}.py").unlink()
print(json.dumps(results))
"""
"""Checks and reads a resource, without and with an empty file of the name of each module that a request imports."""


def test_a_file_that_hides_a_module(omni_services: dict[str, OmniSimulator], tmp_path: Path) -> None:
    """After a check that succeeds, the first request succeeds too. A check that fails names the file."""
    omni = omni_services["generated"]
    omni.reset()
    omni.configure_dbt(CONNECTION_ID, branch="main")
    ended = subprocess.run(
        [sys.executable, "-c", PROCESS, omni.url, omni.api_key, CONNECTION_ID],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    results = json.loads(ended.stdout)
    late = results.pop("")
    assert {"httpx", "pyrate_limiter", "sqlite3"} <= {*late}
    refused = {name for name, result in results.items() if isinstance(result, str)}
    assert [name for name in sorted(refused) if not results[name].startswith(f"{name}.py hides")] == [], results
    assert {"httpx", "pyrate_limiter", "sqlite3"} <= refused
    assert refused.isdisjoint({"html", "queue"})
