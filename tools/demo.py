"""``make demo``: the quickstart's life with a real ``pulumi`` against the local simulator, told step by step.

Every step says what it is about to show and is checked: the demo ends with an error as soon as one does not show it.
All that it writes is in ``.demo``, which each run makes anew.
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
    """A step did not show what it says."""


def main() -> int:
    """Run the demo; returns the exit status."""
    try:
        with OmniSimulator() as omni, LightdashSimulator() as lightdash:
            tell(omni, lightdash)
    except (DemoError, EngineError) as error:
        say(f"\nThe demo failed: {error}")
        return 1
    return 0


def tell(omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """The story: from nothing to nothing, with a change and a drift on the way."""
    say("A local Omni and a local Lightdash are running; the program is examples/quickstart/__main__.py.")
    pulumi = prepare(omni, lightdash)

    step("Preview: nothing exists yet, and nothing is made by looking.")
    show(pulumi, ["preview"], ["omni:DbtConfiguration analytics create", "+ 6 to create"])
    expect(omni.requests == [] and lightdash.requests == [], "the preview made no request")

    step("Up: the dbt configuration, two environments, a connection environment and a Lightdash source.")
    show(pulumi, ["up", "--yes", "--skip-preview"], ["+ 6 created"])
    expect(names(omni) == ["Production", "Staging"], "Omni has the environments Production and Staging")

    step("Preview again: quiet, because nothing changed.")
    seen = len(omni.requests)
    show(pulumi, ["preview", "--expect-no-changes"], ["6 unchanged"])
    expect(len(omni.requests) == seen, "the preview made no request")

    step("One line of the program changes: staging moves to another schema. This is what a reviewer sees:")
    edit('target_schema="analytics_staging"', 'target_schema="analytics_stage"')
    show(pulumi, ["preview", "--diff"], ['~ targetSchema : "analytics_staging" => "analytics_stage"', "[secret]"])
    show(pulumi, ["up", "--yes", "--skip-preview"], ["~ 1 updated"])
    expect(environment(omni, "Staging")["target_schema"] == "analytics_stage", "Omni has the new schema")

    step("Somebody changes the branch in Omni's web page and deletes the source in Lightdash's.")
    omni.configure_dbt(omni.connection_id, branch="hotfix")
    lightdash.delete_source(lightdash.sources(lightdash.project_id)[0]["id"])
    drift = ['~ branch : "hotfix" => "main"', "+ 1 to create", "~ 1 to update"]
    show(pulumi, ["preview", "--refresh", "--diff"], drift)

    step("Up repairs both.")
    show(pulumi, ["up", "--refresh", "--yes", "--skip-preview"], ["+ 1 created", "~ 1 updated"])
    configuration = omni.dbt_configuration(omni.connection_id)
    expect(configuration is not None and configuration["branch"] == "main", "Omni has the branch main again")
    expect(len(lightdash.sources(lightdash.project_id)) == 1, "Lightdash has the source again")

    step("The secrets went to the services and stayed encrypted everywhere else.")
    state = pulumi.must("stack", "export")
    stored = [v["value"] for v in environment(omni, "Staging")["variables"] if v["is_secret"]]
    expect(stored == [SECRETS["dbtToken"]], "Omni has the dbt token")
    for name, secret in (*SECRETS.items(), ("omni:apiKey", omni.api_key), ("lightdash:apiKey", lightdash.api_key)):
        expect(secret not in state, f"the state does not contain {name} in clear")

    step("Destroy: Omni keeps its default environment, everything else goes.")
    show(pulumi, ["destroy", "--yes", "--skip-preview"], ["- 6 deleted"])
    expect(omni.dbt_configuration(omni.connection_id) is None, "Omni has no dbt configuration")
    expect(names(omni) == ["Production"], "Omni has only its default environment")
    expect(omni.connection_environments() == [], "Omni has no connection environment")
    expect(lightdash.sources(lightdash.project_id) == [], "Lightdash has no additional source")
    say(f"\nDone: {len(omni.requests)} requests to Omni and {len(lightdash.requests)} to Lightdash in all.")


def prepare(omni: OmniSimulator, lightdash: LightdashSimulator) -> PulumiCli:
    """A copy of the quickstart, a stack, and the settings a user would have."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    shutil.copytree(ROOT / "examples" / "quickstart", PROGRAM.parent)
    shutil.copy(ROOT / "Pulumi.yaml", FOLDER)
    pulumi = PulumiCli(FOLDER)
    pulumi.create_stack(
        config={"omni:baseUrl": omni.url, "lightdash:url": lightdash.url},
        secrets={"omni:apiKey": omni.api_key, "lightdash:apiKey": lightdash.api_key, **SECRETS},
    )
    return pulumi


def edit(before: str, after: str) -> None:
    """Change one line of the program."""
    text = PROGRAM.read_text()
    expect(text.count(before) == 1, f"the program contains {before} once", quiet=True)
    PROGRAM.write_text(text.replace(before, after))
    say(f"\n    - {before}\n    + {after}")


def show(pulumi: PulumiCli, arguments: Sequence[str], expected: Sequence[str]) -> None:
    """Run a command, print what it prints, and hold it against what it has to show."""
    say(f"\n$ pulumi {' '.join(arguments)}")
    result = pulumi.run(*arguments)
    say("".join(f"    {line}\n" for line in result.output.splitlines() if line.strip()))
    expect(result.status == 0, f"it ends with 0, not {result.status}", quiet=True)
    for text in expected:
        expect(" ".join(text.split()) in " ".join(result.output.split()), f"its output contains {text!r}", quiet=True)


def expect(truth: bool, fact: str, *, quiet: bool = False) -> None:  # noqa: FBT001 - the truth is what it is about
    """Go on only if a fact holds."""
    if not truth:
        raise DemoError(f"Expected that {fact}.")
    if not quiet:
        say(f"    ✓ {fact}")


def environment(omni: OmniSimulator, name: str) -> dict[str, Any]:
    """What Omni has stored of an environment."""
    return next(e for e in omni.environments(omni.connection_id) if e["name"] == name)


def names(omni: OmniSimulator) -> list[str]:
    """Names of the environments that Omni has."""
    return sorted(e["name"] for e in omni.environments(omni.connection_id))


def step(text: str) -> None:
    """Begin a step."""
    say(f"\n=== {text}")


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
