"""A connection has one dbt configuration, so the provider refuses a second resource for it."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies.common import DBT_CONFIGURATION, UNKNOWN, Config, Connection, ReportOn, Resource, of_type
from omni_pulumi.policies.rule import StackRule


def _check(resources: Sequence[Resource], _config: Config, report: ReportOn) -> None:
    configurations = of_type(resources, DBT_CONFIGURATION)
    if len(configurations) == 1:
        return
    first: dict[Connection, Resource] = {}
    for configuration in configurations:
        connection = configuration.connection()
        if connection is None or connection is UNKNOWN:
            continue
        other = first.setdefault(connection, configuration)
        if other is not configuration:
            report(
                configuration,
                f"connection_id is {connection.id}, which {other.name} configures too. A connection has one dbt "
                "configuration, so `pulumi up` fails. Remove one of the two resources from the program; the "
                "configuration stays in Omni.",
            )


RULE = StackRule(
    name="one-configuration",
    description="A connection has at most one dbt configuration.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    topics=("connections",),
    steps="Remove one of the two resources from the program.",
    check=_check,
)
