"""Previews of the quickstart by the real engine, in each of Pulumi's JSON formats."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from omni_pulumi.simulator import OTHER_CONNECTION_ID, LightdashSimulator, OmniSimulator
from tests.policies.pack import PACK
from tools.get_engine import engine_bin_dir
from tools.pictures import change, prepare
from tools.pulumi_cli import PulumiCli

SECRETS = (
    *("a made-up dbt token", "a made-up GitHub token", "another made-up dbt token"),
    *("made_up_schema", "made_up_branch", "made_up_wrap"),
    *("ghp_0123456789made0up", "Bearer 0123456789made0up", "MIIEmade0up", "MIIFmade0up"),
)
SECRET_OUTPUTS = {
    'target_schema="analytics_staging"': 'target_schema=config.require_secret("schema")',
    'variables={"DBT_TARGET": "staging"}': 'variables={"DBT_TARGET": "staging", "WRAP": config.require_secret("wrap")}',
    'branch="main",\n    autogen': 'branch=config.require_secret("branch"),\n    autogen',
    'branch="main",\n        project': 'branch=config.require_secret("branch"),\n        project',
}
"""Arguments of the quickstart that become secret outputs."""
FAILURE = """
pulumi.log.warn("cannot use ghp_0123456789made0up and Bearer 0123456789made0up")
raise ValueError("cannot read -----BEGIN PRIVATE KEY-----\\nMIIEmade0up\\nMIIFmade0up\\n-----END PRIVATE KEY-----")
"""


class EnginePreview(NamedTuple):
    """A preview: the digest, the event log, the exit status, and for one preview the events on stdout."""

    digest: str
    log: str
    status: int
    stream: str = ""


def run_previews(
    folder: Path, omni: OmniSimulator, lightdash: LightdashSimulator
) -> Iterator[tuple[str, EnginePreview]]:
    """Yield previews of one stack by name. Between them the program and the services change."""
    pulumi = prepare("quickstart", folder, omni, lightdash)
    program = folder / "examples" / "quickstart" / "__main__.py"
    original = program.read_text()

    def edited(before: str, after: str) -> None:
        program.write_text(original)
        change(program, {before: after})

    yield "same", _preview(pulumi)
    edited('target_schema="analytics_staging"', 'target_schema="analytics|stage"')
    pulumi.must("config", "set", "--secret", "dbtToken", SECRETS[2])
    streaming = _run(pulumi, "--json", PULUMI_ENABLE_STREAMING_JSON_PREVIEW="1")
    yield "update", _preview(pulumi)._replace(stream=streaming.stdout)
    pulumi.must("config", "set", "--secret", "dbtToken", SECRETS[0])
    edited('config.require("stagingConnectionId")', f'"{OTHER_CONNECTION_ID}"')
    yield "replace", _preview(pulumi)
    edited(original[original.index("LightdashDbtSource(\n") : original.index("pulumi.export")], "")
    yield "delete", _preview(pulumi)
    program.write_text(original)
    yield "policy", _preview(pulumi, "--policy-pack", str(PACK))
    edited('branch="main",\n    autogen', 'branch="",\n    autogen')
    yield "check", _preview(pulumi)
    program.write_text(original)
    omni.configure_dbt(omni.connection_id, branch="hotfix")
    lightdash.delete_source(lightdash.sources(lightdash.project_id)[0]["id"])
    yield "drift", _preview(pulumi, "--refresh")
    pulumi.must("destroy", "--yes", "--skip-preview")
    pulumi.must("stack", "rm", "--yes", "--preserve-config")
    pulumi.must("stack", "init", pulumi.stack)
    pulumi.must("config", "set", "omni:baseUrl", omni.url)
    pulumi.must("config", "set", "--secret", "dbtToken", SECRETS[0])
    yield "create", _preview(pulumi)
    edited("adopt=True,", 'adopt="existing",')
    yield "adopt", _preview(pulumi)
    program.write_text(original)
    change(program, SECRET_OUTPUTS)
    values = ("schema=made_up_schema", "branch=made_up_branch", "wrap=made_up_wrap")
    pulumi.must("config", "set-all", *(part for value in values for part in ("--secret", value)))
    pulumi.must("up", "--yes", "--skip-preview")
    pulumi.must("config", "set-all", *(part for value in values for part in ("--secret", f"{value}_2")))
    yield "secrets", _preview(pulumi)
    pulumi.must("config", "set-all", *(part for value in values for part in ("--secret", value)))
    omni.configure_dbt(omni.connection_id, branch="hotfix")
    lightdash.delete_source(lightdash.sources(lightdash.project_id)[0]["id"])
    yield "secret-drift", _preview(pulumi, "--refresh")
    yield "refresh", _preview(pulumi, "--preview-only", command="refresh")
    program.write_text(f"{original}{FAILURE}")
    yield "error", _preview(pulumi)


def _preview(pulumi: PulumiCli, *options: str, command: str = "preview") -> EnginePreview:
    """Run a preview once for each format."""
    events = pulumi.project / "events.jsonl"
    events.unlink(missing_ok=True)
    _run(pulumi, "--diff", "--event-log", events.name, *options, command=command, PULUMI_DEBUG_COMMANDS="1")
    digest = _run(pulumi, "--json", *options, command=command)
    folder = str(pulumi.project)  # a traceback has it
    log = events.read_text().replace(folder, "/project")
    return EnginePreview(digest.stdout.replace(folder, "/project"), log, digest.returncode)


def _run(pulumi: PulumiCli, *arguments: str, command: str = "preview", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [engine_bin_dir() / "pulumi", "--non-interactive", "--color", "always", command, *arguments],
        cwd=pulumi.project,
        env={**pulumi.env, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def strip_unread(text: str) -> str:
    """Return a recording without the parts that no command reads: source positions, debug lines, outputs."""
    try:
        return f"{json.dumps(_without_unread(json.loads(text)))}\n"
    except ValueError:
        events = [json.loads(line) for line in text.splitlines()]
    refreshed = {urn for event in events for urn, op in [_step(event, "resourcePreEvent")] if op == "refresh"}
    return "".join(
        f"{json.dumps(_without_unread(event))}\n"
        for event in events
        if not _is_noise(event) and (_step(event, "resOutputsEvent")[0] or "") in {"", *refreshed}
    )


def _step(event: dict[str, Any], kind: str) -> tuple[str | None, str | None]:
    """Return the URN and the operation of a step, or ``None``."""
    metadata = event.get(kind, {}).get("metadata", {})
    return metadata.get("urn"), metadata.get("op")


_UNREAD = {"stackTrace", "sourcePosition", "propertyDependencies", "outputs", "timestamp", "PolicyPacks"}
_UNREAD_EVENTS = {"policyLoadEvent", "policyAnalyzeSummaryEvent", "policyRemediateSummaryEvent", "cancelEvent"}


def _without_unread(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_unread(item) for key, item in value.items() if key not in _UNREAD}
    if isinstance(value, list):
        return [
            _without_unread(item)
            for item in value
            if not (isinstance(item, dict) and _is_noise({"diagnosticEvent": item}))
        ]
    return value


def _is_noise(event: dict[str, Any]) -> bool:
    diagnostic = event.get("diagnosticEvent", {})
    severity, text = diagnostic.get("severity"), diagnostic.get("message", "")
    noisy = severity == "debug" or (severity == "info#err" and "omni_pulumi: " not in text)
    return noisy or not _UNREAD_EVENTS.isdisjoint(event)
