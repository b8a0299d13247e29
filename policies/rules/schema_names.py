"""How target schemas are called."""

from __future__ import annotations

import re

from pulumi_policy import EnforcementLevel, Severity

from rules.reading import DBT_ENVIRONMENT, UNKNOWN, Config, Report, Resource, resource_rule


def _check(resource: Resource, config: Config, report: Report) -> None:
    schema = resource.text("targetSchema")
    if schema is None or schema is UNKNOWN:
        return
    pattern = config["pattern"]
    try:
        fits = re.fullmatch(pattern, schema)
    except re.error as error:
        report(f"pattern of the rule's configuration is no regular expression: {error}. Correct the configuration.")
        return
    if not fits:
        report(
            f'targetSchema is "{schema}", which does not fit {pattern}: other tools find and grant schemas by their '
            "names. Rename it, or change pattern in the rule's configuration."
        )


POLICY = resource_rule(
    name="schema-names",
    description="Target schemas are named by one convention.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.LOW,
    steps="Rename the schema, or change pattern in the rule's configuration.",
    checks={DBT_ENVIRONMENT: _check},
    config={
        "pattern": {
            "type": "string",
            "default": "[A-Za-z_][A-Za-z0-9_]*",
            "description": "Regular expression of Python that a whole name fits.",
        }
    },
)
