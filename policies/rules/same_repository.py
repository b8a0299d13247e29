"""Omni and Lightdash show the same models where a stack declares both."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_policy import EnforcementLevel, Severity

from rules import git
from rules.git import Repository
from rules.reading import (
    DBT_CONFIGURATION,
    LIGHTDASH_DBT_SOURCE,
    UNKNOWN,
    Config,
    ReportOn,
    Resource,
    of_type,
    stack_rule,
    strings,
)


def _check(resources: Sequence[Resource], config: Config, report: ReportOn) -> None:
    configurations, sources = of_type(resources, DBT_CONFIGURATION), of_type(resources, LIGHTDASH_DBT_SOURCE)
    if not configurations or not sources:
        return
    omni: dict[Repository, set[str]] = {}
    for configuration in configurations:
        repository, branch = git.repository(configuration), git.branch(configuration)
        if repository is UNKNOWN or branch is UNKNOWN:  # it may be any source's, and has been noted
            return
        if repository is git.UNREADABLE:  # it may be any source's, and allowed-hosts reports it
            return
        if repository is not None:
            omni.setdefault(repository, set()).add(branch or "")
    for source in sources:
        repository, branch = git.repository(source), git.branch(source)
        if repository is git.UNREADABLE:
            if "*" not in config["lightdashOnly"]:
                report(source, git.unreadable(source))
            continue
        if repository is None or repository is UNKNOWN or repository.fits(config["lightdashOnly"]):
            continue
        if repository not in omni:
            report(
                source,
                f"dbtConnection.repository is {repository}, and Omni reads {', '.join(sorted(map(str, omni)))}: the "
                "same metric would have two definitions. Use one repository, or add this one to lightdashOnly of the "
                "rule's configuration.",
            )
        elif branch is not UNKNOWN and branch not in omni[repository]:
            report(
                source,
                f'dbtConnection.branch is "{branch}", and Omni reads {repository} from branch '
                f"{', '.join(sorted(omni[repository]))}: the two would show different models. Use one branch.",
            )


POLICY = stack_rule(
    name="same-repository",
    description="Omni and Lightdash read the same repository and branch.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.MEDIUM,
    steps="Use one repository and one branch, or add the repository to lightdashOnly.",
    check=_check,
    config={"lightdashOnly": strings('Patterns, such as "acme/bi", of repositories that only Lightdash reads.')},
)
