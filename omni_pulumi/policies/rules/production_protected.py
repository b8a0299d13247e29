"""A production environment has the resource option ``protect``."""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies.common import (
    DBT_ENVIRONMENT,
    PRODUCTION,
    UNKNOWN,
    Config,
    Report,
    Resource,
    is_production,
)
from omni_pulumi.policies.rule import ResourceRule


def _check(resource: Resource, config: Config, report: Report) -> None:
    if resource.protect:
        return
    name = resource.text("name")
    if name is not None and name is not UNKNOWN and is_production(name, config):
        report(
            f'Resource option protect is not set for production environment "{name}". Removing the resource '
            "from the program, or changing connection_id, may delete it. Add opts=pulumi.ResourceOptions(protect=True)."
        )


RULE = ResourceRule(
    name="production-protected",
    description="A production environment has the resource option protect.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    topics=("production",),
    steps="Add opts=pulumi.ResourceOptions(protect=True).",
    checks={DBT_ENVIRONMENT: _check},
    config=PRODUCTION,
)
