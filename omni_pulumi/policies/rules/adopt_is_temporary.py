"""``adopt`` has an effect only when Pulumi creates a resource, and misleads readers of the program afterwards.

``adopt=True`` may stay for the default environment "Production", which Omni creates itself. ``adopt="existing"`` makes
a later replacement fail.
"""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies.common import (
    CONNECTION_ENVIRONMENT,
    CONNECTION_ENVIRONMENT_ATTRIBUTE,
    DBT_CONFIGURATION,
    DBT_ENVIRONMENT,
    LIGHTDASH_DBT_SOURCE,
    PRODUCTION_STACKS,
    UNKNOWN,
    Config,
    Report,
    Resource,
    matches,
    strings,
)
from omni_pulumi.policies.rule import ResourceRule

_DEFAULT_ENVIRONMENT = "Production"
"""Name of the environment that Omni creates together with a dbt configuration."""


def _check(resource: Resource, config: Config, report: Report) -> None:
    if not matches(resource.stack, config["stacks"]):
        return
    adopt = resource.get("adopt")
    if adopt == "existing":
        report(
            'adopt is "existing", so the preview fails when a change replaces the resource. Remove adopt after the '
            "first `pulumi up`. Removing it changes nothing else."
        )
    elif adopt is True and not _is_default_environment(resource):
        report(
            "adopt is True, which has an effect only when Pulumi creates the resource. Remove adopt after the first "
            "`pulumi up`. Removing it changes nothing else."
        )


def _is_default_environment(resource: Resource) -> bool:
    return resource.type == DBT_ENVIRONMENT and resource.text("name") in {_DEFAULT_ENVIRONMENT, UNKNOWN}


RULE = ResourceRule(
    name="adopt-is-temporary",
    description="Programs do not set adopt after the first update.",
    level=EnforcementLevel.ADVISORY,
    severity=Severity.LOW,
    topics=("changes",),
    steps="Remove adopt when the resource is in the state.",
    checks=dict.fromkeys(
        (
            DBT_CONFIGURATION,
            DBT_ENVIRONMENT,
            CONNECTION_ENVIRONMENT,
            CONNECTION_ENVIRONMENT_ATTRIBUTE,
            LIGHTDASH_DBT_SOURCE,
        ),
        _check,
    ),
    config={"stacks": strings("Patterns of the names of stacks that are checked.", PRODUCTION_STACKS)},
)
