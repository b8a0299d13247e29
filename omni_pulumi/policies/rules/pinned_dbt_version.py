"""The dbt version is set, so that it changes only with the program."""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies.common import DBT_CONFIGURATION, UNKNOWN, Config, Report, Resource
from omni_pulumi.policies.rule import ResourceRule


def _check(resource: Resource, _config: Config, report: Report) -> None:
    version = resource.text("dbtVersion")
    if version is UNKNOWN:
        return
    if version is None or version.casefold() == "auto":
        report(
            'dbt_version is "Auto", so Omni chooses the version, and models can change without a change of the '
            'program. Set dbt_version to the version of your dbt jobs, such as "1.11".'
        )


RULE = ResourceRule(
    name="pinned-dbt-version",
    description="The dbt version is pinned.",
    level=EnforcementLevel.ADVISORY,
    severity=Severity.LOW,
    topics=("changes",),
    steps='Set dbt_version, such as "1.11".',
    checks={DBT_CONFIGURATION: _check},
)
