"""Resources use allowed repositories only."""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies import git
from omni_pulumi.policies.common import (
    DBT_CONFIGURATION,
    LIGHTDASH_DBT_SOURCE,
    UNKNOWN,
    Config,
    Report,
    Resource,
    strings,
)
from omni_pulumi.policies.rule import ResourceRule


def _check(resource: Resource, config: Config, report: Report) -> None:
    repository = git.repository(resource)
    if repository is git.UNREADABLE:
        if "*" not in config["repositories"]:
            report(git.unreadable(resource))
        return
    if repository is None or repository is UNKNOWN or repository.fits(config["repositories"]):
        return
    report(
        f"{git.repository_property(resource)} is {repository}, which is not an allowed repository. The allowed "
        f"repositories are: {', '.join(config['repositories'])}. Use one of these, or add the repository to "
        "repositories in the policy's configuration."
    )


RULE = ResourceRule(
    name="allowed-repositories",
    description="dbt projects are in allowed git repositories.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    topics=("repositories",),
    steps="Use an allowed repository, or add the repository to repositories in the policy's configuration.",
    checks={DBT_CONFIGURATION: _check, LIGHTDASH_DBT_SOURCE: _check},
    config={
        "repositories": strings("Patterns of allowed repositories.", ["*"], example=["acme/*", "github.com/acme-bi/*"])
    },
)
