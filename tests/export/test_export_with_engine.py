"""The exported program with the real engine: the first update adopts everything and writes nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tests.export.conftest import writes, written
from tests.export.estate import SOURCE, TOKENS, add_secrets, fill_lightdash, fill_omni
from tests.export.test_documentation import PAGE
from tests.subcommand import Run, settings, unset
from tools.pulumi_cli import PulumiCli, restore_interrupts

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


one_dialect = pytest.mark.parametrize("omni", ["generated"], indirect=True)
"""Runs a test for the dialect that has a list of connection environments."""


def stack(directory: Path, omni: OmniSimulator, lightdash: LightdashSimulator, name: str) -> PulumiCli:
    """A stack of an exported project."""
    pulumi = PulumiCli(directory, stack=name, env={**settings(omni, lightdash), "PYTHONPATH": str(ROOT)})
    pulumi.create_stack()
    return pulumi


@one_dialect
def test_whole_estate(run: Run, tmp_path: Path, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """An update of 50 connections, 300 environments and 30 sources sends no write, and the next preview is clean."""
    fill_omni(omni, connections=50, environments=5)
    fill_lightdash(lightdash, projects=28)
    before = omni.snapshot(), lightdash.snapshot()
    ended = run("-o", "estate", "--json")
    assert ended.status == 0, ended.err
    found = ended.json["objects"]
    assert [found for found in found if found["resource"] is None] == []
    assert len(found) > 350
    directory = tmp_path / "estate"
    pulumi = stack(directory, omni, lightdash, "prod")
    for key in (key for each in found for key in each["secrets"]):
        pulumi.must("config", "set", "--secret", key, TOKENS["in an environment of Lightdash"])

    up = pulumi.run("up", "--yes", "--skip-preview")
    assert up.status == 0, up.output
    assert writes(omni, lightdash) == []
    assert (omni.snapshot(), lightdash.snapshot()) == before

    (tmp_path / "stack.json").write_text(json.dumps(pulumi.export()))
    rest = run("-o", "rest", "--not-in-stack", "stack.json")
    assert (rest.status, rest.summary.split(", ")[1]) == (0, "0 written")

    (remove_adopt,) = re.findall("^find .*$", PAGE, re.MULTILINE)
    command = ["bash", "-c", remove_adopt]
    subprocess.run(command, cwd=directory, check=True)
    assert 'adopt="existing"' not in "".join(text for path, text in written(directory).items() if path.endswith(".py"))
    preview = pulumi.run("preview", "--refresh", "--expect-no-changes")
    assert preview.status == 0, preview.output
    assert "adopt is set" not in preview.output
    policies = pulumi.run("preview", "--policy-pack", str(ROOT / "policies")).output
    assert "virtual-schemas-decision-stated" in policies
    satisfied = ("adopt-is-temporary", "production-protected", "production-configuration-protected")
    assert [policy for policy in satisfied if policy in policies] == []
    assert writes(omni, lightdash) == []
    assert [token for token in TOKENS.values() if token in up.output + preview.output + ended.out + ended.err] == []

    again = run("--check", "estate")
    assert (again.status, again.summary.split(", ", 1)[1]) == (0, "0 changed, 0 added, 0 removed")


@one_dialect
def test_commands_of_the_readme(tmp_path: Path, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """The five commands of the README bring what exists under Pulumi, and send no write."""
    connection = omni.add_connection("Analytics")
    omni.configure_dbt(connection)
    staging = omni.add_environment(connection, name="Staging", target_schema="analytics_staging")
    omni.set_variable(staging, "DBT_TOKEN", TOKENS["in a secret variable"], is_secret=True)
    lightdash.add_source(lightdash.project_id, "finance", SOURCE)
    before = omni.snapshot(), lightdash.snapshot()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = readme.partition("## You already have")[2].partition("```shell\n")[2].partition("```")[0]
    set_variables, *commands = block.splitlines()
    assert set_variables.startswith("export OMNI_BASE_URL=")
    assert len(commands) == 4
    pulumi = PulumiCli(tmp_path, env={**settings(omni, lightdash), "PYTHONPATH": str(ROOT)})
    env = {name: value for name, value in pulumi.env.items() if name != "PULUMI_STACK"}
    (tmp_path / ".pulumi-state").mkdir()
    command = ["bash", "-ec", "\n".join(commands).replace("pulumi up", "pulumi up --yes")]
    ended = subprocess.run(
        command,
        cwd=tmp_path,
        env={**env, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    assert "Problems: 0" in ended.stdout
    assert " created" in ended.stdout
    assert writes(omni, lightdash) == []
    assert (omni.snapshot(), lightdash.snapshot()) == before


def test_secrets_from_config(run: Run, tmp_path: Path, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """With ``--secrets config`` the update writes the two objects with secrets, and their values are the same."""
    connection = omni.add_connection("Analytics")
    omni.configure_dbt(connection)
    secrets = add_secrets(omni, connection)
    fill_lightdash(lightdash, projects=0)
    before = omni.snapshot(), lightdash.snapshot()
    ended = run("-o", "estate", "--secrets", "config")
    values = {
        "analyticsSecretsGlob": TOKENS["in a secret variable"],
        "analyticsSecretsDbtToken": TOKENS["in a plain variable"],
        "analyticsSecretsHarmless": TOKENS["by its value"],
        "jaffleShopTokenDbtToken": TOKENS["in an environment of Lightdash"],
        "jaffleShopTokenPersonalAccessToken": TOKENS["of Lightdash"],
    }
    assert {*re.findall(r"pulumi config set --secret (\w+)", ended.out)} == {*values}
    pulumi = stack(tmp_path / "estate", omni, lightdash, "try")
    for key, value in values.items():
        pulumi.must("config", "set", "--secret", key, value)
    up = pulumi.run("up", "--yes", "--skip-preview")
    assert up.status == 0, up.output
    (source,) = [each["id"] for each in lightdash.sources(lightdash.project_id) if each["name"] == "token"]
    assert [request.rsplit("/", 1)[-1] for request in writes(omni, lightdash)] == [secrets, source]
    assert (omni.snapshot(), lightdash.snapshot()) == before
    preview = pulumi.run("preview", "--refresh", "--expect-no-changes")
    assert preview.status == 0, preview.output


@one_dialect
def test_settings_of_a_stack(run: Run, tmp_path: Path, omni: OmniSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--stack`` reads URL and key from the configuration of a stack, also with ``--check``."""
    omni.configure_dbt(omni.connection_id)
    unset(monkeypatch, "OMNI_")
    unset(monkeypatch, "LIGHTDASH_")
    (tmp_path / "Pulumi.yaml").write_text("name: settings\nruntime: python\n")
    pulumi = PulumiCli(tmp_path, stack="dev")
    pulumi.create_stack(
        config={"omni:baseUrl": omni.url, "omni:requestsPerMinute": "100000"}, secrets={"omni:apiKey": omni.api_key}
    )
    for name, value in pulumi.env.items():
        monkeypatch.setenv(name, value)
    assert run("-o", "estate").status != 0
    ended = run("--stack", "dev", "-o", "estate")
    assert (ended.status, ended.summary) == (0, "2 found, 2 written, 0 skipped")
    assert run("--stack", "dev", "--check", "estate").status == 0
    missing = run("--stack", "nope", "-o", "other")
    assert (missing.status, missing.err.count("\n"), "nope" in missing.err) == (2, 1, True)
    monkeypatch.setenv("PATH", "")
    assert run("--stack", "dev", "-o", "other").err.count("PATH") == 1
    assert omni.api_key not in "".join(written(tmp_path / "estate").values())


