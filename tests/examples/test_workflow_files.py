"""The workflows pass the linters of GitHub and GitLab, which find errors in changed copies."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.examples.conftest import EXAMPLES
from tools.get_actionlint import actionlint
from tools.get_engine import CLI as ENGINE
from tools.get_engine import engine_path, go_module

pytestmark = pytest.mark.slow

GITHUB = sorted(EXAMPLES.glob("*/github.yml"))
GITLAB = sorted(EXAMPLES.glob("*/gitlab.yml"))
OWN = EXAMPLES.parent / ".github" / "workflows" / "ci.yml"
NEWER_THAN_ACTIONLINT = 'unexpected key "queue" for "concurrency" section'
"""GitHub has supported ``queue`` since May 2026. actionlint 1.7.12 does not know it."""


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@pytest.fixture(scope="session")
def actionlint_binary() -> Path:
    """The actionlint binary, built once."""
    return actionlint()


def lint(*command: str, text: str | None = None) -> str:
    """Returns the findings of a linter, or an empty text."""
    path = engine_path(Path())
    ran = subprocess.run(command, input=text, env={"PATH": path}, capture_output=True, text=True, check=False)
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr or "failed without output"


def schema(path: Path, name: str) -> str:
    return lint("check-jsonschema", "--builtin-schema", name, "--data-transform", "gitlab-ci", str(path))


def scripts(path: Path) -> list[str]:
    """Returns the scripts of a pipeline as GitLab runs them: with ``before_script`` first."""
    jobs: list[dict[str, Any]] = list(yaml.safe_load(path.read_text()).values())
    before = [line for job in jobs for line in job.get("before_script", [])]
    return ["\n".join(["set -eo pipefail", *before, *job["script"]]) for job in jobs if "script" in job]


def github_findings(path: Path, actionlint_binary: Path) -> list[str]:
    """Returns the findings of three linters of GitHub workflows: schema, semantics and scripts, security."""
    by_actionlint = [str(actionlint_binary), "-shellcheck", "shellcheck", "-pyflakes", "", "-oneline"]
    return [
        schema(path, "vendor.github-workflows"),
        lint(*by_actionlint, "-ignore", NEWER_THAN_ACTIONLINT, str(path)),
        lint("zizmor", "--offline", "--quiet", "--no-progress", "--persona", "auditor", str(path)),
    ]


def gitlab_findings(path: Path) -> list[str]:
    """Returns the findings of the schema of GitLab pipelines and of shellcheck."""
    shellcheck = ("shellcheck", "--shell", "bash", "-")
    return [schema(path, "vendor.gitlab-ci"), *(lint(*shellcheck, text=script) for script in scripts(path))]


@pytest.mark.parametrize("path", [*GITHUB, OWN], ids=name_of)
def test_github(path: Path, actionlint_binary: Path) -> None:
    """A GitHub workflow has no findings."""
    assert github_findings(path, actionlint_binary) == ["", "", ""]


def test_own_actions() -> None:
    """The workflow of this repository uses the same versions of the actions as the examples."""
    own, theirs = (set(re.findall(r"uses: (\S+ # \S+)", path.read_text())) for path in (OWN, GITHUB[0]))
    assert own
    assert own <= theirs


def test_issue_form() -> None:
    """The issue form has the schema of GitHub."""
    assert schema(EXAMPLES.parent / ".github" / "ISSUE_TEMPLATE" / "bug.yml", "vendor.github-issue-forms") == ""


@pytest.mark.parametrize("path", GITLAB, ids=name_of)
def test_gitlab(path: Path) -> None:
    """A GitLab pipeline has no findings."""
    assert {*gitlab_findings(path)} == {""}


@pytest.mark.parametrize(
    ("old", "new", "linter"),
    [
        ("runs-on:", "run-on:", 0),
        ("steps.preview.outcome", "steps.previw.outcome", 1),
        ('--stack "$PULUMI_STACK"', "--stack $PULUMI_STACK", 1),
        ("          persist-credentials: false\n", "          fetch-depth: 1\n", 2),
        ('--stack "$PULUMI_STACK"', '--stack "${{ github.head_ref }}"', 2),
    ],
)
def test_errors_in_a_workflow_are_found(
    tmp_path: Path, actionlint_binary: Path, old: str, new: str, linter: int
) -> None:
    """The linters find a misspelt key, an unknown step, an unquoted variable, kept credentials and an injection."""
    broken = tmp_path / "github.yml"
    text = (EXAMPLES / "pull_request" / "github.yml").read_text()
    assert old in text
    broken.write_text(text.replace(old, new))
    assert github_findings(broken, actionlint_binary)[linter] != ""


@pytest.mark.parametrize(
    ("old", "new"), [("rules:", "rule:"), ('"$PULUMI_STACK"', "$PULUMI_STACK"), ('[ -n "$note" ]', "[ -n $note ]")]
)
def test_errors_in_a_pipeline_are_found(tmp_path: Path, old: str, new: str) -> None:
    """The linters find a misspelt key, and an unquoted variable in a line and in a block."""
    broken = tmp_path / "gitlab.yml"
    text = (EXAMPLES / "pull_request" / "gitlab.yml").read_text()
    assert old in text
    broken.write_text(text.replace(old, new))
    assert {*gitlab_findings(broken)} != {""}


@pytest.mark.parametrize("path", GITHUB + GITLAB, ids=name_of)
def test_pulumi_is_pinned(path: Path) -> None:
    """The workflows install the version of Pulumi that the tests use."""
    pinned = re.findall(r"pulumi-version: (\S+)|image: pulumi/pulumi-python-[\d.]+:(\S+)", path.read_text())
    assert {version for both in pinned for version in both if version} == {go_module(ENGINE).version.removeprefix("v")}


@pytest.mark.parametrize("path", GITHUB + GITLAB, ids=name_of)
def test_readme_lists_secrets_and_variables(path: Path) -> None:
    """The README beside a workflow lists each secret and variable that the workflow uses."""
    asked = set(re.findall(r"(?:secrets|vars)\.(\w+)|\$((?:GITLAB|PULUMI)_\w+)", path.read_text()))
    readme = (path.parent / "README.md").read_text()
    assert [name for names in asked for name in names if name and f"`{name}`" not in readme] == []


@pytest.mark.parametrize("readme", sorted(EXAMPLES.glob("*/README.md")), ids=name_of)
def test_the_links_resolve(readme: Path) -> None:
    """A relative link in an example's README points to a file."""
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", readme.read_text()) if "://" not in link]
    assert [link for link in links if not (readme.parent / link).exists()] == []


def test_one_group_for_each_instance() -> None:
    """All jobs for one instance wait in one queue, and none is cancelled."""
    queue = {"group": "omni-${{ vars.OMNI_BASE_URL }}", "cancel-in-progress": False, "queue": "max"}
    assert [yaml.safe_load(path.read_text())["concurrency"] for path in GITHUB] == [queue] * len(GITHUB)
    for path in GITLAB:
        pipeline = yaml.safe_load(path.read_text())
        jobs = [{**pipeline.get(job.get("extends"), {}), **job} for job in pipeline.values() if "script" in job]
        assert {job["resource_group"] for job in jobs} == {"omni"}
