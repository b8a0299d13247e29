"""Names of target schemas match a pattern."""

from __future__ import annotations

import re

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies.common import DBT_ENVIRONMENT, PYTHON_REGEX, UNKNOWN, Config, Report, Resource
from omni_pulumi.policies.rule import ResourceRule


def _check(resource: Resource, config: Config, report: Report) -> None:
    schema = resource.text("targetSchema")
    if schema is None or schema is UNKNOWN:
        return
    pattern = config["pattern"]
    try:
        fits = re.fullmatch(pattern, schema)
    except re.error as error:
        raise ValueError(f"pattern in the configuration of schema-names is not a regular expression: {error}") from None
    if not fits:
        report(
            f'target_schema is "{schema}", which does not match {pattern}. Other tools find schemas and grant rights '
            "by name. Rename the schema, or change pattern in the policy's configuration."
        )


RULE = ResourceRule(
    name="schema-names",
    description="Names of target schemas match a pattern.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.LOW,
    topics=("schemas",),
    steps="Rename the schema, or change pattern in the policy's configuration.",
    checks={DBT_ENVIRONMENT: _check},
    config={
        "pattern": {
            "type": "string",
            "format": PYTHON_REGEX,
            "default": "[A-Za-z_][A-Za-z0-9_]*",
            "description": "Regular expression of Python that matches a whole name.",
            "examples": ["(analytics|dbt)_[a-z]+"],
        }
    },
)
