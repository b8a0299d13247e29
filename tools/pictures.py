"""``make pictures``: the pictures in ``docs`` and the README's summary of a preview, from a real stack.

The stack is an example's, run with a real ``pulumi`` against the local services. Some of its lines change, as in a pull
request, and all is drawn by the installed command. IDs that the services give are in none of it, so the result is the
same in each run.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from omni_pulumi.simulator import OTHER_CONNECTION_ID, LightdashSimulator, OmniSimulator
from tools.get_engine import engine_bin_dir
from tools.pulumi_cli import PulumiCli

ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(sys.executable).with_name("omni-pulumi")
BEGIN, END = "<!-- summary: begin (make pictures) -->", "<!-- summary: end -->"

GRAPH_EXAMPLE = "warehouse"
PREVIEW_EXAMPLE = "quickstart"
EDITS = {
    'target_schema="analytics_staging"': 'target_schema="analytics_stage"',
    'variables={"DBT_TARGET": "staging"}': 'variables={"DBT_TARGET": "staging", "DBT_THREADS": "8"}',
    'environment_connection_id=config.require("stagingConnectionId")': (
        f'environment_connection_id="{OTHER_CONNECTION_ID}"'
    ),
}
"""Lines of the program that the pull request changes."""


def main() -> int:
    """Write the pictures and the README."""
    for path, text in make().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


def make() -> dict[Path, str]:
    """The files, by their paths."""
    with tempfile.TemporaryDirectory() as folder, OmniSimulator() as omni, LightdashSimulator() as lightdash:
        work = Path(folder)
        pulumi = prepare(GRAPH_EXAMPLE, work / "graph", omni, lightdash)
        pulumi.must("stack", "graph", "graph.dot")
        graph = draw("graph-svg", (pulumi.project / "graph.dot").read_text())
        omni.reset()
        lightdash.reset()
        pulumi = prepare(PREVIEW_EXAMPLE, work / "preview", omni, lightdash)
        change(work / "preview" / "examples" / PREVIEW_EXAMPLE / "__main__.py", EDITS)
        pulumi.must("config", "set", "--secret", "dbtToken", "another made-up dbt token")
        preview = draw("preview-svg", run(pulumi, "--color", "always", "preview", "--diff"))
        run(pulumi, "preview", "--event-log", "events.jsonl", "--policy-pack", str(ROOT / "policies"))
        summary = draw("preview-summary", (pulumi.project / "events.jsonl").read_text())
    readme = ROOT / "README.md"
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    shown = f"{BEGIN}\n{quoted(summary)}{END}"
    return {
        ROOT / "docs" / "graph.svg": graph,
        ROOT / "docs" / "preview.svg": preview,
        readme: pattern.sub(lambda _: shown, readme.read_text(encoding="utf-8")),
    }


def prepare(example: str, folder: Path, omni: OmniSimulator, lightdash: LightdashSimulator) -> PulumiCli:
    """An example's stack, as it is after its first ``up``."""
    program = folder / "examples" / example
    shutil.copytree(ROOT / "examples" / example, program, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    project = program if (program / "Pulumi.yaml").exists() else folder
    if project == folder:
        shutil.copy(ROOT / "Pulumi.yaml", folder)
    pulumi = PulumiCli(project)
    pulumi.create_stack(
        config={"omni:baseUrl": omni.url, "lightdash:url": lightdash.url},
        secrets={
            "omni:apiKey": omni.api_key,
            "lightdash:apiKey": lightdash.api_key,
            "dbtToken": "a made-up dbt token",
            "githubToken": "a made-up GitHub token",
        },
    )
    pulumi.must("up", "--yes", "--skip-preview")
    return pulumi


def change(program: Path, edits: Mapping[str, str]) -> None:
    """Change lines of a program, each of which is there once."""
    text = program.read_text()
    for before, after in edits.items():
        if text.count(before) != 1:
            raise ValueError(f"Expected {before} once in {program.name}.")
        text = text.replace(before, after)
    program.write_text(text)


def run(pulumi: PulumiCli, *arguments: str) -> str:
    """What a preview prints to stdout; one that policies stop prints too."""
    ended = subprocess.run(  # noqa: S603 - the commands are this project's own
        [engine_bin_dir() / "pulumi", "--non-interactive", *arguments],
        cwd=pulumi.project,
        env={**pulumi.env, "PULUMI_DEBUG_COMMANDS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout


def draw(command: str, text: str, *options: str) -> str:
    """What a subcommand of ours makes of a text."""
    arguments: Sequence[str | Path] = [COMMAND, command, *options]
    return subprocess.run(arguments, input=text, capture_output=True, text=True, check=True).stdout  # noqa: S603


def quoted(summary: str) -> str:
    """The comment without its marker, one heading deeper, as a quotation."""
    lines = summary.replace("### ", "#### ").splitlines()[2:]
    return "".join(f"> {line}".rstrip() + "\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
