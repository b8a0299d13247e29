"""Where nobody has decided on virtual schemas, a switch would pass unseen.

The decisions are configured for this rule as for ``virtual-schemas-as-decided``, which says why they are needed.
"""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from rules.reading import DBT_CONFIGURATION, Config, Report, Resource, resource_rule
from rules.virtual_schemas_as_decided import DECISIONS, decision


def _check(resource: Resource, config: Config, report: Report) -> None:
    if decision(resource, config) is None:
        report(
            "enableVirtualSchemas has no decision to be compared with, so a switch, after which content must be "
            "migrated, would pass. State it by connection or stack, in the configuration of this rule and of "
            "virtual-schemas-as-decided."
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
