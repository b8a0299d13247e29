"""Taking over is for once: left in the program, it takes over silently whatever somebody makes by hand later."""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from rules.reading import (
    CONNECTION_ENVIRONMENT,
    DBT_CONFIGURATION,
    DBT_ENVIRONMENT,
    LIGHTDASH_DBT_SOURCE,
    PRODUCTION_STACKS,
    Config,
    Report,
    Resource,
    matches,
    resource_rule,
    strings,
)


def _check(resource: Resource, config: Config, report: Report) -> None:
    if matches(resource.stack, config["stacks"]) and resource.get("adopt") is True:
        report(
            "adopt is true: whenever the resource is made anew, it takes over and overwrites what it finds. Once the "
            "first `pulumi up` has taken it over, leave adopt out, which changes nothing then."
        )


POLICY = resource_rule(
    name="adopt-is-temporary",
    description="adopt=True is taken out after the first update.",
    level=EnforcementLevel.ADVISORY,
    severity=Severity.LOW,
    steps="Leave adopt out once the resource is in the state.",
    checks=dict.fromkeys((DBT_CONFIGURATION, DBT_ENVIRONMENT, CONNECTION_ENVIRONMENT, LIGHTDASH_DBT_SOURCE), _check),
    config={"stacks": strings("Patterns of the stacks in which it is named.", PRODUCTION_STACKS)},
)
