"""Personal environments stay in the stacks of persons."""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from rules.reading import DBT_ENVIRONMENT, UNKNOWN, Config, Report, Resource, matches, resource_rule, strings


def _check(resource: Resource, config: Config, report: Report) -> None:
    if matches(resource.stack, config["personalStacks"]):
        return
    owner = resource.text("ownerId")
    if owner is not None and owner is not UNKNOWN:
        report(
            f"ownerId is set, and stack {resource.stack} is not a personal one: a personal environment belongs to "
            "one user, who may change and delete it in Omni. Leave owner_id out, or add the stack to "
            "personalStacks of the rule's configuration."
        )


POLICY = resource_rule(
    name="no-personal-environments",
    description="Environments with an owner are in personal stacks only.",
    level=EnforcementLevel.ADVISORY,
    severity=Severity.MEDIUM,
    steps="Leave owner_id out, or add the stack to personalStacks.",
    checks={DBT_ENVIRONMENT: _check},
    config={"personalStacks": strings("Patterns of the stacks of persons.", ["dev*", "personal*", "sandbox*"])},
)
