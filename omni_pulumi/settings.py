"""The settings of an instance: its URL, its API key and its limits.

The stack's configuration takes precedence over environment variables.

A profile names the settings of a further instance: ``profile="eu"`` reads ``omni-eu:baseUrl`` and ``OMNI_EU_BASE_URL``
instead of ``omni:baseUrl`` and ``OMNI_BASE_URL``.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pydantic

from omni_pulumi.api.instance import Instance
from omni_pulumi.errors import ConfigurationError

Config = Callable[[str], str | None]
"""Function that returns a value of the stack's configuration, such as ``omni:apiKey``. Secrets are decrypted."""


_API_KEY = re.compile(r"[!-~]+")
"""Printable ASCII without spaces, which an HTTP header can contain."""

_HOST = re.compile(r"\A(?:[A-Za-z]+://)?([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,24}(?::[0-9]+)?)/?")
"""A host that an error may show. Any other text may be a key, or contain a password."""

_OWN_VALUES = "Configuration that the program itself reads belongs in the namespace of the project."

_LONGEST_SHOWN = 16
"""Characters. A longer text instead of a number may be a key."""


@dataclass(frozen=True)
class _Setting:
    """A setting that is set.

    Attributes:
        name: a key of the stack's configuration, or an environment variable.
        value: its value, without surrounding whitespace.
    """

    name: str
    value: str


