"""A value of a user attribute selects one connection environment. Omni rejects a second one."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies.common import CONNECTION_ENVIRONMENT, UNKNOWN, Config, Connection, ReportOn, Resource, of_type
from omni_pulumi.policies.rule import StackRule


def _check(resources: Sequence[Resource], _config: Config, report: ReportOn) -> None:
    environments = of_type(resources, CONNECTION_ENVIRONMENT)
    if len(environments) == 1:
        return
    first: dict[tuple[Connection, str], Resource] = {}
    for environment in environments:
        base, values = environment.connection("baseConnectionId"), environment.elements("userAttributeValues")
        if base is None or base is UNKNOWN:
            continue
        for value in values:
            other = first.setdefault((base, str(value)), environment)
            if other is not environment:
                report(
                    environment,
                    f'user_attribute_values has "{value}", which selects connection environment {other.name} of the '
                    "same base connection too. Omni rejects the second one. Remove the value from one of the two.",
                )


RULE = StackRule(
    name="distinct-attribute-values",
    description="A value of the user attribute selects at most one environment of a base connection.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.MEDIUM,
    topics=("connections",),
    steps="Remove the value from one of the two connection environments.",
    check=_check,
)
