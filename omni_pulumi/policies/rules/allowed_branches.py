"""Stacks use allowed git branches only."""

from __future__ import annotations

from fnmatch import fnmatchcase

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies import git
from omni_pulumi.policies.common import (
    DBT_CONFIGURATION,
    LIGHTDASH_DBT_SOURCE,
    PRODUCTION_STACKS,
    UNKNOWN,
    Config,
    Report,
    Resource,
    by_pattern,
    for_stack,
)
from omni_pulumi.policies.rule import ResourceRule


def _check(resource: Resource, config: Config, report: Report) -> None:
    allowed = for_stack(config["stacks"], resource.stack)
    if allowed is None:
        return
    branch = git.branch(resource)
    if branch is None or branch is UNKNOWN:
        return
    if any(fnmatchcase(branch, pattern) for pattern in allowed):  # branch names are case-sensitive
        return
    report(
        f'{git.branch_property(resource)} is "{branch}", but stack {resource.stack} may use only: '
        f"{', '.join(allowed)}. Use one of these branches, or add the branch to stacks in the policy's configuration."
    )


RULE = ResourceRule(
    name="allowed-branches",
    description="A stack uses only the git branches that are allowed for it.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    topics=("repositories",),
    steps="Use an allowed branch, or add the branch to stacks in the policy's configuration.",
    checks={DBT_CONFIGURATION: _check, LIGHTDASH_DBT_SOURCE: _check},
    config={
        "stacks": by_pattern(
            "Patterns of branches, by pattern of stack names. A stack that matches no pattern may use any branch.",
            {"type": "array", "items": {"type": "string"}},
            {stacks: ["main", "master"] for stacks in PRODUCTION_STACKS},
        )
    },
)
