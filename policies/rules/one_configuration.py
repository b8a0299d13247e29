"""A connection has one dbt configuration, and two resources would overwrite each other for ever."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_policy import EnforcementLevel, Severity

from rules.reading import DBT_CONFIGURATION, UNKNOWN, Config, Connection, ReportOn, Resource, of_type, stack_rule


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
                f"connectionId {connection.id} is configured by {other.name} too: a connection has one dbt "
                "configuration, and the two overwrite each other at every update. Take one of them out of the program; "
                "where both are in the state, take it out of the state first (`pulumi state delete <urn>`), since an "
                "update that deletes it deletes the connection's only configuration.",
            )


POLICY = stack_rule(
    name="one-configuration",
    description="A connection has at most one dbt configuration.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    steps="Take one of the two out of the state (`pulumi state delete <urn>`), then out of the program.",
    check=_check,
)
