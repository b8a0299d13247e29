"""``enable_virtual_schemas`` has the value in the policy's configuration.

Switching virtual schemas on or off requires a migration of content. A policy receives the new inputs only and cannot
see such a change, so it compares the value with a decision in its configuration. To switch, change both: then the owner
of the configuration file takes part. ``virtual-schemas-decision-stated`` reports a missing decision.
"""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies.common import (
    DBT_CONFIGURATION,
    UNKNOWN,
    Config,
    Report,
    Resource,
    Schema,
    Unknown,
    by_pattern,
    for_stack,
)
from omni_pulumi.policies.rule import ResourceRule

DECISIONS: Schema = {
    "connections": by_pattern(
        "Whether virtual schemas are enabled, by connection ID. Takes precedence over stacks.",
        {"type": "boolean"},
        {},
        example={"<connection ID>": True},
    ),
    "stacks": by_pattern(
        "Whether virtual schemas are enabled, by pattern of stack names.",
        {"type": "boolean"},
        {},
        example={"*": False},
    ),
}
"""Configuration of both policies about virtual schemas."""


def decision(resource: Resource, config: Config) -> bool | Unknown | None:
    """Return the decision for a dbt configuration, or ``None`` without one."""
    if config["connections"]:
        connection = resource.text("connectionId")
        if connection is UNKNOWN:
            return UNKNOWN
        by_id = {key.casefold(): bool(value) for key, value in config["connections"].items()}
        if connection is not None and connection.casefold() in by_id:
            return by_id[connection.casefold()]
    stated = for_stack(config["stacks"], resource.stack)
    return None if stated is None else bool(stated)


def _check(resource: Resource, config: Config, report: Report) -> None:
    decided = decision(resource, config)
    if decided is None or decided is UNKNOWN:
        return
    enabled = resource.get("enableVirtualSchemas")
    if enabled is not UNKNOWN and bool(enabled) != decided:
        report(
            f"enable_virtual_schemas is {bool(enabled)}, but the policy's configuration says {decided}. After a "
            "change, content that refers to the schemas must be migrated. Set it back, or plan the migration and "
            "change the policy's configuration together with the program."
        )


RULE = ResourceRule(
    name="virtual-schemas-as-decided",
    description="enable_virtual_schemas has the value in the policy's configuration.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    topics=("schemas", "changes"),
    steps="Set enable_virtual_schemas back, or plan the migration of content and change the policy's configuration.",
    checks={DBT_CONFIGURATION: _check},
    config=DECISIONS,
)
