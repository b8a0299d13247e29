"""Proxies, certificates and hosts that cannot be reached, and the settings of both services."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import trustme

from omni_pulumi.api import transport
from omni_pulumi.api.instance import Instance
from omni_pulumi.doctor import network
from omni_pulumi.errors import ConnectCause, ConnectError
from omni_pulumi.simulator import OmniSimulator, faults
from tests.doctor.conftest import Diagnose
from tests.local_server import LocalServer
from tests.subcommand import Run, unset

URL = "https://omni.invalid"


@pytest.fixture
def omni(omni_services: dict[str, OmniSimulator]) -> OmniSimulator:
    """An empty Omni of one dialect, because the dialect does not matter here."""
    service = omni_services["pages"]
    service.reset()
    return service


@pytest.fixture(autouse=True)
def _reload_certificates() -> Iterator[None]:
    """Load the certificates again in each test, as a new process does."""
    transport.ssl_context.cache_clear()
    yield
    transport.ssl_context.cache_clear()


def test_a_port_where_nothing_listens(diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection is one problem, which names host and port. The other service is checked."""
    monkeypatch.setenv("OMNI_BASE_URL", "http://127.0.0.1:1")
    found = diagnose()
    assert found.problems == ["reached"]
    (problem,) = (each for each in found.json["checks"] if each["status"] == "problem")
    assert (problem["service"], "127.0.0.1:1" in problem["result"]) == ("omni", True)
    assert found.of("version").status == "info"


def test_a_name_that_cannot_be_resolved(diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown host is a problem that names the host."""
    monkeypatch.setenv("OMNI_BASE_URL", URL)
    found = diagnose("omni")
    assert (found.problems, "omni.invalid" in found.of("reached").result) == (["reached"], True)
    assert "resolve" in found.of("reached").advice


def test_a_certificate_of_an_unknown_authority(
    diagnose: Diagnose, server: LocalServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The advice names ``SSL_CERT_FILE``. With the authority in that file, the server is reached."""
    authority = trustme.CA()
    monkeypatch.setenv("OMNI_BASE_URL", server.use_tls(authority))
    found = diagnose("omni")
    assert (found.problems, "certificate" in found.of("reached").result) == (["reached"], True)
    assert "SSL_CERT_FILE" in found.of("reached").advice
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    transport.ssl_context.cache_clear()
    found = diagnose("omni")
    assert str(bundle) in found.of("network").result
    assert "certificate" not in found.of("reached").result


def test_a_missing_certificate_file(diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates that cannot be read are a problem."""
    monkeypatch.setenv("OMNI_BASE_URL", URL)
    monkeypatch.setenv("SSL_CERT_FILE", "missing.pem")
    found = diagnose("omni")
    assert found.problems == ["network"]


@pytest.mark.parametrize("user", ["", "user:hidden-password@"])
@pytest.mark.parametrize("scheme", ["", "http://"])
def test_a_proxy(
    diagnose: Diagnose, server: LocalServer, monkeypatch: pytest.MonkeyPatch, scheme: str, user: str
) -> None:
    """A proxy that refuses the host is a problem. The result names the proxy without its user and password."""
    monkeypatch.setenv("OMNI_BASE_URL", URL)
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}{user}127.0.0.1:{server.server_port}")
    found = diagnose("omni")
    proxy = f"http://127.0.0.1:{server.server_port}"
    assert (found.problems, server.targets) == (["reached"], ["omni.invalid:443"])
    assert (proxy in found.of("network").result, proxy in found.of("reached").result) == (True, True)
    assert "HTTPS_PROXY" in found.of("reached").advice
    assert "hidden-password" not in found.out + found.err


def test_no_proxy(diagnose: Diagnose, server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host in ``NO_PROXY`` does not use the proxy."""
    monkeypatch.setenv("OMNI_BASE_URL", URL)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("NO_PROXY", "omni.invalid")
    found = diagnose("omni")
    assert ("NO_PROXY" in found.of("network").result, server.targets) == (True, [])
    assert "omni.invalid" in found.of("reached").result


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("http://proxy.acme.io:3128", "http://proxy.acme.io:3128"),
        ("https://user@[::1]:3128/", "https://[::1]:3128"),
        ("proxy", "http://proxy"),
        ("http://user:hidden/hidden@proxy:1", None),
        ("http://user:12/hidden@proxy", None),
        ("http://user:hidden@hidden@proxy", None),
        ("http://proxy/?token=hidden", None),
    ],
)
def test_a_proxy_is_shown_without_its_user(monkeypatch: pytest.MonkeyPatch, value: str, shown: str | None) -> None:
    """A proxy is shown with its host and port. One with a text that may be a password is not shown."""
    monkeypatch.setenv("HTTPS_PROXY", value)
    found = network.proxy_of(URL)
    assert found is not None
    assert "hidden" not in found
    assert shown in {found, None}


