"""The dbt configuration of a production environment has the resource option ``protect``."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies.common import (
    DBT_CONFIGURATION,
    DBT_ENVIRONMENT,
    PRODUCTION,
    UNKNOWN,
    Config,
    ReportOn,
    Resource,
    is_production,
    of_type,
)
from omni_pulumi.policies.rule import StackRule


def _check(resources: Sequence[Resource], config: Config, report: ReportOn) -> None:
    unprotected = [resource for resource in of_type(resources, DBT_CONFIGURATION) if not resource.protect]
    if not unprotected:
        return
    production = {}
    for environment in of_type(resources, DBT_ENVIRONMENT):
        name, connection = environment.text("name"), environment.connection()
        if name is UNKNOWN or connection is UNKNOWN:
            continue
        if name is not None and connection is not None and is_production(name, config):
            production[connection] = name
    for configuration in unprotected:
        connection = configuration.connection()
        if connection is not None and connection is not UNKNOWN and connection in production:
            report(
                configuration,
                f"Resource option protect is not set, and connection {connection.id} has production environment "
                f'"{production[connection]}", which has no dbt project without this resource. '
                "Add opts=pulumi.ResourceOptions(protect=True).",
            )


RULE = StackRule(
    name="production-configuration-protected",
    description="The dbt configuration of a production environment has the resource option protect.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    topics=("production",),
    steps="Add opts=pulumi.ResourceOptions(protect=True) to the DbtConfiguration.",
    check=_check,
    config=PRODUCTION,
)
