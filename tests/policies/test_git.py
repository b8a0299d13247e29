"""One repository has one name in Omni and in Lightdash."""

from __future__ import annotations

import pytest

from omni_pulumi.policies import git
from omni_pulumi.policies.common import UNKNOWN, Resource
from omni_pulumi.policies.git import UNREADABLE, Repository
from tests.policies.evaluation import UNKNOWN as SENT_UNKNOWN
from tests.policies.evaluation import Declared, resource_args
from tests.policies.stacks import configuration, of_connection, source


def resource(declared: Declared) -> Resource:
    """Return a resource as a policy reads it."""
    return Resource.of(resource_args(declared))


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
        ("https://dev.azure.com/acme/BI%20Team/_git/dbt", "dev.azure.com/acme/bi team/dbt"),
        ("https://dev.azure.com/acme/_git/dbt", "dev.azure.com/acme/dbt/dbt"),
        ("https://acme.visualstudio.com/bi/_git/dbt", "dev.azure.com/acme/bi/dbt"),
        ("https://acme.visualstudio.com/DefaultCollection/bi/_git/dbt", "dev.azure.com/acme/bi/dbt"),
        ("acme@vs-ssh.visualstudio.com:v3/acme/bi/dbt", "dev.azure.com/acme/bi/dbt"),
        ("ssh://git@ssh.dev.azure.com/v3/acme/bi/dbt", "dev.azure.com/acme/bi/dbt"),
        ("ssh://git@ssh.github.com:443/acme/dbt.git", "github.com/acme/dbt"),
        ("ssh://git@altssh.gitlab.com:443/acme/dbt.git", "gitlab.com/acme/dbt"),
        ("ssh://git@altssh.bitbucket.org:443/acme/dbt.git", "bitbucket.org/acme/dbt"),
        ("ssh://git@github.com:acme/dbt.git", "github.com/acme/dbt"),
        ("HTTPS://GitHub.com/acme/dbt.GIT", "github.com/acme/dbt"),
        ("git@github.com:/acme/dbt%2Egit", "github.com/acme/dbt"),
        ("https://www.github.com/acme/dbt", "github.com/acme/dbt"),
        ("https://git.acme.com/scm/PROJ/dbt.git", "git.acme.com/proj/dbt"),
        ("https://git.acme.com:7990/bitbucket/scm/PROJ/dbt.git", "git.acme.com/proj/dbt"),
        ("https://me@git.acme.com/scm/~me/dbt.git", "git.acme.com/~me/dbt"),
        ("ssh://git@git.acme.com:7999/proj/dbt.git", "git.acme.com/proj/dbt"),
        ("ssh://git@git.acme.com:7999/~me/dbt.git", "git.acme.com/~me/dbt"),
        ("https://git.acme.com/scm/dbt.git", "git.acme.com/scm/dbt"),
        ("ssh://git@git.acme.com/scm/team/dbt.git", "git.acme.com/scm/team/dbt"),
        ("https://gitlab.com/scm/acme/dbt.git", "gitlab.com/scm/acme/dbt"),
        ("https://git.acme.com:3000/team/dbt", "git.acme.com/team/dbt"),
        ("git@gitlab.com:acme/data/dbt.git", "gitlab.com/acme/data/dbt"),
        ("https://gitlab.com/acme/data/dbt.git", "gitlab.com/acme/data/dbt"),
        ("ssh://acme@acme.visualstudio.com:22/bi/_ssh/dbt", "dev.azure.com/acme/bi/dbt"),
        ("https://dev.azure.com/acme/bi/_git/_full/dbt", "dev.azure.com/acme/bi/dbt"),
    ],
)
def test_parse(url: str, expected: str) -> None:
    """All forms of a URL have the same repository, without user and password."""
    assert str(git.parse(url)) == expected


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "https://",
        "git@github.com:",
        "/srv/dbt.git",
        "file:///srv/dbt.git",
        "https://[x/acme/dbt",
        "https://github.com/acme/../evil/dbt.git",
        "https://github.com/acme/%2e%2E/evil/dbt.git",
        "https://github.com/acme/%252e%252e/evil/dbt.git",
        "https://github.com/acme%2f..%2fevil/dbt",
        "https://github.com/acme/%c0%ae%c0%ae/evil/dbt",
        "https://github.com/./acme/dbt",
        "https://github.com/acme/...git",
        "git@github.com:acme/../evil/dbt.git",
        "git@github.com:acme/dbt.git?token=x",
        "https://github.com/acme/dbt#x",
        "https://evil.com\\@github.com/acme/dbt",
        "https://evil.com#@github.com/acme/dbt",
        "https://me:pa/ss@github.com/acme/dbt.git",
        "https://token/x@github.com/acme/dbt.git",
        "https://me:pa@ss@github.com/acme/dbt.git",
        "me:password@github.com:acme/dbt.git",
        "https://github.com/acme/dbt\n",
        "ext::sh -c evil",
    ],
)
def test_no_repository(url: str) -> None:
    """A text that is not a plain git URL has no repository and raises no error."""
    assert git.parse(url) is None


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (source(), "github.com/acme/dbt"),
        (source(hostDomain="git.acme.com"), "git.acme.com/acme/dbt"),
        (source(hostDomain="Git.acme.com:8443"), "git.acme.com/acme/dbt"),
        (source(type="gitlab"), "gitlab.com/acme/dbt"),
        (source(type="bitbucket"), "bitbucket.org/acme/dbt"),
        (source(type="azure_devops", organization="acme", project="bi", repository="dbt"), "dev.azure.com/acme/bi/dbt"),
        (configuration(), "github.com/acme/dbt"),
    ],
)
def test_repository(declared: Declared, expected: str) -> None:
    """A URL of Omni and the separate properties of Lightdash have the same repository."""
    host, _, path = expected.partition("/")
    assert git.repository(resource(declared)) == Repository(host, path)
    assert git.host(resource(declared)) == host


