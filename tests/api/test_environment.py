"""The environment variables that httpx reads, checked before the first request."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from unittest import mock

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from omni_pulumi.api import environment
from omni_pulumi.errors import ConfigurationError

PASSWORD = "s3cr3t-Pass"
URL = "https://acme.omniapp.co"
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

HOSTS = (
    "proxy.example",
    "10.0.0.12",
    "300.1.1.1",
    "[::1]",
    "[::1",
    "::1",
    "münchen.de",
    "*münchen.de",
    "a b",
    "",
    "*.x",
    "x*",
)
PORTS = ("", ":", ":8080", ":80a", ":8080/", ":-1", ":99999", "/path", "?x", "#x", ":\n", ":{port}")
PROXIES = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(
        ["", "http://", "HTTP://", "https://", "socks5://", "socks5h://", "socks4://", "ftp://", "://", "http:"]
    ),
    st.sampled_from(
        ["", "user@", f"user:{PASSWORD}@", f"u#:{PASSWORD}@", f"u:/{PASSWORD}@", f"u:?@{PASSWORD}@", "%zz@"]
    ),
    st.sampled_from(HOSTS),
    st.sampled_from(PORTS),
) | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
EXCEPTIONS = st.lists(
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["", ".", "*.", "https://", "all://"]),
        st.sampled_from(HOSTS),
        st.sampled_from(PORTS),
    )
    | st.sampled_from(["*", "localhost", "10.0.0.0/8", "fd00::/8", " a , b ", "<local>", f"user:{PASSWORD}@[x"])
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
    max_size=3,
).map(",".join)
VARIABLES = st.fixed_dictionaries(
    {},
    optional={
        name: EXCEPTIONS if name.lower() == "no_proxy" else PROXIES
        for upper in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
        for name in (upper, upper.lower())
    },
)


@pytest.fixture(autouse=True)
def _own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the proxies and certificates of the machine that runs the tests."""
    for name in list(os.environ):
        if name.upper().endswith("_PROXY") or name in {"SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"}:
            monkeypatch.delenv(name)


def problem(url: str = URL) -> ConfigurationError | None:
    """Return the error of the check."""
    try:
        environment.check(url)
    except ConfigurationError as error:
        return error
    return None


def is_refused_by_httpx() -> bool:
    """Return whether a client of httpx cannot be created in this environment."""
    try:
        httpx.Client(verify=CONTEXT).close()
    except (ImportError, ValueError, httpx.InvalidURL):
        return True
    return False


@given(variables=VARIABLES)
@example(variables={"HTTPS_PROXY": "http://300.1.1.1:8080"})
@example(variables={"NO_PROXY": "[::1]"})
@example(variables={"NO_PROXY": "fd00::/8"})
@example(variables={"NO_PROXY": "*,[::1]", "HTTPS_PROXY": "ftp://x"})
def test_the_check_agrees_with_httpx(variables: Mapping[str, str]) -> None:
    """The check fails exactly where httpx fails. It names a variable that is set, and no password."""
    with mock.patch.dict(os.environ, variables):
        error = problem()
        assert (error is not None) == is_refused_by_httpx()
        assert problem("http://localhost:8080") is None
    if error is not None:
        assert {*error.settings} <= {*variables}
        assert PASSWORD not in str(error)


@pytest.mark.parametrize(
    ("name", "value", "facts"),
    [
        ("HTTPS_PROXY", f"ftp://user:{PASSWORD}@proxy.example:21", ("ftp://[secret]@proxy.example:21", "socks5h")),
        ("https_proxy", f"http://user:{PASSWORD}#@proxy.example:8080", ("http://[secret]@proxy.example:8080", "%23")),
        ("ALL_PROXY", "socks5://proxy.example:1080", ("socks5://proxy.example:1080", "httpx[socks]")),
        ("HTTP_PROXY", "http://proxy.example:8o8o", ("http://proxy.example", "http://proxy.example:8080")),
        ("HTTPS_PROXY", f"http://user:{PASSWORD}%40proxy.example", ("http://user",)),
        ("HTTPS_PROXY", "http://proxy.example:8080\n", ("line break",)),
        ("NO_PROXY", "localhost, [::1]", ("'[::1]'", "::1.")),
        ("no_proxy", "localhost,fd00::/8", ("'fd00::/8'", "/64")),
        ("SSL_CERT_FILE", "/missing/authority.pem", ("/missing/authority.pem", "PEM")),
        ("SSLKEYLOGFILE", "/missing/keys.log", ("/missing/keys.log",)),
    ],
)
def test_the_variable_the_entry_and_the_remedy(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, facts: tuple[str, ...]
) -> None:
    """The error names the variable, its entry without the password, and what to write."""
    monkeypatch.setenv(name, value)
    error = problem()
    assert error is not None
    assert error.settings == (name,)
    assert [fact for fact in (name, *facts) if fact not in str(error)] == []
    assert PASSWORD not in str(error)
