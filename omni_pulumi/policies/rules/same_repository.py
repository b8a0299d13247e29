"""Omni and Lightdash read one repository and branch when a stack declares both."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies import git
from omni_pulumi.policies.common import (
    DBT_CONFIGURATION,
    LIGHTDASH_DBT_SOURCE,
    UNKNOWN,
    Config,
    ReportOn,
    Resource,
    of_type,
    strings,
)
from omni_pulumi.policies.git import Repository
from omni_pulumi.policies.rule import StackRule


def _check(resources: Sequence[Resource], config: Config, report: ReportOn) -> None:
    configurations, sources = of_type(resources, DBT_CONFIGURATION), of_type(resources, LIGHTDASH_DBT_SOURCE)
    if not configurations or not sources or "*" in config["lightdashOnly"]:
        return
    omni: dict[Repository, set[str]] = {}
    complete = True  # whether omni has all repositories: another one may be that of any source
    for configuration in configurations:
        repository, branch = git.repository(configuration), git.branch(configuration)
        if repository is git.UNREADABLE:
            report(configuration, git.unreadable(configuration))
        if isinstance(repository, Repository) and branch is not UNKNOWN:
            omni.setdefault(repository, set()).add(branch or "")
        else:
            complete = False
    for source in sources:
        repository, branch = git.repository(source), git.branch(source)
        if repository is git.UNREADABLE:
            report(source, git.unreadable(source))
            continue
        if repository is None or repository is UNKNOWN or repository.fits(config["lightdashOnly"]) or not complete:
            continue
        if repository not in omni:
            report(
                source,
                f"dbt_connection.repository is {repository}, but Omni reads {', '.join(sorted(map(str, omni)))}. "
                "A metric could have two definitions. Use one repository, or add this one to lightdashOnly in the "
                "policy's configuration.",
            )
        elif branch is not UNKNOWN and branch not in omni[repository]:
            report(
                source,
                f'dbt_connection.branch is "{branch}", but Omni reads {repository} from branch '
                f"{', '.join(sorted(omni[repository]))}. The two show different models. Use one branch.",
            )


RULE = StackRule(
    name="same-repository",
    description="Omni and Lightdash read the same repository and branch.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.MEDIUM,
    topics=("repositories",),
    steps="Use one repository and one branch, or add the repository to lightdashOnly.",
    check=_check,
    config={
        "lightdashOnly": strings("Patterns of repositories that only Lightdash reads.", example=["acme/finance-dbt"])
    },
)
