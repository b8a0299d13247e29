"""Lightdash uses its GitHub app instead of a personal access token. Other git hosts have no such app."""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies.common import LIGHTDASH_DBT_SOURCE, Config, Report, Resource
from omni_pulumi.policies.rule import ResourceRule


def _check(resource: Resource, _config: Config, report: Report) -> None:
    if resource.text("dbtConnection", "type") != "github":
        return
    if resource.get("dbtConnection", "personalAccessToken") is not None:
        report(
            "dbt_connection.personal_access_token is set. A personal access token has all rights of its owner, and "
            "stops working when it expires or the owner leaves. Install Lightdash's GitHub app and set "
            "installation_id instead."
        )


RULE = ResourceRule(
    name="lightdash-app-installation",
    description="Lightdash reads GitHub with its app instead of a personal access token.",
    level=EnforcementLevel.ADVISORY,
    severity=Severity.MEDIUM,
    topics=("secrets",),
    steps="Install Lightdash's GitHub app, set installation_id and remove personal_access_token.",
    checks={LIGHTDASH_DBT_SOURCE: _check},
)
