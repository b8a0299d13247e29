"""Where nobody has decided on virtual schemas, a switch would pass unseen.

The decisions are configured for this rule as for ``virtual-schemas-as-decided``, which says why they are needed. A rule
sees its own configuration only, so a decision that is stated here alone stops nothing: a switch is at least named.
"""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from rules.reading import DBT_CONFIGURATION, UNKNOWN, Config, Report, Resource, resource_rule
from rules.virtual_schemas_as_decided import DECISIONS, decision


def _check(resource: Resource, config: Config, report: Report) -> None:
    decided = decision(resource, config)
    if decided is UNKNOWN:
        return
    if decided is None:
        report(
            "enableVirtualSchemas has no decision to be compared with, so a switch, after which content must be "
            "migrated, would pass. State it by connection or stack, in the configuration of this rule and of "
            "virtual-schemas-as-decided."
        )
        return
    enabled = resource.get("enableVirtualSchemas")
    if enabled is not UNKNOWN and bool(enabled) != decided:
        report(
            f"enableVirtualSchemas is {str(bool(enabled)).lower()}, and the decision in this rule's configuration is "
            f"{str(decided).lower()}. State the same decision in the configuration of virtual-schemas-as-decided, "
            "which stops a switch."
        )


POLICY = resource_rule(
    name="virtual-schemas-decision-stated",
    description="Whether virtual schemas are enabled was decided.",
    level=EnforcementLevel.ADVISORY,
    severity=Severity.LOW,
    steps="State the decision in the configuration of this rule and of virtual-schemas-as-decided.",
    checks={DBT_CONFIGURATION: _check},
    config=DECISIONS,
)
