"""Checks the environment variables that httpx reads, before the first request depends on them.

A value in a usual form needs no httpx, which takes 50 ms to import. httpx itself decides about every other value.
"""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
import urllib.request
from collections.abc import Iterator
from typing import Any

from omni_pulumi.errors import ConfigurationError

_USUAL_PROXY = re.compile(
    r"\A(?:https?://)?(?:[\w.~%-]+(?::[\w.~%-]*)?@)?[a-z][\w.-]*(?::[0-9]{1,5})?/?", re.ASCII | re.IGNORECASE
)
_USUAL_EXCEPTION = re.compile(r"[\w.*/-]+(?::[0-9]{1,5})?", re.ASCII)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,15}", re.IGNORECASE)
_HOST = re.compile(r"[\w.-]*(?::[0-9]+\Z)?", re.ASCII)

_SCHEMES = ("http", "https", "socks5", "socks5h")
_LONGEST_SHOWN = 60
"""Characters of an entry of ``NO_PROXY``."""


def check(url: str) -> None:
    """Check what requests to an instance read from the environment.

    Args:
        url: URL of the instance. Proxies are used with ``https`` only.

    Raises:
        ConfigurationError: names each variable that cannot be used, its entry without a password, and the remedy.
    """
    problems = [*_files(), *(_proxies() if url.startswith("https:") else ())]
    if problems:
        raise ConfigurationError(
            " ".join(f"{name} {text}" for name, text in problems), settings=tuple(name for name, _ in problems)
        )


def _files() -> Iterator[tuple[str, str]]:
    """Yield each variable with a file of TLS that cannot be used, and why."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    certificates, log = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSLKEYLOGFILE")
    try:
        if certificates:
            context.load_verify_locations(certificates)
    except OSError as error:
        yield (
            "SSL_CERT_FILE",
            f"is {certificates}, which cannot be loaded ({type(error).__name__}). "
            "Set it to a file with certificates in PEM format, or unset it.",
        )
    try:
        if log:
            context.keylog_filename = log
    except OSError as error:
        yield (
            "SSLKEYLOGFILE",
            f"is {log}, which cannot be written ({type(error).__name__}). Set it to a file in a folder that exists, "
            "or unset it.",
        )


def _proxies() -> Iterator[tuple[str, str]]:
    """Yield each variable with a proxy or an exception that httpx refuses, and why."""
    proxies = urllib.request.getproxies()
    exceptions = [entry.strip() for entry in proxies.get("no", "").split(",")]
    if "*" in exceptions:
        return
    for scheme in ("http", "https", "all"):
        value = proxies.get(scheme, "")
        if value and (reason := _reason(value)):
            yield _variable(scheme, value), reason
    for entry in exceptions:
        if entry and not _USUAL_EXCEPTION.fullmatch(entry) and _refusal(mounts={_pattern(entry): None}):
            yield (
                _variable("no", proxies["no"]),
                f"has the entry {_shown_exception(entry)}, which is no host. Write a host such as internal.example, "
                ".internal.example, 10.0.0.1 or ::1. An IPv6 address has no brackets, no port and no /64.",
            )


def _reason(value: str) -> str | None:
    """Return why httpx refuses a proxy and what to do, ``None`` when it accepts the proxy."""
    url = value if "://" in value else f"http://{value}"
    if _USUAL_PROXY.fullmatch(url) or not (refusal := _refusal(proxy=url)):
        return None
    scheme, _, address = url.partition("://")
    user, at, host = address.rpartition("@")
    known = _HOST.match(host)
    shown = (
        f"{scheme}://{'[secret]@' if at else ''}{known[0] if known else ''}"
        if _SCHEME.fullmatch(scheme)
        else "[secret]"
    )
    if isinstance(refusal, ImportError):
        return f"is {shown}, which needs the package socksio. Add httpx[socks] to the requirements of the program."
    if any(character.isascii() and not character.isprintable() for character in value):
        return f"is {shown} with a line break or another control character. Remove it."
    if scheme.lower() not in _SCHEMES:
        return f"is {shown}. A proxy has one of the schemes {', '.join(_SCHEMES)}."
    if any(character in user for character in "/?#"):
        return f"is {shown}, where the user or the password contains /, ? or #. Write it as %2F, %3F or %23."
    return f"is {shown}..., which is no URL. Correct the host and the port, as in http://proxy.example:8080."


def _refusal(**arguments: Any) -> Exception | None:
    """Return the error with which httpx refuses the arguments of a client."""
    import httpx

    try:
        httpx.Client(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False, **arguments).close()
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        return error
    return None


def _pattern(entry: str) -> str:
    """Return the URLs that an entry of ``NO_PROXY`` means to httpx."""
    if "://" in entry:
        return entry
    try:
        version = ipaddress.ip_address(entry.partition("/")[0]).version
    except ValueError:
        return f"all://*{entry}"
    return f"all://{entry}" if version == 4 else f"all://[{entry}]"


def _shown_exception(entry: str) -> str:
    """Return an entry of ``NO_PROXY`` in printable ASCII, without a user and a password."""
    _, at, host = entry.replace("%40", "@").rpartition("@")
    return ascii(f"{'[secret]@' if at else ''}{host}"[:_LONGEST_SHOWN])


def _variable(scheme: str, value: str) -> str:
    """Return the name of the variable that has a value. A lower-case one takes precedence."""
    names = sorted((name for name in os.environ if name.lower() == f"{scheme}_proxy"), reverse=True)
    return next((name for name in names if os.environ[name] == value), f"the {scheme} proxy of the system")
