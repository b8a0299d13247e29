"""A production environment has no owner."""

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
    name = resource.text("name")
    if name is None or (name is not UNKNOWN and not is_production(name, config)):
        return
    owner = resource.text("ownerId")
    if name is UNKNOWN or owner is UNKNOWN:
        return
    if owner is not None:
        report(
            f'owner_id is set for production environment "{name}". The owner of an environment can change and delete '
            "it in Omni. Remove owner_id and use an organization API key, so that the environment is shared."
        )


RULE = ResourceRule(
    name="production-shared",
    description="A production environment is shared and has no owner.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    topics=("production", "owners"),
    steps="Remove owner_id.",
    checks={DBT_ENVIRONMENT: _check},
    config=PRODUCTION,
)
