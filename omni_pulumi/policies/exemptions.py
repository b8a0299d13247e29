"""Exemptions of resources from rules: each has a reason and an end.

Each rule has the setting ``exempt``. A violation by an exempt resource is not reported by its rule, but by the policy
``exemptions``, with the reason: Pulumi gives all violations of a policy the same enforcement level, and a policy sees
its own settings only. So the rules record what they exempt, and the policy ``exemptions`` runs after them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timezone
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from pulumi_policy import EnforcementLevel, ReportViolation, Severity, StackValidationArgs, StackValidationPolicy

from omni_pulumi.policies.common import Config, ReportOn, Resource, Schema

NAME: Final = "exemptions"
DESCRIPTION: Final = "Exemptions from other policies are shown with their reasons."
LEVEL: Final = EnforcementLevel.ADVISORY
SEVERITY: Final = Severity.LOW
"""Properties of the policy."""

SCHEMA: Final[Schema] = {
    "exempt": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "resource": {"type": "string", "minLength": 1},
                "reason": {"type": "string", "minLength": 1},
                "until": {"type": "string", "format": "date"},
            },
            "required": ["resource", "reason", "until"],
            "additionalProperties": False,
        },
        "default": [],
        "description": "Exempt resources: a pattern of the name or the URN, the reason, and the last day in UTC.",
        "examples": [[{"resource": "staging", "reason": "Moves to the new warehouse.", "until": "2027-01-01"}]],
    }
}
"""The setting of each rule."""


class Exemption(NamedTuple):
    """An exemption from a rule.

    Attributes:
        rule: name of the rule.
        resource: pattern of the name or the URN, with case.
        reason: why the resource is exempt.
        until: the last day, in UTC.
    """

    rule: str
    resource: str
    reason: str
    until: date

    def __str__(self) -> str:
        return f"until {self.until} ({self.reason})"

    def covers(self, resource: Resource) -> bool:
        """Return whether the pattern matches the resource."""
        return fnmatchcase(resource.name, self.resource) or fnmatchcase(resource.urn, self.resource)

    def is_about_stack_of(self, urn: str) -> bool:
        """Return whether the pattern may match a resource of a stack. A pattern of names may match in every stack.

        A URN is ``urn:pulumi:<stack>::<project>::<type>::<name>``, and ``*`` also matches ``::``. So a start of the
        pattern matches stack and project, and the rest has at most the ``::`` between type and name.
        """
        pattern, stack = self.resource, "".join(f"{part}::" for part in urn.split("::")[:2])
        return not pattern.startswith("urn:") or any(
            fnmatchcase(stack, pattern[:end]) and pattern.count("::", end) <= 1 for end in range(len(pattern) + 1)
        )

    @property
    def has_ended(self) -> bool:
        """Whether the last day is over."""
        return self.until < today()


def today() -> date:
    """Return the date in UTC."""
    return datetime.now(timezone.utc).date()


class Exemptions:
    """The exemptions of a policy pack in one run. The rules write it, and the policy ``exemptions`` reports it."""

    def __init__(self) -> None:
        """Start without exemptions."""
        self._used: dict[Exemption, list[tuple[str, str]]] = {}
        self._needed: set[Exemption] = set()

    def read(self, rule: str, config: Config) -> list[Exemption]:
        """Return the exemptions in the configuration of a rule, the one that ends last first.

        Raises:
            ValueError: ``until`` is not a date.
        """
        exemptions = [
            Exemption(rule, given["resource"], given["reason"], date.fromisoformat(given["until"]))
            for given in config["exempt"]
        ]
        for exemption in exemptions:
            self._used.setdefault(exemption, [])
        return sorted(exemptions, key=lambda exemption: exemption.until, reverse=True)

    def reporter(self, exemptions: Sequence[Exemption], report: ReportOn) -> ReportOn:
        """Return a function that reports a violation unless its resource is exempt."""

        def report_unless_exempt(resource: Resource, message: str) -> None:
            covering = [exemption for exemption in exemptions if exemption.covers(resource)]
            self._needed.update(covering)
            if not covering:
                report(resource, message)
            elif covering[0].has_ended:
                report(resource, f"{message} The resource was exempt {covering[0]}.")
            else:
                self._used[covering[0]].append((resource.urn, message))

        return report_unless_exempt

    def may_be_needed(self, exemptions: Iterable[Exemption]) -> None:
        """Record exemptions whose resources the rule cannot check yet."""
        self._needed.update(exemptions)

    def policy(self) -> StackValidationPolicy:
        """Return the policy ``exemptions``. It must be the last one of a pack."""

        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            used, needed = self._used, self._needed
            self._used, self._needed = {}, set()
            stack = args.resources[0].urn if args.resources else ""
            for exemption, violations in sorted(used.items()):
                for urn, message in sorted(violations):
                    report(f"Exempt from {exemption.rule} {exemption}: {message}", urn)
                if exemption not in needed and exemption.is_about_stack_of(stack):
                    report(
                        f'The exemption of "{exemption.resource}" from {exemption.rule} {exemption} exempts nothing. '
                        f"Remove it from exempt in the configuration of {exemption.rule}, or correct resource.",
                        None,
                    )

        return StackValidationPolicy(
            NAME,
            f"{DESCRIPTION} See policies/README.md.",
            validate,
            enforcement_level=LEVEL,
            severity=SEVERITY,
            remediation_steps="Remove the exemption when the resource is corrected.",
        )
