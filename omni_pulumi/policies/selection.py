"""Selects rules for a policy pack. ``selectPolicies`` of Pulumi's policy manager has similar arguments."""

from __future__ import annotations

from collections.abc import Collection

from pulumi_policy import EnforcementLevel, Policy

from omni_pulumi.policies.exemptions import Exemptions
from omni_pulumi.policies.rules import RULES


def select_policies(
    *,
    names: Collection[str] | None = None,
    topics: Collection[str] | None = None,
    severities: Collection[str] | None = None,
    enforcement_level: str | EnforcementLevel | None = None,
) -> list[Policy]:
    """Return the policies of all rules, or of the rules that every given argument selects.

    The last policy is ``exemptions``, which shows the exemptions from the others.

    Args:
        names: names of rules, such as ``no-plain-secrets``.
        topics: topics of rules, such as ``secrets``. A rule needs one of them.
        severities: severities of rules: ``critical``, ``high``, ``medium`` or ``low``.
        enforcement_level: level of the selected policies, instead of the level of each rule.

    Raises:
        TypeError: an argument is a text instead of a collection.
        ValueError: no rule has a name, a topic or a severity, or no rule is selected.
    """
    level = None if enforcement_level is None else EnforcementLevel(enforcement_level)
    _expect("names", names, {rule.name for rule in RULES})
    _expect("topics", topics, {topic for rule in RULES for topic in rule.topics})
    _expect("severities", severities, {rule.severity.value for rule in RULES})
    selected = [
        rule
        for rule in RULES
        if (names is None or rule.name in names)
        and (topics is None or not set(topics).isdisjoint(rule.topics))
        and (severities is None or rule.severity.value in severities)
    ]
    if not selected:
        raise ValueError("No rule has one of the names, one of the topics and one of the severities.")
    exemptions = Exemptions()
    return [*(rule.policy(exemptions, level) for rule in selected), exemptions.policy()]


def _expect(argument: str, given: Collection[str] | None, known: set[str]) -> None:
    if isinstance(given, str):
        raise TypeError(f'{argument} must be a set or a list, got a text. Write {argument}={{"{given}"}}.')
    unknown = ", ".join(sorted({*(given or ())} - known))
    if unknown:
        raise ValueError(f"{argument} has unknown values: {unknown}. Known are: {', '.join(sorted(known))}.")
