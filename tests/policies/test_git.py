"""Repositories under one name."""

from __future__ import annotations

import pytest
from rules import git
from rules.git import Repository
from rules.reading import UNKNOWN, Resource

from tests.policies.stacks import configuration, of_connection, source
from tests.policies.verdict import UNKNOWN as SENT_UNKNOWN
from tests.policies.verdict import Given, resource_args


def resource(given: Given) -> Resource:
    """A resource as a rule reads it."""
    return Resource.of(resource_args(given))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("git@github.com:acme/dbt.git", "github.com/acme/dbt"),
        ("git@github.com:Acme/DBT", "github.com/acme/dbt"),
        ("github.com:acme/dbt.git", "github.com/acme/dbt"),
        ("ssh://git@github.com/acme/dbt.git", "github.com/acme/dbt"),
        ("ssh://git@git.acme.com:2222/team/sub/dbt.git", "git.acme.com/team/sub/dbt"),
        ("https://github.com/acme/dbt/", "github.com/acme/dbt"),
        ("https://me:password@github.com/acme/dbt.git", "github.com/acme/dbt"),
        ("git@ssh.dev.azure.com:v3/acme/bi/dbt", "dev.azure.com/acme/bi/dbt"),
        ("https://me@dev.azure.com/acme/bi/_git/dbt", "dev.azure.com/acme/bi/dbt"),
    ],
)
def test_parse(url: str, expected: str) -> None:
    """One repository has one name, whatever the form of its URL; user and password are not part of it."""
    assert str(git.parse(url)) == expected


@pytest.mark.parametrize("url", ["nonsense", "https://", "git@github.com:", "/srv/dbt.git", "https://[x/acme/dbt"])
def test_no_repository(url: str) -> None:
    """What is no git URL is no repository, and no error."""
    assert git.parse(url) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (source(), "github.com/acme/dbt"),
        (source(hostDomain="git.acme.com"), "git.acme.com/acme/dbt"),
        (source(type="gitlab"), "gitlab.com/acme/dbt"),
        (source(type="bitbucket"), "bitbucket.org/acme/dbt"),
        (source(type="azure_devops", organization="acme", project="bi", repository="dbt"), "dev.azure.com/acme/bi/dbt"),
        (configuration(), "github.com/acme/dbt"),
    ],
)
def test_repository(given: Given, expected: str) -> None:
    """Omni's URL and the parts that Lightdash wants come to the same name."""
    host, _, path = expected.partition("/")
    assert git.repository(resource(given)) == Repository(host, path)
    assert git.host(resource(given)) == host


@pytest.mark.parametrize("kind", ["dbt_cloud_ide", "dbt", "none", "manifest"])
def test_without_repository(kind: str) -> None:
    """The other kinds of connections have no repository."""
    assert git.repository(resource(of_connection({"type": kind}))) is None


@pytest.mark.parametrize(
    "given",
    [
        configuration(sshUrl=SENT_UNKNOWN),
        of_connection(SENT_UNKNOWN),
        source(type=SENT_UNKNOWN),
        source(hostDomain=SENT_UNKNOWN),
        source(repository=SENT_UNKNOWN),
        source(type="azure_devops", organization=SENT_UNKNOWN, project="bi"),
    ],
)
def test_unknown(given: Given) -> None:
    """A repository of which a part is unknown is unknown."""
    assert git.repository(resource(given)) is UNKNOWN
