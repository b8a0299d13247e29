"""Git URLs use allowed hosts only, because the host receives a key or a token."""

from __future__ import annotations

import re

from pulumi_policy import EnforcementLevel, Severity

from omni_pulumi.policies import git
from omni_pulumi.policies.common import (
    DBT_CONFIGURATION,
    LIGHTDASH_DBT_SOURCE,
    UNKNOWN,
    Config,
    Report,
    Resource,
    matches,
    strings,
)
from omni_pulumi.policies.rule import ResourceRule

_HOSTS = ("github.com", "gitlab.com", "bitbucket.org", "dev.azure.com", "*.getdbt.com", "*.dbt.com")
_ENDPOINT = re.compile(rf"(https://)?{git.HOST}(:\d+)?([/?#].*)?", re.ASCII | re.IGNORECASE)


def _refuse(property_: str, host: str, config: Config, report: Report) -> None:
    if not matches(host, config["hosts"]):
        report(
            f"{property_} points to {host}, which receives the credentials and is not an allowed host. The allowed "
            f"hosts are: {', '.join(config['hosts'])}. Correct {property_}, or add the host to hosts in the policy's "
            "configuration."
        )


def _check_configuration(resource: Resource, config: Config, report: Report) -> None:
    host = git.host(resource)
    if host is git.UNREADABLE:
        report(git.unreadable(resource))
    elif isinstance(host, str):
        _refuse("ssh_url", host, config, report)


def _check_source(resource: Resource, config: Config, report: Report) -> None:
    host = git.host(resource)
    if host is git.UNREADABLE:
        report(
            "dbt_connection.host_domain is not a host name, so the policy cannot tell which host receives the "
            "credentials. Write it like git.acme.com."
        )
    elif isinstance(host, str):
        _refuse("dbt_connection.host_domain", host, config, report)
    endpoint = resource.text("dbtConnection", "discoveryApiEndpoint")
    if endpoint is None or endpoint is UNKNOWN:
        return
    parts = _ENDPOINT.fullmatch(endpoint)
    if parts is None:
        report(
            "dbt_connection.discovery_api_endpoint is not a plain https URL, so the policy cannot tell which host "
            "receives the credentials. Write it like https://metadata.cloud.getdbt.com/graphql."
        )
    else:
        _refuse("dbt_connection.discovery_api_endpoint", parts["host"].casefold(), config, report)


RULE = ResourceRule(
    name="allowed-hosts",
    description="dbt repositories are on allowed git hosts.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    topics=("repositories", "secrets"),
    steps="Use an allowed host, or add the host to hosts in the policy's configuration.",
    checks={DBT_CONFIGURATION: _check_configuration, LIGHTDASH_DBT_SOURCE: _check_source},
    config={"hosts": strings("Patterns of allowed hosts.", _HOSTS, example=["github.com", "git.acme.com"])},
)
