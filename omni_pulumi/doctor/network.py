"""How requests leave this machine, and why a service cannot be reached."""

from __future__ import annotations

import os
import re
import urllib.request
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from omni_pulumi import errors
from omni_pulumi.api.instance import Instance

_PROXY = re.compile(r"\A(?:(\w+)://)?(?:[^/@\s]*@)?([\w.-]+|\[[\da-fA-F:.]+\])(:\d+)?/?")
"""A proxy whose host can be shown. Any other text may contain a password."""

_ADVICE: Mapping[errors.ConnectCause, str] = {
    "name": "Check the spelling of the URL, and that this machine can resolve the name, for example through a VPN.",
    "certificate": "If the network has a certificate authority of its own, set SSL_CERT_FILE to a file with its "
    "certificate. REQUESTS_CA_BUNDLE has no effect.",
    "tls": "Check that the URL is that of the service, and that a proxy on the way supports TLS.",
    "proxy": "Check HTTPS_PROXY with its user and password, or add the host to NO_PROXY.",
    "timeout": "Check the firewall, and whether the network requires HTTPS_PROXY.",
    "refused": "Check host and port of the URL, and that the service runs.",
    "other": "Check the URL, the network and the proxy settings.",
}


class Explanation(NamedTuple):
    """Why a request failed, and what to do.

    Attributes:
        result: why it failed.
        advice: what to do.
        is_about_key: whether the service was reached and refused the key.
    """

    result: str
    advice: str
    is_about_key: bool = False


def settings(url: str) -> str:
    """Return which proxy and which certificates requests to a URL use, as httpx reads them from the environment."""
    if url.startswith("http:"):
        return "no proxy and no certificates, because the URL is of this machine"
    file, directory = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    certificates = f"SSL_CERT_FILE ({file})" if file else f"SSL_CERT_DIR ({directory})" if directory else "certifi"
    return f"{_proxy_text(url)}; certificates of {certificates}"


def explain(error: errors.Error, service: str, instance: Instance, *, key_setting: str) -> Explanation:
    """Return why a request failed, and what to do.

    Args:
        error: the error.
        service: name of the service.
        instance: the instance.
        key_setting: where the API key comes from.
    """
    if isinstance(error, errors.ConnectError):
        return _explain_connection(error, instance)
    if isinstance(error, errors.ResponseLostError):
        result = f"{_peer(instance.url)} sent no complete response, or none within {instance.read_timeout:g} seconds"
        return Explanation(result, error.advice)
    if not isinstance(error, errors.ResponseError):
        return Explanation(error.message, error.advice or "Correct the settings that the message names.")
    answer = _answer(error, service)
    if isinstance(error, errors.AuthenticationError) or error.scope == "instance":
        return _explain_refusal(error, answer, instance, key_setting)
    return Explanation(answer, _advice(error, instance))


def _explain_connection(error: errors.ConnectError, instance: Instance) -> Explanation:
    proxy = proxy_of(instance.url)
    uses_proxy = proxy is not None and error.cause in {"name", "timeout", "refused", "proxy"}
    peer = f"the proxy {proxy}" if uses_proxy else _peer(instance.url)
    results: Mapping[errors.ConnectCause, str] = {
        "name": f"the name of {peer} cannot be resolved",
        "certificate": f"the certificate of {peer} is not trusted",
        "tls": f"{peer} does not speak TLS as expected",
        "proxy": f"{peer} did not let the request pass",
        "timeout": f"{peer} did not accept a connection within {instance.connect_timeout:g} seconds",
        "refused": f"{peer} refuses connections",
        "other": f"{peer} cannot be reached",
    }
    advice = _ADVICE["proxy"] if uses_proxy else _ADVICE[error.cause]
    return Explanation(results[error.cause], advice)


def _explain_refusal(error: errors.ResponseError, answer: str, instance: Instance, key_setting: str) -> Explanation:
    if isinstance(error, errors.AuthenticationError | errors.PermissionDeniedError):
        if instance.api_key.startswith("ldsvc_"):
            advice = f"Set {key_setting} to a personal access token. This is the token of a service account."
        else:
            advice = f"Check that {key_setting} is complete, of this instance, and neither revoked nor expired."
        return Explanation(answer, advice, is_about_key=True)
    return Explanation(answer, _wrong_url(instance))


def _answer(error: errors.ResponseError, service: str) -> str:
    details = [error.detail.rstrip(".")] if error.detail else []
    if isinstance(error, errors.UnexpectedResponseError):
        details += ["in another form than its API", *filter(None, error.fields)]
    return ": ".join([f"{service} answered {error.status}", *([", ".join(details)] if details else [])])


def _wrong_url(instance: Instance) -> str:
    path = urlsplit(instance.url).path
    return (
        f"Check that the URL is that of the instance{f', without the path {path}' if path else ''}, and that no proxy "
        "answers instead."
    )


def _advice(error: errors.ResponseError, instance: Instance) -> str:
    if isinstance(error, errors.UnexpectedResponseError) and error.fields:
        return "Report it with the output of `omni-pulumi doctor --report`, which contains no names, IDs and URLs."
    return _wrong_url(instance) if isinstance(error, errors.UnexpectedResponseError) else error.advice


def proxy_of(url: str) -> str | None:
    """Return the proxy of requests to a URL without its user, ``None`` when there is none."""
    proxies = urllib.request.getproxies()
    value = proxies.get("https") or proxies.get("all")
    host = urlsplit(url).hostname or ""
    if url.startswith("http:") or not value or urllib.request.proxy_bypass(host):
        return None
    found = _PROXY.fullmatch(value)
    return f"{found[1] or 'http'}://{found[2]}{found[3] or ''}" if found else "in the environment"


def _proxy_text(url: str) -> str:
    proxy = proxy_of(url)
    if proxy is not None:
        return f"the proxy {proxy}"
    proxies = urllib.request.getproxies()
    return "no proxy, because of NO_PROXY" if proxies.get("https") or proxies.get("all") else "no proxy"


def _peer(url: str) -> str:
    return urlsplit(url).netloc
