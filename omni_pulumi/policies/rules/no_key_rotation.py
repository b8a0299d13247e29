"""SSH deploy keys are rotated in allowed stacks only, because somebody must register the new key.

A policy does not see the previous inputs, so it reports every trigger that is set, not only one that changes.
"""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies.common import DBT_CONFIGURATION, UNKNOWN, Config, Report, Resource, matches, strings
from omni_pulumi.policies.rule import ResourceRule


def _check(resource: Resource, config: Config, report: Report) -> None:
    if matches(resource.stack, config["allowedStacks"]):
        return
    trigger = resource.get("rotateKeysTrigger")  # an empty text is a trigger too
    if trigger is not None and trigger is not UNKNOWN:
        report(
            "rotate_keys_trigger is set. Adding or changing it rotates the SSH deploy keys, and the new key must then "
            f"be registered at the git host. Stack {resource.stack} may not rotate keys. Remove rotate_keys_trigger, "
            "or add the stack to allowedStacks in the policy's configuration."
        )


RULE = ResourceRule(
    name="no-key-rotation",
    description="SSH deploy keys are rotated in allowed stacks only.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    topics=("secrets",),
    steps="Remove rotate_keys_trigger, or add the stack to allowedStacks.",
    checks={DBT_CONFIGURATION: _check},
    config={"allowedStacks": strings("Patterns of the names of stacks that may rotate keys.", example=["prod"])},
)
