"""A user attribute's value selects one connection environment, before Omni refuses a second one."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_policy import EnforcementLevel, Severity

from rules.reading import CONNECTION_ENVIRONMENT, UNKNOWN, Config, Connection, ReportOn, Resource, of_type, stack_rule


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
                    f'userAttributeValues has "{value}", which selects connection environment {other.name} of the same '
                    "base connection: Omni refuses the second one. Take it out of one of the two.",
                )


POLICY = stack_rule(
    name="distinct-attribute-values",
    description="A user attribute's value selects at most one environment of a base connection.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.MEDIUM,
    steps="Take the value out of one of the two connection environments.",
    check=_check,
)