@pytest.mark.parametrize(
    "declared",
    [
        configuration(sshUrl="nonsense"),
        configuration(sshUrl=""),
        source(hostDomain="evil.com#.getdbt.com"),
        source(hostDomain="gitlab.com/evil"),
        source(hostDomain="me:password@git.acme.com"),
        source(hostDomain="https://git.acme.com"),
        source(repository="acme/../evil/dbt"),
        source(repository="https://me:password@github.com/acme/dbt"),
        source(type="azure_devops", organization="acme", project="", repository="dbt"),
    ],
)
def test_unreadable(declared: Declared) -> None:
    """A repository that cannot be parsed is not compared and not shown."""
    assert git.repository(resource(declared)) is UNREADABLE


def test_patterns_of_repositories() -> None:
    """A pattern matches the path, or host and path."""
    repository = Repository("github.com", "acme/dbt")
    for pattern in ("*", "acme/*", "github.com/acme/*", "*.com/ACME/dbt"):
        assert repository.fits([pattern])
    for pattern in ("acme", "gitlab.com/acme/*", "github.com/dbt"):
        assert not repository.fits([pattern])
    assert not Repository("gitlab.com", "github.com/acme/dbt").fits(["github.com/acme/*"])
    assert not Repository("evil.com", "git.acme.com/dbt").fits(["*.acme.com/dbt"])


@pytest.mark.parametrize("kind", ["dbt_cloud_ide", "dbt", "none", "manifest"])
def test_without_repository(kind: str) -> None:
    """Connections without a git host have no repository."""
    assert git.repository(resource(of_connection({"type": kind}))) is None


@pytest.mark.parametrize(
    "declared",
    [
        configuration(sshUrl=SENT_UNKNOWN),
        of_connection(SENT_UNKNOWN),
        source(type=SENT_UNKNOWN),
        source(hostDomain=SENT_UNKNOWN),
        source(repository=SENT_UNKNOWN),
        source(type="azure_devops", organization=SENT_UNKNOWN, project="bi"),
    ],
)
def test_unknown(declared: Declared) -> None:
    """A repository with an unknown part is unknown."""
    assert git.repository(resource(declared)) is UNKNOWN
