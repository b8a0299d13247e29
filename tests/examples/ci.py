"""Small implementations of GitHub Actions and GitLab CI that run a workflow's jobs for an event.

They evaluate conditions and expressions, and run each script in the shell of the service. They skip actions
(``uses:``), which check out the repository and install Python and Pulumi.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import yaml

from tools.get_engine import engine_bin_dir, engine_path
from tools.pulumi_cli import restore_interrupts

PULL_REQUEST_ACTIONS = ["opened", "synchronize", "reopened"]
"""Actions that start a GitHub workflow without ``types``."""

WITHOUT_STATUS = r"\b(?:always|cancelled|failure|success)\(\)"
"""A condition with a status function. Any other condition also requires that no step has failed."""


class Job(NamedTuple):
    """The result of a job: its output, whether it failed, and its step summary."""

    log: str
    failed: bool
    summary: str = ""


class GitHub:
    """Runs the jobs of a workflow file in a checkout."""

    def __init__(self, workflow: str, checkout: Path, *, api: str, settings: Mapping[str, str]) -> None:
        """Creates a runner. ``settings`` are the secrets and variables of the repository."""
        self._workflow = yaml.safe_load(workflow)
        self._checkout = checkout
        self._api = api
        self.settings = settings

    def pull_request(
        self, number: int, action: str = "opened", *, fork: bool = False, author: str = "octocat"
    ) -> dict[str, Job]:
        """Runs the jobs for an event of a pull request."""
        head = {"repo": {"full_name": "somebody/omni" if fork else "acme/omni"}}
        event = {"action": action, "pull_request": {"number": number, "head": head, "user": {"login": author}}}
        return self._run("pull_request", event, secrets={} if fork else self.settings)

    def merge(self) -> dict[str, Job]:
        """Runs the jobs for a push to the main branch."""
        return self._run("push", {}, secrets=self.settings)

    def night(self) -> dict[str, Job]:
        """Runs the jobs for the schedule."""
        return self._run("schedule", {}, secrets=self.settings)

    def _run(self, name: str, event: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, Job]:
        triggers = self._workflow[True]  # YAML reads the key `on` as True
        if name not in triggers:
            return {}
        if "action" in event and event["action"] not in (triggers[name] or {}).get("types", PULL_REQUEST_ACTIONS):
            return {}
        github = {"event_name": name, "event": event, "repository": "acme/omni", "token": "the job's token"}
        context = {"github": github, "secrets": secrets, "vars": self.settings}
        jobs = self._workflow["jobs"].items()
        return {key: self._job(job, context) for key, job in jobs if evaluate(job.get("if", "true"), context)}

    def _job(self, job: Mapping[str, Any], context: Mapping[str, Any]) -> Job:
        assert self._workflow["defaults"]["run"]["shell"] == "bash"
        folder = self._checkout / self._workflow["defaults"]["run"]["working-directory"]
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
        summary = self._checkout / "step-summary.md"
        summary.write_text("")
        steps: dict[str, dict[str, str]] = {}
        job_context = {**context, "steps": steps}
        runner = {"GITHUB_API_URL": self._api, "GITHUB_REPOSITORY": "acme/omni", "GITHUB_STEP_SUMMARY": str(summary)}
        log, failed = "", False
        for step in job["steps"]:
            condition = str(step.get("if", "success()"))
            skipped = not evaluate(condition, job_context, failed=failed) or (
                failed and not re.search(WITHOUT_STATUS, condition)
            )
            outcome = "skipped" if skipped else "success"
            if not skipped and "run" in step:
                layers = [each.get("env", {}) for each in (self._workflow, job, step)]
                env = {key: fill(value, job_context) for layer in layers for key, value in layer.items()}
                output, status = run([*shell, fill(step["run"], job_context)], folder, {**runner, **env})
                log += output
                outcome = "failure" if status else "success"
                failed = failed or status != 0
            if "id" in step:
                steps[step["id"]] = {"outcome": outcome}
        return Job(log, failed, summary.read_text())


class GitLab:
    """Runs the jobs of a pipeline file in a checkout."""

    def __init__(self, pipeline: str, checkout: Path, *, api: str, settings: Mapping[str, str]) -> None:
        """Creates a runner. ``settings`` are the CI/CD variables of the project."""
        self._pipeline = yaml.safe_load(pipeline)
        self._checkout = checkout
        self._api = api
        self.settings = settings

    def pull_request(self, number: int, action: str = "opened", *, fork: bool = False) -> dict[str, Job]:
        """Runs the jobs for an event of a merge request: its pipeline, or the jobs that stop its environments.

        The pipeline of a merge request from a fork runs in the fork, with the fork's variables.
        """
        source = "2" if fork else "1"
        return self._run(
            stop=action == "closed",
            CI_PIPELINE_SOURCE="merge_request_event",
            CI_MERGE_REQUEST_IID=str(number),
            CI_MERGE_REQUEST_PROJECT_ID="1",
            CI_MERGE_REQUEST_SOURCE_PROJECT_ID=source,
            CI_PROJECT_ID=source,
        )

    def merge(self) -> dict[str, Job]:
        """Runs the jobs for a push to the main branch."""
        return self._run(CI_PIPELINE_SOURCE="push", CI_COMMIT_BRANCH="main")

    def night(self) -> dict[str, Job]:
        """Runs the jobs for the schedule."""
        return self._run(CI_PIPELINE_SOURCE="schedule", CI_COMMIT_BRANCH="main")

    def _run(self, *, stop: bool = False, **event: str) -> dict[str, Job]:
        project = {"CI_API_V4_URL": self._api, "CI_PROJECT_ID": "1", "CI_DEFAULT_BRANCH": "main"}
        variables = {**self.settings, **project, **event}
        ran = {}
        for name, definition in self._pipeline.items():
            if name.startswith("."):
                continue
            job = {**self._pipeline[definition["extends"]], **definition}
            rule = self._rule(job, variables)
            stops = job.get("environment", {}).get("action") == "stop"
            if rule is not None and (stops if stop else rule.get("when") != "manual"):
                ran[name] = self._job(job, variables)
        return ran

    @staticmethod
    def _rule(job: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Any] | None:
        """Returns the first rule whose condition is true."""
        for rule in job["rules"]:
            condition = re.sub(r"\$(\w+)", lambda name: repr(variables.get(name[1], "")), rule["if"])
            if eval(condition.replace("&&", "and")):  # noqa: S307 - compares texts from this repository
                return dict(rule)
        return None

    def _job(self, job: Mapping[str, Any], variables: Mapping[str, str]) -> Job:
        declared = {name: Template(value).safe_substitute(variables) for name, value in job["variables"].items()}
        script = "\n".join([*job["before_script"], *job["script"]])
        log, status = run(["bash", "-eo", "pipefail", "-c", script], self._checkout, {**variables, **declared})
        return Job(log, status != 0)


def run(command: list[str], folder: Path, env: Mapping[str, str]) -> tuple[str, int]:
    """Runs a script with ``env`` and the tools, and returns its output and exit status."""
    tools = {
        "PATH": engine_path(engine_bin_dir()),
        "HOME": str(folder),
        "PULUMI_HOME": str(folder / ".pulumi-home"),  # Pulumi does not use HOME
        "PIP_NO_INDEX": "1",  # all packages are installed already
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
    }
    ran = subprocess.run(
        command,
        cwd=folder,
        env={**tools, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        preexec_fn=restore_interrupts,
    )
    return ran.stdout, ran.returncode


def fill(text: str, context: Mapping[str, Any]) -> str:
    """Returns a text with GitHub's expressions evaluated."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: str(evaluate(found[1], context)), str(text))


def evaluate(expression: str, context: Mapping[str, Any], *, failed: bool = False) -> Any:
    """Evaluates a GitHub expression: texts, names, comparisons, ``!``, ``&&``, ``||``, status functions."""
    functions = {"success()": not failed, "failure()": failed, "always()": True, "cancelled()": False, "true": True}

    def value(found: re.Match[str]) -> str:
        word = found[0]
        if word.startswith("'"):
            return word
        if word in functions:
            return repr(functions[word])
        return repr(reduce(lambda inside, key: inside.get(key, {}), word.split("."), context) or "")

    bare = expression.strip().removeprefix("${{").removesuffix("}}")
    python = re.sub(r"'[^']*'|[a-zA-Z_][\w.]*(?:\(\))?", value, bare)
    python = re.sub(r"!(?!=)", " not ", python).replace("&&", " and ").replace("||", " or ")
    return eval(python.strip())  # noqa: S307 - literals and operators from this repository
