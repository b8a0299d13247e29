"""A connection has one dbt configuration, and two resources would overwrite each other for ever."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_policy import EnforcementLevel, Severity

from rules.reading import DBT_CONFIGURATION, UNKNOWN, Config, ReportOn, Resource, of_type, stack_rule


def _check(resources: Sequence[Resource], _config: Config, report: ReportOn) -> None:
    configurations = of_type(resources, DBT_CONFIGURATION)
    if len(configurations) == 1:
        return
    first: dict[str, Resource] = {}
    for configuration in configurations:
        connection = configuration.text("connectionId")
        if connection is None or connection is UNKNOWN:
            continue
        other = first.setdefault(connection.casefold(), configuration)
        if other is not configuration:
            report(
                configuration,
                f"connectionId {connection} is configured by {other.name} too: a connection has one dbt configuration, "
                "and the two overwrite each other at every update. Delete one of them from the program.",
            )


POLICY = stack_rule(
    name="one-configuration",
    description="A connection has at most one dbt configuration.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    steps="Delete one of the two from the program; protect the other first, or take it out of the state.",
    check=_check,
)
