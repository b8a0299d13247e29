"""The pages of the rules and the README of the pack are as the rules are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from omni_pulumi.policies import configuration
from omni_pulumi.policies.rule import Rule
from omni_pulumi.policies.rules import RULES
from tests.policies.pack import POLICIES
from tests.test_docs import blocks
from tools.policy_pages import README, documented_rules, page, with_table
from tools.resource_pages import ROOT

PAGES = documented_rules()


@pytest.mark.parametrize(("module", "rule"), PAGES.items(), ids=PAGES)
def test_page(module: str, rule: Rule) -> None:
    """The page of a rule has its text and settings: ``make generate`` updates it."""
    assert (ROOT / rule.page).read_text(encoding="utf-8") == page(module, rule)


def test_pages_are_of_rules() -> None:
    """No page is left of a rule that does not exist, and each violation names the page of its rule."""
    assert {*(ROOT / "docs" / "policies").iterdir()} == {ROOT / rule.page for rule in RULES}
    for rule, policy in zip(RULES, POLICIES, strict=False):
        assert policy.name == rule.name
        assert policy.description.endswith(f" {rule.page}.")


def test_table() -> None:
    """The table in the README has each policy of the pack: ``make generate`` updates it."""
    readme = README.read_text(encoding="utf-8")
    assert readme == with_table(readme)
    assert re.findall(r"^\| \[(.+?)\]", readme, re.MULTILINE) == [policy.name for policy in POLICIES]


@pytest.mark.parametrize("path", [README, *(ROOT / rule.page for rule in RULES)], ids=lambda path: path.stem)
def test_examples(path: Path) -> None:
    """The documented configurations have no errors."""
    examples = blocks(path, "json")
    assert examples
    assert [error for example in examples for error in configuration.check(example)] == []


def test_program() -> None:
    """The documented program selects policies."""
    (program,) = blocks(README, "python")
    packs = []
    statements = program.replace("from pulumi_policy import PolicyPack\n", "")
    exec(compile(statements, README.name, "exec"), {"PolicyPack": lambda *pack: packs.append(pack)})  # noqa: S102
    ((_name, policies),) = packs
    assert {policy.name for policy in policies} >= {"no-plain-secrets", "production-protected"}
