"""Repositories under one name, however Omni and Lightdash spell them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from rules.reading import DBT_CONFIGURATION, LIGHTDASH_DBT_SOURCE, UNKNOWN, Resource, Text, Unknown

_HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
"""Where Lightdash looks when ``hostDomain`` is left out."""

_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/@]+):(?P<path>(?!//).+)")
_AZURE = re.compile(r"(?:v3/)?(?P<organization>[^/]+)/(?P<project>[^/]+)/(?:_git/)?(?P<repository>[^/]+)")


@dataclass(frozen=True)
class Repository:
    """A repository: ``github.com`` and ``acme/dbt``, in lower case."""

    host: str
    path: str

    def __str__(self) -> str:
        """The repository as messages show it, which never has a user or a password in it."""
        return f"{self.host}/{self.path}"


def parse(url: str) -> Repository | None:
    """The repository of a git URL, ``None`` when it is none."""
    if "://" in url:
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        host, path = parts.hostname or "", parts.path
    else:
        scp = _SCP.fullmatch(url)
        if scp is None:
            return None
        host, path = scp["host"], scp["path"]
    host = host.casefold()
    path = path.strip("/").removesuffix(".git").casefold()
    azure = _AZURE.fullmatch(path)
    if azure is not None and host in {"dev.azure.com", "ssh.dev.azure.com"}:
        host, path = "dev.azure.com", "/".join(azure.groups())
    return Repository(host, path) if host and path else None


def host(resource: Resource) -> Text:
    """The git host of a configuration or a source, ``None`` when it has none."""
    if resource.type == DBT_CONFIGURATION:
        url = resource.text("sshUrl")
        if url is None or url is UNKNOWN:
            return url
        repository = parse(url)
        return None if repository is None else repository.host
    kind = resource.text("dbtConnection", "type")
    if kind is UNKNOWN:
        return UNKNOWN
    if kind == "azure_devops":
        return "dev.azure.com"
    if kind not in _HOSTS:
        return None
    domain = resource.text("dbtConnection", "hostDomain")
    if domain is UNKNOWN:
        return UNKNOWN
    return re.sub(r"^\w+://", "", domain or _HOSTS[kind]).partition("/")[0].casefold()


def repository(resource: Resource) -> Repository | Literal[Unknown.UNKNOWN] | None:
    """The repository of a configuration or a source, ``None`` when it has none."""
    if resource.type == DBT_CONFIGURATION:
        url = resource.text("sshUrl")
        return url if url is None or url is UNKNOWN else parse(url)
    here = host(resource)
    if here is None or here is UNKNOWN:
        return here
    names = ["repository"]
    if resource.text("dbtConnection", "type") == "azure_devops":
        names = ["organization", "project", "repository"]
    parts = []
    for part in [resource.text("dbtConnection", name) for name in names]:
        if part is UNKNOWN:
            return UNKNOWN
        parts.append(part or "")
    return parse(f"https://{here}/{'/'.join(parts)}")


def branch(resource: Resource) -> Text:
    """The branch of a configuration or a source, ``None`` when it has none."""
    if resource.type == LIGHTDASH_DBT_SOURCE:
        return resource.text("dbtConnection", "branch")
    return resource.text("branch")


def branch_property(resource: Resource) -> str:
    """Where the branch stands."""
    return "dbtConnection.branch" if resource.type == LIGHTDASH_DBT_SOURCE else "branch"


def repository_property(resource: Resource) -> str:
    """Where the repository stands."""
    return "dbtConnection.repository" if resource.type == LIGHTDASH_DBT_SOURCE else "sshUrl"
