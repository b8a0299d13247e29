"""Which git hosts may be used: whoever answers there is given a key or a token."""

from __future__ import annotations

from urllib.parse import urlsplit

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


def _refuse(property_: str, host: str, config: Config, report: Report) -> None:
    if not matches(host, config["hosts"]):
        report(
            f"{property_} leads to {host}, which is given the credentials and is not among the allowed hosts: "
            f"{', '.join(config['hosts'])}. Correct it, or add the host to hosts of the rule's configuration."
        )


def _check_configuration(resource: Resource, config: Config, report: Report) -> None:
    host = git.host(resource)
    if host is None:
        report("sshUrl is no git URL, so its host is not known. Use the form git@host:owner/repository.git.")
    elif host is not UNKNOWN:
        _refuse("sshUrl", host, config, report)


def _check_source(resource: Resource, config: Config, report: Report) -> None:
    host = git.host(resource)
    if host is not None and host is not UNKNOWN:
        _refuse("dbtConnection.hostDomain", host, config, report)
    endpoint = resource.text("dbtConnection", "discoveryApiEndpoint")
    if endpoint is not None and endpoint is not UNKNOWN:
        url = endpoint if "://" in endpoint else f"https://{endpoint}"
        _refuse("dbtConnection.discoveryApiEndpoint", urlsplit(url).hostname or "", config, report)


POLICY = resource_rule(
    name="allowed-hosts",
    description="dbt repositories are on allowed hosts.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    steps="Use an allowed host, or add the host to hosts of the rule's configuration.",
    checks={DBT_CONFIGURATION: _check_configuration, LIGHTDASH_DBT_SOURCE: _check_source},
    config={"hosts": strings("Patterns of allowed hosts.", _HOSTS)},
)
