"""Lightdash opens GitHub repositories as an app rather than as a person. Other hosts have no app to install."""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, Severity

from rules.reading import LIGHTDASH_DBT_SOURCE, Config, Report, Resource, resource_rule


def _check(resource: Resource, _config: Config, report: Report) -> None:
    if resource.text("dbtConnection", "type") != "github":
        return
    if resource.get("dbtConnection", "personalAccessToken") is not None:
        report(
            "dbtConnection.personalAccessToken is set: a personal token has its owner's rights, and goes with the "
            "owner or when it expires. Install Lightdash's GitHub app and set installation_id instead."
        )


POLICY = resource_rule(
    name="lightdash-app-installation",
    description="Lightdash reads GitHub by an installation of its app, not by a personal access token.",
    level=EnforcementLevel.ADVISORY,
    severity=Severity.MEDIUM,
    steps="Install Lightdash's GitHub app, set installation_id and leave personal_access_token out.",
    checks={LIGHTDASH_DBT_SOURCE: _check},
)
