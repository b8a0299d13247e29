"""Which policies a pack gets."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies import select_policies
from omni_pulumi.policies.rules import RULES


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        ({"topics": ["secrets"], "severities": ["critical"]}, ["no-plain-secrets"]),
        ({"topics": {"owners"}}, ["production-shared", "no-personal-environments"]),
        ({"names": {"schema-names", "one-configuration"}}, ["schema-names", "one-configuration"]),
        (
            {"severities": ["critical", "medium"], "topics": ["connections"]},
            [
                "distinct-attribute-values",
                "environment-has-configuration",
            ],
        ),
        ({}, [rule.name for rule in RULES]),
    ],
)
def test_selection(selection: dict[str, Any], names: list[str]) -> None:
    """A selection by names, topics and severities has the rules that fit all of them, and then ``exemptions``."""
    assert [policy.name for policy in select_policies(**selection)] == [*names, "exemptions"]


def test_level() -> None:
    """A level replaces that of the rules, but not that of ``exemptions``."""
    *policies, last = select_policies(severities={"low"}, enforcement_level="mandatory")
    assert {(policy.enforcement_level, policy.severity) for policy in policies} == {
        (EnforcementLevel.MANDATORY, Severity.LOW)
    }
    assert last.enforcement_level == EnforcementLevel.ADVISORY


@pytest.mark.parametrize(
    ("selection", "fact"),
    [
        ({"names": ["no-plain-secret"]}, "no-plain-secret"),
        ({"topics": ["secret"]}, "repositories"),
        ({"severities": ["highest"]}, "critical"),
        ({"topics": ["schemas"], "severities": ["critical"]}, "severities"),
        ({"enforcement_level": "blocking"}, "blocking"),
    ],
)
def test_unknown_values(selection: dict[str, Any], fact: str) -> None:
    """An unknown name, topic, severity or level, and a selection of nothing, are errors."""
    with pytest.raises(ValueError, match=fact):
        select_policies(**selection)


def test_text_instead_of_a_set() -> None:
    """A text instead of a set is an error, because its letters would be compared."""
    with pytest.raises(TypeError, match="secrets"):
        select_policies(topics="secrets")
