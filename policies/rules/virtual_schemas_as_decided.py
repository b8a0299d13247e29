"""Virtual schemas are switched by a decision.

Switching them means that content must be migrated. A policy cannot see the value of the last run, neither of the
resource nor of the stack: the engine hands it the new inputs only. So the decision is written into the rule's
configuration, and a program that differs from it is stopped; to switch, both are changed, and who owns the
configuration's file is asked. Where nothing is written down, ``virtual-schemas-decision-stated`` says so.
"""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from rules.reading import (
    DBT_CONFIGURATION,
    UNKNOWN,
    Config,
    Report,
    Resource,
    Schema,
    Unknown,
    by_pattern,
    for_stack,
    resource_rule,
)

DECISIONS: Schema = {
    "connections": by_pattern(
        "Whether they are enabled, by connection ID; goes before stacks.", {"type": "boolean"}, {}
    ),
    "stacks": by_pattern("Whether they are enabled, by pattern of stack names.", {"type": "boolean"}, {}),
}
"""Configuration that states the decisions. The two rules have the same one."""


def decision(resource: Resource, config: Config) -> bool | Unknown | None:
    """What was decided for a configuration, ``None`` when nothing was."""
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
            f"enableVirtualSchemas is {str(bool(enabled)).lower()}, and it was decided to be {str(decided).lower()}: "
            "after a switch, content that refers to the schemas must be migrated. Set it back; or plan the migration "
            "and change the decision in the rule's configuration together with the program."
        )


POLICY = resource_rule(
    name="virtual-schemas-as-decided",
    description="Virtual schemas are enabled as it was decided.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    steps="Set enable_virtual_schemas to the decided value, or plan the migration of content and change the decision.",
    checks={DBT_CONFIGURATION: _check},
    config=DECISIONS,
)
