"""``make demo``: runs the quickstart with ``pulumi`` against the local simulator, step by step.

Each step announces what it shows and checks it. The demo stops at the first step that fails its check. It writes only
to ``.demo``, which each run recreates.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tools.get_engine import EngineError
from tools.pulumi_cli import PulumiCli

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".demo"
PROGRAM = FOLDER / "examples" / "quickstart" / "__main__.py"

SECRETS = {"dbtToken": "dbt-token-of-the-demo", "githubToken": "github_pat_of_the_demo"}


class DemoError(Exception):
    """A check of a step failed."""


def main() -> int:
    """Run the demo and return the exit status."""
    try:
        with OmniSimulator() as omni, LightdashSimulator() as lightdash:
            run_steps(omni, lightdash)
    except (DemoError, EngineError) as error:
        say(f"\nThe demo failed: {error}")
        return 1
    return 0


def run_steps(omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """Run all steps: preview, create, change, drift, repair and destroy."""
    say("Simulators of Omni and Lightdash are running; the program is examples/quickstart/__main__.py.")
    pulumi = create_stack(omni, lightdash)

    step("Preview: nothing exists yet, and a preview creates nothing.")
    show(pulumi, ["preview"], ["omni:DbtConfiguration analytics create", "+ 6 to create"])
    expect(omni.requests == [] and lightdash.requests == [], "the preview sent no request")

    step("Up: creates the dbt configuration, two environments, a connection environment and a Lightdash source.")
    show(pulumi, ["up", "--yes", "--skip-preview"], ["+ 6 created"])
    expect(names(omni) == ["Production", "Staging"], "Omni has the environments Production and Staging")

    step("Preview again: shows no changes.")
    before = len(omni.requests)
    show(pulumi, ["preview", "--expect-no-changes"], ["6 unchanged"])
    expect(len(omni.requests) == before, "the preview sent no request")

    step("One line of the program changes: staging moves to another schema. A reviewer sees:")
    edit_program('target_schema="analytics_staging"', 'target_schema="analytics_stage"')
    show(pulumi, ["preview", "--diff"], ['~ targetSchema : "analytics_staging" => "analytics_stage"', "[secret]"])
    show(pulumi, ["up", "--yes", "--skip-preview"], ["~ 1 updated"])
    expect(environment(omni, "Staging")["target_schema"] == "analytics_stage", "Omni has the new schema")

    step("Somebody changes the branch in the Omni UI and deletes the source in the Lightdash UI. A refresh shows both:")
    omni.configure_dbt(omni.connection_id, branch="hotfix")
    lightdash.delete_source(lightdash.sources(lightdash.project_id)[0]["id"])
    drift = ['~ branch : "hotfix" => "main"', "+ 1 to create", "~ 1 to update"]
    show(pulumi, ["preview", "--refresh", "--diff"], drift)

    step("Up: repairs both.")
    show(pulumi, ["up", "--refresh", "--yes", "--skip-preview"], ["+ 1 created", "~ 1 updated"])
    configuration = omni.dbt_configuration(omni.connection_id)
    expect(configuration is not None and configuration["branch"] == "main", "Omni has the branch main again")
    expect(len(lightdash.sources(lightdash.project_id)) == 1, "Lightdash has the source again")

    step("The services have the secrets. Everywhere else they are encrypted.")
    state = pulumi.must("stack", "export")
    stored = [v["value"] for v in environment(omni, "Staging")["variables"] if v["is_secret"]]
    expect(stored == [SECRETS["dbtToken"]], "Omni has the dbt token")
    for name, secret in (*SECRETS.items(), ("omni:apiKey", omni.api_key), ("lightdash:apiKey", lightdash.api_key)):
        expect(secret not in state, f"the state does not contain {name} in plain text")

    step("Destroy: deletes everything except the default environment of Omni.")
    show(pulumi, ["destroy", "--yes", "--skip-preview"], ["- 6 deleted"])
    expect(omni.dbt_configuration(omni.connection_id) is None, "Omni has no dbt configuration")
    expect(names(omni) == ["Production"], "Omni has only its default environment")
    expect(omni.connection_environments() == [], "Omni has no connection environment")
    expect(lightdash.sources(lightdash.project_id) == [], "Lightdash has no additional source")
    say(f"\nDone, with {len(omni.requests)} requests to Omni and {len(lightdash.requests)} to Lightdash.")


def create_stack(omni: OmniSimulator, lightdash: LightdashSimulator) -> PulumiCli:
    """Copy the quickstart, create a stack, and configure it as a user would."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    shutil.copytree(ROOT / "examples" / "quickstart", PROGRAM.parent)
    shutil.copy(ROOT / "Pulumi.yaml", FOLDER)
    pulumi = PulumiCli(FOLDER)
    pulumi.create_stack(
        config={"omni:baseUrl": omni.url, "lightdash:url": lightdash.url},
        secrets={"omni:apiKey": omni.api_key, "lightdash:apiKey": lightdash.api_key, **SECRETS},
    )
    return pulumi


def edit_program(before: str, after: str) -> None:
    """Change one line of the program."""
    text = PROGRAM.read_text()
    expect(text.count(before) == 1, f"the program contains {before} once", quiet=True)
    PROGRAM.write_text(text.replace(before, after))
    say(f"\n    - {before}\n    + {after}")


def show(pulumi: PulumiCli, arguments: Sequence[str], expected: Sequence[str]) -> None:
    """Run a command, print its output, and check that the output contains the expected texts."""
    say(f"\n$ pulumi {' '.join(arguments)}")
    result = pulumi.run(*arguments)
    say("".join(f"    {line}\n" for line in result.output.splitlines() if line.strip()))
    expect(result.status == 0, f"the command succeeds, got status {result.status}", quiet=True)
    for text in expected:
        expect(" ".join(text.split()) in " ".join(result.output.split()), f"the output contains {text!r}", quiet=True)


def expect(condition: bool, fact: str, *, quiet: bool = False) -> None:  # noqa: FBT001 - reads like an assertion
    """Print a fact, or stop the demo if its condition is false.

    Raises:
        DemoError: the condition is false.
    """
    if not condition:
        raise DemoError(f"Expected that {fact}.")
    if not quiet:
        say(f"    ✓ {fact}")


def environment(omni: OmniSimulator, name: str) -> dict[str, Any]:
    """Return an environment as Omni stores it."""
    return next(e for e in omni.environments(omni.connection_id) if e["name"] == name)


def names(omni: OmniSimulator) -> list[str]:
    """Return the names of the environments in Omni."""
    return sorted(e["name"] for e in omni.environments(omni.connection_id))


def step(text: str) -> None:
    """Print the title of a step."""
    say(f"\n=== {text}")


def say(text: str) -> None:
    """Print a line without buffering."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
