"""No two environments write to the same place.

A database that is left out is the connection's own, so it is compared per connection; databases that are named are
compared by name, whatever the connection. Names are compared without case, as most warehouses do.
"""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_policy import EnforcementLevel, Severity

from rules.reading import DBT_ENVIRONMENT, UNKNOWN, Config, ReportOn, Resource, of_type, stack_rule


def _check(resources: Sequence[Resource], _config: Config, report: ReportOn) -> None:
    environments = of_type(resources, DBT_ENVIRONMENT)
    if len(environments) == 1:
        return
    first: dict[tuple[str, str, str], Resource] = {}
    for environment in environments:
        database, schema = environment.text("targetDatabase"), environment.text("targetSchema")
        connection = environment.text("connectionId") if database is None else ""
        if database is UNKNOWN or schema is UNKNOWN or connection is UNKNOWN or schema is None:
            continue
        place = ((connection or "").casefold(), (database or "").casefold(), schema.casefold())
        other = first.setdefault(place, environment)
        if other is not environment:
            where = f'database "{database}"' if database else "the connection's database"
            report(
                environment,
                f'targetSchema "{schema}" in {where} is also that of environment {other.name}: both show the same '
                "tables, and what is built for one replaces the other's. Give each its own target_schema or "
                "target_database.",
            )


POLICY = stack_rule(
    name="distinct-schemas",
    description="No two environments of a stack have the same database and schema.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    steps="Give each environment its own target_schema or target_database.",
    check=_check,
)