@one_dialect
def test_interrupt(tmp_path: Path, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """Ctrl-C while the command waits for the rate limit ends it at once, and nothing is written."""
    fill_omni(omni, connections=2)
    env = {**os.environ, **settings(omni, lightdash), "OMNI_REQUESTS_PER_MINUTE": "1", "PYTHONPATH": str(ROOT)}
    code = "import sys; from omni_pulumi.cli import main; sys.exit(main(['export', 'omni', '-o', 'estate']))"
    omni.clear_requests()
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, preexec_fn=restore_interrupts
    ) as running:
        for _ in range(200):
            time.sleep(0.1)
            if omni.requests:
                break
        assert len(omni.requests) == 1
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 130
        assert running.stderr is not None
        assert b"Interrupted" in running.stderr.read()
    assert [*tmp_path.iterdir()] == []


@one_dialect
def test_code_is_clean(run: Run, tmp_path: Path, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """What is written passes ruff with this project's rules, is formatted, and passes mypy strictly."""
    fill_omni(omni, environments=1)
    fill_lightdash(lightdash)
    for name, options in {"many": [], "secrets": ["--secrets", "config"], "few": ["lightdash"]}.items():
        assert run("-o", name, *options).status == 0
        configuration = ("--no-cache", "--config", str(ROOT / "pyproject.toml"))
        for command in (["ruff", "check"], ["ruff", "format", "--diff"]):
            ended = _module(*command, *configuration, ".", folder=tmp_path / name)
            assert ended.returncode == 0, ended.stdout
        cache = str(tmp_path / "mypy")
        ended = _module("mypy", "--strict", "--config-file=", "--cache-dir", cache, ".", folder=tmp_path / name)
        assert ended.returncode == 0, ended.stdout
        assert [token for token in TOKENS.values() if token in "".join(written(tmp_path / name).values())] == []


def _module(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
