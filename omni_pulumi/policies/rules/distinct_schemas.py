"""Environments do not share a database and schema.

Without ``target_database``, the database is that of the connection, so the schema is compared within the connection. A
named database is compared across connections, except for connections that are configured as separate. Names are
compared without case and quotes, as in most warehouses.
"""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies.common import DBT_ENVIRONMENT, UNKNOWN, Config, ReportOn, Resource, matches, of_type, strings
from omni_pulumi.policies.rule import StackRule


def _name(given: str | None) -> str:
    return (given or "").strip("\"'`[] \t").casefold()


def _check(resources: Sequence[Resource], config: Config, report: ReportOn) -> None:
    environments = of_type(resources, DBT_ENVIRONMENT)
    if len(environments) == 1:
        return
    first: dict[tuple[str, ...], Resource] = {}
    for environment in environments:
        database, schema = environment.text("targetDatabase"), environment.text("targetSchema")
        profile, connection = environment.text("profile"), None
        if database is None or config["separateConnections"]:
            connection = environment.text("connectionId")
        if database is UNKNOWN or schema is UNKNOWN or profile is UNKNOWN or connection is UNKNOWN or schema is None:
            continue
        connection = (connection or "").casefold()
        if database is not None and not matches(connection, config["separateConnections"]):
            connection = ""
        place = (profile or "", connection, _name(database), _name(schema))
        other = first.setdefault(place, environment)
        if other is not environment:
            where = f'database "{database}"' if database else "the connection's database"
            report(
                environment,
                f'target_schema "{schema}" in {where} is also that of environment {other.name}. Both show the same '
                "tables, and a dbt run for one overwrites those of the other. Give each environment its own "
                "target_schema or target_database.",
            )


RULE = StackRule(
    name="distinct-schemas",
    description="No two environments of a stack have the same database and schema.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    topics=("schemas",),
    steps="Give each environment its own target_schema or target_database.",
    check=_check,
    config={
        "separateConnections": strings(
            "Patterns of the IDs of connections that share no warehouse with others.", example=["<connection ID>"]
        ),
    },
)
