"""The configuration has a decision about ``enable_virtual_schemas``. Without one, a switch is not noticed.

See ``virtual-schemas-as-decided``. A policy sees its own configuration only, so both need the decision. If only this
policy has it, a switch is reported and does not stop the preview.
"""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies.common import DBT_CONFIGURATION, UNKNOWN, Config, Report, Resource
from omni_pulumi.policies.rule import ResourceRule
from omni_pulumi.policies.rules.virtual_schemas_as_decided import DECISIONS, decision


def _check(resource: Resource, config: Config, report: Report) -> None:
    decided = decision(resource, config)
    if decided is UNKNOWN:
        return
    if decided is None:
        report(
            "The policy's configuration has no value for enable_virtual_schemas, so a change of it is not noticed. "
            "Such a change requires a migration of content. Set the value by connection or stack in the configuration "
            "of this policy and of virtual-schemas-as-decided."
        )
        return
    enabled = resource.get("enableVirtualSchemas")
    if enabled is not UNKNOWN and bool(enabled) != decided:
        report(
            f"enable_virtual_schemas is {bool(enabled)}, but the policy's configuration says {decided}. Set the same "
            "value in the configuration of virtual-schemas-as-decided, which stops the preview."
        )


RULE = ResourceRule(
    name="virtual-schemas-decision-stated",
    description="The configuration has a value for enable_virtual_schemas.",
    level=EnforcementLevel.ADVISORY,
    severity=Severity.LOW,
    topics=("schemas", "changes"),
    steps="Set the value in the configuration of this policy and of virtual-schemas-as-decided.",
    checks={DBT_CONFIGURATION: _check},
    config=DECISIONS,
)
