"""A connection environment that no value selects is used by nobody."""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from rules.reading import CONNECTION_ENVIRONMENT, UNKNOWN, Config, Report, Resource, resource_rule


def _check(resource: Resource, _config: Config, report: Report) -> None:
    values = resource.get("userAttributeValues")
    if values is not UNKNOWN and not values:
        report(
            "userAttributeValues is empty, so no user is led to the environment: everybody works on the base "
            "connection. Name the values of the user attribute that select it."
        )


POLICY = resource_rule(
    name="selectable-environment",
    description="A connection environment can be selected by a user attribute's value.",
    level=EnforcementLevel.ADVISORY,
    severity=Severity.LOW,
    steps="Set user_attribute_values.",
    checks={CONNECTION_ENVIRONMENT: _check},
)
