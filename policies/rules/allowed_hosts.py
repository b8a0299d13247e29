"""Which git hosts may be used: whoever answers there is given a key or a token."""

from __future__ import annotations

import re

from pulumi_policy import EnforcementLevel, Severity

from rules import git
from rules.reading import (
    DBT_CONFIGURATION,
    LIGHTDASH_DBT_SOURCE,
    UNKNOWN,
    Config,
    Report,
    Resource,
    matches,
    resource_rule,
    strings,
)

_HOSTS = ("github.com", "gitlab.com", "bitbucket.org", "dev.azure.com", "*.getdbt.com", "*.dbt.com")
_ENDPOINT = re.compile(rf"(https://)?{git.HOST}(:\d+)?([/?#].*)?", re.ASCII | re.IGNORECASE)


def _refuse(property_: str, host: str, config: Config, report: Report) -> None:
    if not matches(host, config["hosts"]):
        report(
            f"{property_} leads to {host}, which is given the credentials and is not among the allowed hosts: "
            f"{', '.join(config['hosts'])}. Correct it, or add the host to hosts of the rule's configuration."
        )


def _check_configuration(resource: Resource, config: Config, report: Report) -> None:
    host = git.host(resource)
    if host is git.UNREADABLE:
        report(git.unreadable(resource))
    elif isinstance(host, str):
        _refuse("sshUrl", host, config, report)


def _check_source(resource: Resource, config: Config, report: Report) -> None:
    host = git.host(resource)
    if host is git.UNREADABLE:
        report(
            "dbtConnection.hostDomain is no host name, so it is not known who is given the credentials. "
            "Use the form git.acme.com."
        )
    elif isinstance(host, str):
        _refuse("dbtConnection.hostDomain", host, config, report)
    endpoint = resource.text("dbtConnection", "discoveryApiEndpoint")
    if endpoint is None or endpoint is UNKNOWN:
        return
    parts = _ENDPOINT.fullmatch(endpoint)
    if parts is None:
        report(
            "dbtConnection.discoveryApiEndpoint is no plain https URL, so it is not known who is given the "
            "credentials. Use the form https://metadata.cloud.getdbt.com/graphql."
        )
    else:
        _refuse("dbtConnection.discoveryApiEndpoint", parts["host"].casefold(), config, report)


POLICY = resource_rule(
    name="allowed-hosts",
    description="dbt repositories are on allowed hosts.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    steps="Use an allowed host, or add the host to hosts of the rule's configuration.",
    checks={DBT_CONFIGURATION: _check_configuration, LIGHTDASH_DBT_SOURCE: _check_source},
    config={"hosts": strings("Patterns of allowed hosts.", _HOSTS)},
)
