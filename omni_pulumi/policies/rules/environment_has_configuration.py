"""The connection of an environment has a dbt configuration, because an environment needs a dbt repository."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies.common import (
    DBT_CONFIGURATION,
    DBT_ENVIRONMENT,
    UNKNOWN,
    Config,
    ReportOn,
    Resource,
    matches,
    of_type,
    strings,
)
from omni_pulumi.policies.rule import StackRule


def _check(resources: Sequence[Resource], config: Config, report: ReportOn) -> None:
    environments = of_type(resources, DBT_ENVIRONMENT)
    if not environments:
        return
    configured = [resource.connection() for resource in of_type(resources, DBT_CONFIGURATION)]
    if UNKNOWN in configured:  # it may be the connection of any environment
        return
    for environment in environments:
        connection = environment.connection()
        if connection is None or connection is UNKNOWN or connection in configured:
            continue
        if not matches(connection.id, config["declaredElsewhere"]):
            report(
                environment,
                f"connection_id is {connection.id}, and this stack has no DbtConfiguration for that connection. An "
                "environment needs the dbt repository of its connection. Declare a DbtConfiguration, or add the "
                "connection to declaredElsewhere in the policy's configuration.",
            )


RULE = StackRule(
    name="environment-has-configuration",
    description="The connection of an environment has a dbt configuration.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.MEDIUM,
    topics=("connections",),
    steps="Declare a DbtConfiguration for the connection, or add the connection to declaredElsewhere.",
    check=_check,
    config={
        "declaredElsewhere": strings(
            "Patterns of the IDs of connections that are configured outside the stack.", example=["<connection ID>"]
        )
    },
)
