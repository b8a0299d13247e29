"""A connection environment has values that select it. Without them nobody uses it."""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies.common import CONNECTION_ENVIRONMENT, UNKNOWN, Config, Report, Resource
from omni_pulumi.policies.rule import ResourceRule


def _check(resource: Resource, _config: Config, report: Report) -> None:
    values = resource.get("userAttributeValues")
    if values is not UNKNOWN and not values:
        report(
            "user_attribute_values is empty, so no user gets this environment, and everybody uses the base connection. "
            "Set user_attribute_values to the values of the user attribute that select the environment."
        )


RULE = ResourceRule(
    name="selectable-environment",
    description="A connection environment has a user attribute value that selects it.",
    level=EnforcementLevel.ADVISORY,
    severity=Severity.LOW,
    topics=("connections",),
    steps="Set user_attribute_values.",
    checks={CONNECTION_ENVIRONMENT: _check},
)
