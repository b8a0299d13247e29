"""A production environment belongs to nobody."""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from rules.reading import (
    DBT_ENVIRONMENT,
    PRODUCTION,
    UNKNOWN,
    Config,
    Report,
    Resource,
    is_production,
    resource_rule,
)


def _check(resource: Resource, config: Config, report: Report) -> None:
    name = resource.text("name")
    if name is None or (name is not UNKNOWN and not is_production(name, config)):
        return
    owner = resource.text("ownerId")
    if name is UNKNOWN or owner is UNKNOWN:
        return
    if owner is not None:
        report(
            f'ownerId is set for production environment "{name}": a personal environment belongs to one user, who may '
            "change and delete it in Omni. Leave owner_id out and use an organization API key, which makes it shared."
        )


POLICY = resource_rule(
    name="production-shared",
    description="A production environment is shared, not personal.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    steps="Leave owner_id out.",
    checks={DBT_ENVIRONMENT: _check},
    config=PRODUCTION,
)