def test_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeout names the seconds, and the proxy if there is one."""
    error, instance = ConnectError("", cause="timeout"), Instance(URL, "key", connect_timeout=3)
    result = network.explain(error, "Omni", instance, key_setting="").result
    assert [fact for fact in ("omni.invalid", "3 seconds") if fact not in result] == []
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.acme.io:3128")
    assert "proxy.acme.io:3128" in network.explain(error, "Omni", instance, key_setting="").result


@pytest.mark.parametrize("cause", get_args(ConnectCause))
def test_every_cause_has_advice(cause: ConnectCause) -> None:
    """Each cause of a connection that fails has a result with the host, and advice."""
    explained = network.explain(ConnectError("", cause=cause), "Omni", Instance(URL, "key"), key_setting="")
    assert "omni.invalid" in explained.result
    assert explained.advice


@pytest.mark.parametrize(
    "fault", [faults.proxy_page(processed=False), faults.Redirect("https://login.invalid/")], ids=["page", "to"]
)
def test_another_server(diagnose: Diagnose, omni: OmniSimulator, fault: faults.Fault) -> None:
    """The page of a proxy, or a redirect, is a problem of the URL."""
    omni.inject(fault)
    found = diagnose("omni")
    assert (found.problems, "URL" in found.of("reached").advice) == (["reached"], True)


def test_a_path_in_the_url(diagnose: Diagnose, omni: OmniSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path in the URL that the service does not have is named."""
    monkeypatch.setenv("OMNI_BASE_URL", f"{omni.url}/dashboards")
    found = diagnose("omni")
    assert (found.problems, "/dashboards" in found.of("reached").advice) == (["reached"], True)


def test_missing_settings(diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings both services have a problem. A profile has settings of its own."""
    unset(monkeypatch, "OMNI_")
    assert diagnose("omni").problems == ["settings"]
    assert {each["service"] for each in diagnose().json["checks"]} == {"lightdash"}
    unset(monkeypatch, "LIGHTDASH_")
    assert diagnose().problems == ["settings", "settings"]
    (advice, _) = (each["advice"] for each in diagnose("--profile", "eu").json["checks"])
    assert "OMNI_EU_API_KEY" in advice


def test_the_settings_of_a_stack(
    diagnose: Diagnose, omni: OmniSimulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """``--stack`` reads the settings from ``pulumi config``, and warns about one that has no effect."""
    unset(monkeypatch, "OMNI_")
    unset(monkeypatch, "LIGHTDASH_")
    values = {
        "omni:baseUrl": {"value": omni.url},
        "omni:apiKey": {"value": omni.api_key},
        "omni:timeout": {"value": "9"},
    }
    pulumi = tmp_path / "pulumi"
    pulumi.write_text(f"#!/bin/sh\necho '{json.dumps(values)}'\n")
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    found = diagnose("--stack", "prod")
    assert (found.problems, {each["service"] for each in found.json["checks"]}) == ([], {"omni"})
    assert (found.of("settings").status, "omni:timeout" in found.of("settings").result) == ("warning", True)


def test_a_malformed_setting(diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch) -> None:
    """A malformed setting is a problem that names it and not its value."""
    monkeypatch.setenv("OMNI_API_KEY", "a hidden key")
    found = diagnose("omni")
    assert (found.problems, found.of("settings").result.count("OMNI_API_KEY")) == (["settings"], 1)
    assert "hidden" not in found.out + found.err


@pytest.mark.parametrize(
    "arguments", [["lightdash", "--connection", "Warehouse"], ["--stack", "nope"], ["--json", "--report"]]
)
def test_invalid_arguments(run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """Options that exclude each other, and a stack that cannot be read, are one line and exit status 2."""
    monkeypatch.setenv("PATH", "")
    ended = run(*arguments)
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
