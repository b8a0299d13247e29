"""Environments with an owner are in personal stacks only."""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies.common import DBT_ENVIRONMENT, UNKNOWN, Config, Report, Resource, matches, strings
from omni_pulumi.policies.rule import ResourceRule


def _check(resource: Resource, config: Config, report: Report) -> None:
    if matches(resource.stack, config["personalStacks"]):
        return
    owner = resource.text("ownerId")
    if owner is not None and owner is not UNKNOWN:
        report(
            f"owner_id is set, but stack {resource.stack} is not a personal stack. The owner of an environment can "
            "change and delete it in Omni. Remove owner_id, or add the stack to personalStacks in the policy's "
            "configuration."
        )


RULE = ResourceRule(
    name="no-personal-environments",
    description="Environments with an owner are in personal stacks only.",
    level=EnforcementLevel.ADVISORY,
    severity=Severity.MEDIUM,
    topics=("owners",),
    steps="Remove owner_id, or add the stack to personalStacks.",
    checks={DBT_ENVIRONMENT: _check},
    config={"personalStacks": strings("Patterns of the names of personal stacks.", ["dev*", "personal*", "sandbox*"])},
)