@dataclass(frozen=True)
class Service:
    """A service, and the names of its settings."""

    name: str
    namespace: str
    url_key: str
    url_example: str
    requests_per_minute: int | None

    def instance(self, config: Config, profile: str | None) -> Instance:
        """Return the instance of a profile.

        Args:
            config: the stack's configuration.
            profile: name of the profile, ``None`` for the default one.

        Raises:
            ConfigurationError: names all settings that are missing or malformed, and says how to set them.
        """
        values: dict[str, Any] = {}
        problems: dict[str, str] = {}
        for key, parse in self._parsers.items():
            setting = self._read(config, profile, key)
            if setting is not None:
                try:
                    values[key] = parse(setting.value)
                except ValueError as error:
                    values[key], problems[setting.name] = None, f"{setting.name} {error}"
        missing = [key for key in (self.url_key, "apiKey") if key not in values]
        if missing or problems:
            texts = [*problems.values(), *([self._missing(profile, missing)] if missing else [])]
            raise ConfigurationError(
                " ".join(f"{text}." for text in texts),
                settings=(*problems, *(self.key(profile, key) for key in missing)),
            )
        requests_per_minute = values.get("requestsPerMinute")
        return Instance(
            values[self.url_key],
            values["apiKey"],
            requests_per_minute=max(1, int(requests_per_minute)) if requests_per_minute else self.requests_per_minute,
            connect_timeout=values.get("connectTimeout", Instance.connect_timeout),
            read_timeout=values.get("readTimeout", Instance.read_timeout),
            total_timeout=values.get("totalTimeout", Instance.total_timeout),
        )

    def url(self, config: Config, profile: str | None) -> str | None:
        """Return the URL of a profile's instance, ``None`` when it is not set.

        Raises:
            ConfigurationError: the URL is malformed.
        """
        setting = self._read(config, profile, self.url_key)
        if setting is None:
            return None
        try:
            return self._parse_url(setting.value)
        except ValueError as error:
            raise ConfigurationError(f"{setting.name} {error}.", settings=(setting.name,)) from None

    def ineffective(self, settings: Iterable[str], profile: str | None) -> dict[str, str]:
        """Return the settings in the namespaces of an instance that have no effect, each with advice.

        Args:
            settings: the keys of the stack's configuration.
            profile: name of the profile. The settings of the default one are examined too.
        """
        found = {}
        for setting in sorted(settings):
            namespace, _, key = setting.partition(":")
            if namespace in self._namespaces(profile) and key not in self._parsers:
                found[setting] = f"{self._most_similar(namespace, key)} {_OWN_VALUES}"
        return found

    def key(self, profile: str | None, key: str) -> str:
        """Return the name of a setting in the stack's configuration, such as ``omni-eu:apiKey``."""
        return f"{self._namespaces(profile)[-1]}:{key}"

    def variable(self, profile: str | None, key: str) -> str:
        """Return the name of a setting in the environment, such as ``OMNI_EU_API_KEY``."""
        words = [self.namespace, *([profile] if profile else []), re.sub(r"(?=[A-Z])", "_", key)]
        return "_".join(words).replace("-", "_").upper()

    @property
    def _parsers(self) -> Mapping[str, Callable[[str], Any]]:
        """The settings of an instance, and the functions that parse them."""
        return {
            self.url_key: self._parse_url,
            "apiKey": _parse_api_key,
            "requestsPerMinute": _parse_number,
            "connectTimeout": _parse_number,
            "readTimeout": _parse_number,
            "totalTimeout": _parse_number,
        }

    def _namespaces(self, profile: str | None) -> Sequence[str]:
        """Return the namespaces of the default instance and of a profile's."""
        return (self.namespace, *([f"{self.namespace}-{profile}"] if profile else []))

    def _most_similar(self, namespace: str, key: str) -> str:
        """Return a sentence with the setting whose name is the most similar, or with all settings."""
        names = {each.lower(): f"{namespace}:{each}" for each in self._parsers}
        similar = difflib.get_close_matches(key.lower(), names, n=1)
        if similar:
            return f"The most similar setting is {names[similar[0]]}."
        return f"The settings are {', '.join(names.values())}."

    def _read(self, config: Config, profile: str | None, key: str) -> _Setting | None:
        """Return a setting, ``None`` when it is not set. An empty one counts as not set."""
        in_stack, variable = self.key(profile, key), self.variable(profile, key)
        setting = _Setting(in_stack, config(in_stack) or "")
        if not setting.value:
            setting = _Setting(variable, os.environ.get(variable, ""))
        value = setting.value.strip()
        return replace(setting, value=value) if value else None

    def _missing(self, profile: str | None, keys: list[str]) -> str:
        """Return how to set missing settings."""
        commands = [
            f"`pulumi config set --secret {self.key(profile, key)}`"
            if key == "apiKey"
            else f"`pulumi config set {self.key(profile, key)} {self.url_example}`"
            for key in keys
        ]
        variables = [self.variable(profile, key) for key in keys]
        for_profile = f' for profile "{profile}"' if profile else ""
        return (
            f"{self.name} is not configured{for_profile}: "
            f"run {' and '.join(commands)}, or set {' and '.join(variables)} in the environment"
        )

    def _parse_url(self, text: str) -> str:
        """Return a URL without ``/api`` and trailing slashes. ``http`` is accepted only for loopback addresses."""
        try:
            url = pydantic.HttpUrl(text)
        except pydantic.ValidationError:
            url = None
        if url is None or not url.host or not _is_plain(url, text):
            host = _HOST.fullmatch(text)
            got = f', got "{text}": write https://{host[1]}' if host else ""
            raise ValueError(f"must be a URL such as {self.url_example}, without user, query or fragment{got}")
        if url.scheme == "http" and not _is_loopback(url.host):
            raise ValueError(f"uses http://, which would send the API key in plain text to {url.host}. Use https")
        return re.sub(r"/api(/v1)?$", "", str(url).rstrip("/")).rstrip("/")


def _is_plain(url: pydantic.HttpUrl, text: str) -> bool:
    """Return whether a URL has no user, query or fragment, and its host is written in a text as it is.

    The parser also accepts ``https:host``, ``https://%68ost`` and line breaks in a host.
    """
    if not text.isprintable() or {url.username, url.password, url.query, url.fragment} != {None}:
        return False
    return any(f"://{host}" in text.lower() for host in (url.host, url.unicode_host()))


def _parse_api_key(text: str) -> str:
    if not _API_KEY.fullmatch(text):
        raise ValueError("contains spaces, line breaks or non-ASCII characters. Set it again")
    return text


def _parse_number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        got = f', got "{text}"' if len(text) <= _LONGEST_SHOWN else ""
        raise ValueError(f"must be a positive number{got}")
    return number


OMNI = Service("Omni", "omni", "baseUrl", "https://<instance>.omniapp.co", requests_per_minute=60)
LIGHTDASH = Service("Lightdash", "lightdash", "url", "https://app.lightdash.cloud", requests_per_minute=None)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
