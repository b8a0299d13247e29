"""Which repositories may be used."""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from rules import git
from rules.reading import (
    DBT_CONFIGURATION,
    LIGHTDASH_DBT_SOURCE,
    UNKNOWN,
    Config,
    Report,
    Resource,
    resource_rule,
    strings,
)


def _check(resource: Resource, config: Config, report: Report) -> None:
    repository = git.repository(resource)
    if repository is git.UNREADABLE:
        if "*" not in config["repositories"]:
            report(git.unreadable(resource))
        return
    if repository is None or repository is UNKNOWN or repository.fits(config["repositories"]):
        return
    report(
        f"{git.repository_property(resource)} is {repository}, which is not among the allowed repositories: "
        f"{', '.join(config['repositories'])}. Correct it, or add it to repositories of the rule's configuration."
    )


POLICY = resource_rule(
    name="allowed-repositories",
    description="dbt projects are in allowed repositories.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    steps="Use an allowed repository, or add it to repositories of the rule's configuration.",
    checks={DBT_CONFIGURATION: _check, LIGHTDASH_DBT_SOURCE: _check},
    config={"repositories": strings('Patterns such as "acme/*" or "github.com/acme/*".', ["*"])},
)
