"""Generates the pages in ``docs/policies``, and the table in ``policies/README.md``: ``python -m tools.policy_pages``.

A page has what a rule says: its docstring, its settings and how to correct a violation.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Iterator
from typing import Any

from omni_pulumi.policies import exemptions, rules
from omni_pulumi.policies.rule import ResourceRule, Rule
from tools.resource_pages import BEGIN, END, ROOT, markdown

README = ROOT / "policies" / "README.md"
_TYPES = {"string": "text", "boolean": "`true` or `false`", "object": "object"}


def documented_rules() -> dict[str, Rule]:
    """Return the rules by the names of their modules."""
    names = [info.name for info in pkgutil.iter_modules(rules.__path__)]
    return {name: importlib.import_module(f"{rules.__name__}.{name}").RULE for name in names}


def page(module: str, rule: Rule) -> str:
    """Return the text of the page of a rule."""
    return "\n".join(_page(importlib.import_module(f"{rules.__name__}.{module}").__doc__ or "", rule)) + "\n"


def table() -> str:
    """Return the table of policies, in the order of the pack. The policy ``exemptions`` is described in the README."""
    head = ["| policy | level | severity | topics | requirement |", "|---|---|---|---|---|"]
    rows = [
        f"| [{rule.name}](../{rule.page}) | {rule.level.value} | {rule.severity.value} | {', '.join(rule.topics)} "
        f"| {_cell(rule.description)} |"
        for rule in rules.RULES
    ]
    rows.append(
        f"| [{exemptions.NAME}](#exempt-a-resource) | {exemptions.LEVEL.value} | {exemptions.SEVERITY.value} | "
        f"| {exemptions.DESCRIPTION} |"
    )
    return "\n".join([BEGIN, *head, *rows, END])


def with_table(readme: str) -> str:
    """Return the README with the table as the rules are."""
    before, _, rest = readme.partition(BEGIN)
    return before + table() + rest.partition(END)[2]


def _page(docstring: str, rule: Rule) -> Iterator[str]:
    yield f"<!-- make generate writes this page -->\n# {rule.name}\n"
    yield f"{markdown(inspect.cleandoc(docstring))}\n"
    yield "| level | severity | topics | checks |"
    yield "|---|---|---|---|"
    yield f"| {rule.level.value} | {rule.severity.value} | {', '.join(rule.topics)} | {_checked(rule)} |\n"
    yield "## Correct a violation\n"
    yield f"{rule.steps}\n"
    if rule.level.value == "advisory":
        yield "A violation is shown, and does not stop `pulumi up`.\n"
    yield "## Settings\n"
    yield "| setting | type | default | description |"
    yield "|---|---|---|---|"
    for name, schema in rule.schema.items():
        description = schema["description"].replace("|", r"\|")
        yield f"| `{name}` | {_type(schema)} | {_default(schema['default'])} | {description} |"
    example = {rule.name: {name: schema["examples"][0] for name, schema in rule.schema.items()}}
    yield f"\n```json\n{json.dumps(example, indent=2)}\n```\n"
    yield "[The policy pack](../../policies/README.md) describes patterns, enforcement levels and exemptions."


def _checked(rule: Rule) -> str:
    """Return the types of resources that a rule checks."""
    if not isinstance(rule, ResourceRule):
        return "all resources of a stack"
    return ", ".join(f"`{type_.rpartition(':')[2]}`" for type_ in rule.checks)


def _type(schema: dict[str, Any]) -> str:
    if schema["type"] == "array":
        return f"list of {_plural(schema['items'])}"
    if "additionalProperties" in schema and isinstance(schema["additionalProperties"], dict):
        return f"object of {_plural(schema['additionalProperties'])}"
    return _TYPES[schema["type"]]


def _plural(schema: dict[str, Any]) -> str:
    if schema["type"] == "array":
        return f"lists of {_plural(schema['items'])}"
    return {"string": "texts", "boolean": "`true` or `false`", "object": "objects"}[schema["type"]]


def _default(value: Any) -> str:
    return f"`{json.dumps(value)}`".replace("|", r"\|") if value else "empty"


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def main() -> int:
    """Write the pages and the table."""
    folder = ROOT / "docs" / "policies"
    folder.mkdir(parents=True, exist_ok=True)
    for module, rule in documented_rules().items():
        (ROOT / rule.page).write_text(page(module, rule), encoding="utf-8")
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
