"""Deploy keys are rotated where somebody is there to register the new ones.

A policy does not see the trigger of the last run, so a trigger that is set counts, and not only one that changes.
"""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from rules.reading import DBT_CONFIGURATION, UNKNOWN, Config, Report, Resource, matches, resource_rule, strings


def _check(resource: Resource, config: Config, report: Report) -> None:
    if matches(resource.stack, config["allowedStacks"]):
        return
    trigger = resource.get("rotateKeysTrigger")  # the empty text is a trigger too
    if trigger is not None and trigger is not UNKNOWN:
        report(
            "rotateKeysTrigger is set: when it is added or changed, the SSH deploy keys are rotated, and the new one "
            f"must be registered at the git host by hand. Stack {resource.stack} is not in allowedStacks of the rule's "
            "configuration: leave rotate_keys_trigger out, or add the stack."
        )


POLICY = resource_rule(
    name="no-key-rotation",
    description="Deploy keys are rotated in allowed stacks only.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    steps="Leave rotate_keys_trigger out, or add the stack to allowedStacks.",
    checks={DBT_CONFIGURATION: _check},
    config={"allowedStacks": strings("Patterns of the stacks that may rotate keys.")},
)
