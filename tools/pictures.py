"""``make pictures``: draws docs/preview.svg, and writes the examples in docs/pull-requests.md.

The examples run with a real ``pulumi`` against the local services. The installed command reads the output. IDs that the
services create are in none of the results, so each run writes the same files.
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
from tools.terminal import terminal_svg

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "pull-requests.md"
COMMAND = Path(sys.executable).with_name("omni-pulumi")

GRAPH_EXAMPLE = "warehouse"
PREVIEW_EXAMPLE = "quickstart"
EDITS = {
    'target_schema="analytics_staging"': 'target_schema="analytics_stage"',
    'variables={"DBT_TARGET": "staging"}': 'variables={"DBT_TARGET": "staging", "DBT_THREADS": "8"}',
    'environment_connection_id=config.require("stagingConnectionId")': (
        f'environment_connection_id="{OTHER_CONNECTION_ID}"'
    ),
}
"""Lines of the program that the example of a pull request changes."""


def main() -> int:
    """Writes the files."""
    for path, text in make().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


def make() -> dict[Path, str]:
    """Returns the files by path."""
    with tempfile.TemporaryDirectory() as folder, OmniSimulator() as omni, LightdashSimulator() as lightdash:
        work = Path(folder)
        pulumi = prepare(GRAPH_EXAMPLE, work / "graph", omni, lightdash)
        graph = run_command("graph", pulumi.must("stack", "export"))
        omni.reset()
        lightdash.reset()
        pulumi = prepare(PREVIEW_EXAMPLE, work / "preview", omni, lightdash)
        change(work / "preview" / "examples" / PREVIEW_EXAMPLE / "__main__.py", EDITS)
        pulumi.must("config", "set", "--secret", "dbtToken", "another made-up dbt token")
        terminal = run_pulumi(pulumi, "--color", "always", "preview", "--diff")
        resources = pulumi.project / "resources.json"
        resources.write_text(run_pulumi(pulumi, "preview", "--json", "--show-sames"))
        run_pulumi(pulumi, "preview", "--event-log", "events.jsonl", "--policy-pack", str(ROOT / "policies"))
        events = (pulumi.project / "events.jsonl").read_text()
        summary = run_command("preview-summary", events, "--graph", str(resources))
    page = PAGE.read_text(encoding="utf-8")
    page = with_section(page, "graph", f"```mermaid\n{graph}```\n")
    page = with_section(page, "summary", quoted(summary))
    return {
        ROOT / "docs" / "preview.svg": terminal_svg(terminal, title="pulumi preview --diff"),
        PAGE: page,
    }


def with_section(page: str, name: str, text: str) -> str:
    """Returns a page with a new text between the markers of a section.

    Raises:
        ValueError: the page does not have the markers once.
    """
    begin, end = f"<!-- {name}: begin (make pictures) -->\n", f"<!-- {name}: end -->"
    section = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    page, count = section.subn(lambda _: f"{begin}{text}{end}", page)
    if count != 1:
        raise ValueError(f"Expected {begin.strip()} once in {PAGE.name}, got {count}.")
    return page


def prepare(example: str, folder: Path, omni: OmniSimulator, lightdash: LightdashSimulator) -> PulumiCli:
    """Returns the stack of an example after its first ``up``."""
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
    """Replaces lines of a program.

    Raises:
        ValueError: the program does not have a line once.
    """
    text = program.read_text()
    for before, after in edits.items():
        if text.count(before) != 1:
            raise ValueError(f"Expected {before} once in {program.name}, got {text.count(before)}.")
        text = text.replace(before, after)
    program.write_text(text)


def run_pulumi(pulumi: PulumiCli, *arguments: str) -> str:
    """Runs a command of Pulumi, which may fail because of policies, and returns its stdout."""
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


def run_command(command: str, text: str, *options: str) -> str:
    """Runs a command of ``omni-pulumi`` on a text, and returns its stdout."""
    arguments: Sequence[str | Path] = [COMMAND, command, *options]
    return subprocess.run(arguments, input=text, capture_output=True, text=True, check=True).stdout  # noqa: S603


def quoted(summary: str) -> str:
    """Returns a comment without its marker as a Markdown quotation, with smaller headings."""
    lines = summary.replace("### ", "#### ").splitlines()[2:]
    return "".join(f"> {line}".rstrip() + "\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
