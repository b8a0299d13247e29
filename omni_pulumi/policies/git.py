"""Names of git repositories that are comparable across Omni and Lightdash.

Only plain URLs are parsed. A URL that git or a service could interpret differently is unreadable. Policies report it
without showing it, because it may contain a password.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal
from urllib.parse import unquote

from omni_pulumi.policies.common import (
    DBT_CONFIGURATION,
    LIGHTDASH_DBT_SOURCE,
    UNKNOWN,
    Resource,
    Text,
    Unknown,
    matches,
)


class Unreadable(Enum):
    """The type of :data:`UNREADABLE`."""

    UNREADABLE = "unreadable"


UNREADABLE: Final = Unreadable.UNREADABLE
"""A host or a repository that is set and cannot be parsed."""

HOST: Final = r"(?P<host>[a-z0-9][a-z0-9.-]*)"
"""Regular expression of a host. It allows only characters that every parser of URLs reads alike."""

_DEFAULT_HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
"""Hosts that Lightdash uses without ``hostDomain``."""

_ALIASES = {
    "www.github.com": "github.com",
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
}
_AZURE = "dev.azure.com"
_AZURE_MARKS = {"_git", "_ssh", "_full", "_optimized", "defaultcollection"}
"""Parts of a path that are no names."""
_AZURE_SSH = {"ssh.dev.azure.com", "vs-ssh.visualstudio.com"}
_AZURE_ORGANIZATION = ".visualstudio.com"

_URL = re.compile(
    rf"\A[a-z][a-z0-9+.-]*://([^@/?#\\\s]+@)?{HOST}(:\d+(?=/))?[:/](?P<path>.*)", re.ASCII | re.IGNORECASE
)
_SCP = re.compile(rf"\A([^@/:\\\s]+@)?{HOST}:(?P<path>(?!//).*)", re.ASCII | re.IGNORECASE)
_HOST_DOMAIN = re.compile(rf"{HOST}(:\d+)?", re.ASCII | re.IGNORECASE)
_SEGMENT = re.compile(r"(?!\.{1,2}$)[^/\\?#@:%\x00-\x1f\x7f\ufffd]+")


@dataclass(frozen=True)
class Repository:
    """A repository, such as ``github.com`` and ``acme/dbt``, in lower case."""

    host: str
    path: str

    def __str__(self) -> str:
        """Return the repository for messages, without user and password."""
        return f"{self.host}/{self.path}"

    def fits(self, patterns: Iterable[str]) -> bool:
        """Return whether a pattern matches the path, or host and path when the first part of the pattern has a dot."""
        for pattern in patterns:
            host, slash, path = pattern.partition("/")
            if "." in host and slash:
                if matches(self.host, [host]) and matches(self.path, [path]):
                    return True
            elif matches(self.path, [pattern]):
                return True
        return False


def parse(url: str) -> Repository | None:
    """Return the repository of a git URL, or ``None`` when the URL cannot be parsed."""
    parts = _URL.fullmatch(url) or _SCP.fullmatch(url)
    if parts is None:
        return None
    host = parts["host"].casefold()
    segments = [unquote(segment).casefold() for segment in parts["path"].strip("/").split("/")]
    segments[-1] = segments[-1].removesuffix(".git")
    if not all(map(_SEGMENT.fullmatch, segments)):
        return None
    if host == _AZURE or host in _AZURE_SSH or host.endswith(_AZURE_ORGANIZATION):
        return Repository(_AZURE, "/".join(_azure_names(host, segments)))
    host = _ALIASES.get(host, host)
    if _is_http(url) and host not in _DEFAULT_HOSTS.values():
        segments = _bitbucket_server_names(segments)
    return Repository(host, "/".join(segments))


def _is_http(url: str) -> bool:
    return url.casefold().startswith(("https://", "http://"))


def _bitbucket_server_names(segments: list[str]) -> list[str]:
    """Return project and repository of ``/scm/PROJ/dbt``, also below a context path.

    Only the HTTP URLs of Bitbucket Server have ``scm``. On the hosts that everybody can use, it may be a group.
    """
    return segments[-2:] if len(segments) > 2 and segments[-3] == "scm" else segments


def _azure_names(host: str, segments: list[str]) -> list[str]:
    """Return organization, project and repository. A URL may omit a project with the name of the repository."""
    if host in _AZURE_SSH:
        segments = segments[1:] if segments[0] == "v3" else segments
    elif host != _AZURE:
        segments = [host.removesuffix(_AZURE_ORGANIZATION), *segments]
    names = [segment for segment in segments if segment not in _AZURE_MARKS]
    return [*names, names[-1]] if len(names) == 2 else names


def host(resource: Resource) -> Text | Literal[Unreadable.UNREADABLE]:
    """Return the git host of a configuration or a source without its port, or ``None`` when it has none."""
    if resource.type == DBT_CONFIGURATION:
        configured = repository(resource)
        return configured.host if isinstance(configured, Repository) else configured
    kind = resource.text("dbtConnection", "type")
    if kind is UNKNOWN:
        return UNKNOWN
    if kind == "azure_devops":
        return _AZURE
    if kind not in _DEFAULT_HOSTS:
        return None
    domain = resource.text("dbtConnection", "hostDomain")
    if domain is UNKNOWN:
        return UNKNOWN
    parts = _HOST_DOMAIN.fullmatch(domain or _DEFAULT_HOSTS[kind])
    return UNREADABLE if parts is None else parts["host"].casefold()


def repository(resource: Resource) -> Repository | Literal[Unknown.UNKNOWN, Unreadable.UNREADABLE] | None:
    """Return the repository of a configuration or a source, or ``None`` when it has none."""
    if resource.type == DBT_CONFIGURATION:
        url = resource.text("sshUrl")
        return UNKNOWN if url is UNKNOWN else parse(url or "") or UNREADABLE
    here = host(resource)
    if not isinstance(here, str):
        return here
    names = ["repository"]
    if resource.text("dbtConnection", "type") == "azure_devops":
        names = ["organization", "project", "repository"]
    parts = []
    for part in [resource.text("dbtConnection", name) for name in names]:
        if part is UNKNOWN:
            return UNKNOWN
        parts.append(part or "")
    return parse(f"https://{here}/{'/'.join(parts)}") or UNREADABLE


def unreadable(resource: Resource) -> str:
    """Return the message about an unreadable repository, without any part of it."""
    if resource.type == LIGHTDASH_DBT_SOURCE:
        return (
            "dbt_connection.repository is not a plain path, or host_domain is not a host name, so the policy cannot "
            "tell which repository it is. Write repository like owner/repository."
        )
    return (
        "ssh_url is not a plain git URL, so the policy cannot tell which repository it is. "
        "Write it like git@host:owner/repository.git."
    )


def branch(resource: Resource) -> Text:
    """Return the branch of a configuration or a source, or ``None`` when it has none."""
    if resource.type == LIGHTDASH_DBT_SOURCE:
        return resource.text("dbtConnection", "branch")
    return resource.text("branch")


def branch_property(resource: Resource) -> str:
    """Return the argument that sets the branch."""
    return "dbt_connection.branch" if resource.type == LIGHTDASH_DBT_SOURCE else "branch"


def repository_property(resource: Resource) -> str:
    """Return the argument that sets the repository."""
    return "dbt_connection.repository" if resource.type == LIGHTDASH_DBT_SOURCE else "ssh_url"
