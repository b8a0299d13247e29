"""An exempt resource is shown by the policy ``exemptions`` until the exemption ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from pulumi_policy import ResourceValidationPolicy

from omni_pulumi.policies import exemptions, select_policies
from omni_pulumi.policies.common import DBT_ENVIRONMENT
from tests.policies.evaluation import UNKNOWN, Declared, evaluate, resource_args
from tests.policies.stacks import configuration, environment

Reports = list[tuple[str, str]]
Run = Callable[..., tuple[Reports, Reports]]

LAST_DAY = "2027-01-01"
UNPROTECTED = environment("live", called="Production")


def exempt(resource: str, until: str = LAST_DAY) -> dict[str, Any]:
    """Return the setting of an exemption."""
    return {"exempt": [{"resource": resource, "reason": "Moves in December.", "until": until}]}


@pytest.fixture(autouse=True)
def _last_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the last day of the exemptions."""
    monkeypatch.setattr(exemptions, "today", lambda: date.fromisoformat(LAST_DAY))


def run(rule: str, declared: Sequence[Declared], config: Mapping[str, Any]) -> tuple[Reports, Reports]:
    """Run a rule and then the policy ``exemptions``. Return the violations of each."""
    policy, last = select_policies(names={rule})
    assert last.name == exemptions.NAME
    reports = evaluate(policy, declared, config).reports
    return reports, evaluate(last, declared).reports


@pytest.mark.parametrize("pattern", ["live", "li*", "urn:pulumi:test::project::*::live", "urn:*::live"])
def test_exempt_resource(pattern: str) -> None:
    """A violation by a resource whose name or URN matches is shown with rule, date and reason, on the last day too."""
    reports, ((name, message),) = run("production-protected", [UNPROTECTED], exempt(pattern))
    assert reports == []
    assert name == "live"
    for fact in ("production-protected", LAST_DAY, "Moves in December.", "protect=True"):
        assert fact in message


@pytest.mark.parametrize("pattern", ["Live", "liv", "urn:pulumi:prod::project::*::live"])
def test_other_resources(pattern: str) -> None:
    """A pattern matches the whole name, with case."""
    reports, _ = run("production-protected", [UNPROTECTED], exempt(pattern))
    assert [name for name, _ in reports] == ["live"]


def test_rule_about_a_stack() -> None:
    """A rule about the whole stack exempts the resource that it reports."""
    declared = [environment("a"), environment("b"), environment("c")]
    reports, shown = run("distinct-schemas", declared, exempt("b"))
    assert [name for name, _ in reports] == ["c"]
    assert [name for name, _ in shown] == ["b"]


def test_end() -> None:
    """After the last day the violation is reported again, with the exemption, and the exemption is not shown."""
    ((name, message),), shown = run("production-protected", [UNPROTECTED], exempt("live", "2026-12-31"))
    assert name == "live"
    assert "2026-12-31" in message
    assert "Moves in December." in message
    assert shown == []


def test_latest_exemption_counts() -> None:
    """If several exemptions match, the one that ends last counts."""
    both = {"exempt": [*exempt("live", "2026-12-31")["exempt"], *exempt("*")["exempt"]]}
    reports, ((_, message),) = run("production-protected", [UNPROTECTED], both)
    assert reports == []
    assert LAST_DAY in message


@pytest.mark.parametrize("until", [LAST_DAY, "2026-12-31"])
@pytest.mark.parametrize("declared", [[], [environment("live", called="Production", protect=True)], [configuration()]])
def test_exemption_that_exempts_nothing(declared: list[Declared], until: str) -> None:
    """An exemption without a violation is shown, about the stack, whether it has ended or not."""
    _, shown = run("production-protected", declared or [environment()], exempt("live", until))
    (message,) = [message for _, message in shown]
    assert '"live" from production-protected' in message
    assert until in message


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("urn:*", 1),
        ("urn:*::live", 1),
        ("urn:*:DbtEnvironment::live", 1),
        ("urn:pulumi:test::*", 1),
        ("urn:pulumi:test::*:DbtEnvironment::live", 1),
        ("urn:pulumi:te*::*::*::live", 1),
        (f"urn:pulumi:test::project::{DBT_ENVIRONMENT}::live", 1),
        ("urn:pulumi:prod::*", 0),
        ("urn:pulumi:*-prod::*::*::live", 0),
        ("urn:pulumi:*::other::*::live", 0),
        (f"urn:pulumi:test::other::{DBT_ENVIRONMENT}::live", 0),
    ],
)
def test_exemption_of_another_stack(pattern: str, count: int) -> None:
    """Stacks can share a configuration: an exemption for a URN of another stack or project is not shown."""
    _, shown = run("production-protected", [environment()], exempt(pattern))
    assert len(shown) == count


@pytest.mark.parametrize(
    ("rule", "declared"),
    [
        ("production-protected", [environment("live", called=UNKNOWN)]),
        ("environment-has-configuration", [environment("live"), configuration(connectionId=UNKNOWN)]),
    ],
)
def test_unknown_value(rule: str, declared: list[Declared]) -> None:
    """While a rule cannot be checked, its exemption is not reported as one that exempts nothing."""
    policy, last = select_policies(names={rule})
    assert evaluate(policy, declared, exempt("live")).unknown
    assert evaluate(last, declared).reports == []


def test_each_run_starts_anew() -> None:
    """An exemption that was used in a preview is shown again if the update does not use it."""
    policy, last = select_policies(names={"production-protected"})
    evaluate(policy, [UNPROTECTED], exempt("live"))
    assert len(evaluate(last, [UNPROTECTED]).reports) == 1
    evaluate(policy, [environment()], exempt("live"))
    assert "exempts nothing" in evaluate(last, [environment()]).text


@pytest.mark.parametrize(("until", "is_moved"), [(LAST_DAY, False), ("2026-12-31", True)])
def test_remediation(until: str, is_moved: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A remediation does not change an exempt resource."""
    policy, _ = select_policies(names={"no-plain-secrets"})
    assert isinstance(policy, ResourceValidationPolicy)
    declared = environment("live", variables={"A_TOKEN": "x"})
    after = policy.remediate(resource_args(declared, exempt("live", until)))
    assert (after is not None) == is_moved


@pytest.mark.parametrize("rule", ["production-protected", "distinct-schemas"])
def test_misspelt_setting_is_an_error_without_a_resource(rule: str) -> None:
    """A rule rejects an unknown setting even if no resource has a type that it checks."""
    policy, _ = select_policies(names={rule})
    with pytest.raises(ValueError, match="exemptt"):
        evaluate(policy, [configuration()], {"exemptt": []})
