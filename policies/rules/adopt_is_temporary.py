"""``adopt`` is about the first update. Left in the program, it no longer says what the program does.

``adopt=True`` does no harm, because adopting removes nothing that the program does not declare. It may stay where Omni
itself creates the object: the default environment "Production". ``adopt="existing"`` forbids a replacement.
"""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from rules.reading import (
    CONNECTION_ENVIRONMENT,
    DBT_CONFIGURATION,
    DBT_ENVIRONMENT,
    LIGHTDASH_DBT_SOURCE,
    PRODUCTION_STACKS,
    UNKNOWN,
    Config,
    Report,
    Resource,
    matches,
    resource_rule,
    strings,
)

_DEFAULT_ENVIRONMENT = "Production"
"""What Omni calls the environment that it creates with a dbt configuration."""


def _check(resource: Resource, config: Config, report: Report) -> None:
    if not matches(resource.stack, config["stacks"]):
        return
    adopt = resource.get("adopt")
    if adopt == "existing":
        report(
            'adopt is "existing", so a preview fails for a change that replaces the resource. Remove adopt after the '
            "first `pulumi up`; that changes nothing."
        )
    elif adopt is True and not _is_default_environment(resource):
        report(
            "adopt is true, which only matters when the resource is created. Remove adopt after the first `pulumi up`; "
            "that changes nothing."
        )


def _is_default_environment(resource: Resource) -> bool:
    return resource.type == DBT_ENVIRONMENT and resource.text("name") in {_DEFAULT_ENVIRONMENT, UNKNOWN}


POLICY = resource_rule(
    name="adopt-is-temporary",
    description="adopt is removed after the first update.",
    level=EnforcementLevel.ADVISORY,
    severity=Severity.LOW,
    steps="Remove adopt once the resource is in the state.",
    checks=dict.fromkeys((DBT_CONFIGURATION, DBT_ENVIRONMENT, CONNECTION_ENVIRONMENT, LIGHTDASH_DBT_SOURCE), _check),
    config={"stacks": strings("Patterns of the stacks in which it is reported.", PRODUCTION_STACKS)},
)
