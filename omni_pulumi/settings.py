"""Where an instance's URL, key and limits come from: the stack's configuration first, then the environment.

A profile names a further instance: ``profile="eu"`` reads ``omni-eu:baseUrl`` and ``OMNI_EU_BASE_URL`` in the place of
``omni:baseUrl`` and ``OMNI_BASE_URL``.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from omni_pulumi.api.errors import ConfigurationError
from omni_pulumi.api.transport import Instance

Config = Callable[[str], str | None]
"""Looks up one key of the stack's configuration, such as ``omni:apiKey``, with secrets decrypted."""


_API_KEY = re.compile(r"[!-~]+")
"""What an HTTP header can carry as one word."""


@dataclass(frozen=True)
class Service:
    """How a service's settings are called."""

    name: str
    namespace: str
    url_key: str
    url_example: str
    requests_per_minute: int | None

    def instance(self, config: Config, profile: str | None) -> Instance:
        """The instance of a profile.

        Args:
            config: the stack's configuration.
            profile: name of the profile, ``None`` for the default one.

        Raises:
            ConfigurationError: all that is missing or malformed, with the commands that repair it.
        """
        url, api_key = self._url(config, profile), self._read(config, profile, "apiKey")
        if url is None or api_key is None:
            raise self._missing(
                profile, [key for key, value in ((self.url_key, url), ("apiKey", api_key)) if value is None]
            )
        if not _API_KEY.fullmatch(api_key):
            raise ConfigurationError(
                f"{self._key(profile, 'apiKey')} has characters that no key has: blanks, line breaks or others outside "
                "ASCII. Set it again.",
                settings=(self._key(profile, "apiKey"),),
            )
        budget = self._number(config, profile, "requestsPerMinute")
        return Instance(
            self._checked_url(profile, url),
            api_key,
            requests_per_minute=self.requests_per_minute if budget is None else max(1, int(budget)),
            connect_timeout=self._number(config, profile, "connectTimeout") or Instance.connect_timeout,
            read_timeout=self._number(config, profile, "readTimeout") or Instance.read_timeout,
            total_timeout=self._number(config, profile, "totalTimeout") or Instance.total_timeout,
        )

    def url(self, config: Config, profile: str | None) -> str | None:
        """The URL of a profile's instance, ``None`` when it is not configured.

        Raises:
            ConfigurationError: the URL is malformed.
        """
        url = self._url(config, profile)
        return None if url is None else self._checked_url(profile, url)

    def _url(self, config: Config, profile: str | None) -> str | None:
        return self._read(config, profile, self.url_key)

    def _read(self, config: Config, profile: str | None, key: str) -> str | None:
        value = config(self._key(profile, key)) or os.environ.get(self._variable(profile, key)) or ""
        return value.strip() or None

    def _number(self, config: Config, profile: str | None, key: str) -> float | None:
        """A positive number, ``None`` when it is not set."""
        text = self._read(config, profile, key)
        if text is None:
            return None
        try:
            number = float(text)
        except ValueError:
            number = 0.0
        if not 0 < number < float("inf"):
            raise ConfigurationError(
                f"{self._key(profile, key)} must be a positive number. Correct it.",
                settings=(self._key(profile, key),),
            )
        return number

    def _missing(self, profile: str | None, keys: list[str]) -> ConfigurationError:
        """The error for settings that are set nowhere, with the commands that set them."""
        settings = {key: self._key(profile, key) for key in keys}
        commands = [
            f"`pulumi config set --secret {setting}`"
            if key == "apiKey"
            else f"`pulumi config set {setting} {self.url_example}`"
            for key, setting in settings.items()
        ]
        variables = [self._variable(profile, key) for key in keys]
        return ConfigurationError(
            f"{self.name} is not configured{f' for profile {profile!r}' if profile else ''}: "
            f"run {' and '.join(commands)}, or set {' and '.join(variables)} in the environment.",
            settings=tuple(settings.values()),
        )

    def _checked_url(self, profile: str | None, text: str) -> str:
        """An instance's URL without ``/api`` and trailing slashes; ``http`` only where the key stays on the machine."""
        try:
            url = httpx.URL(text)
        except httpx.InvalidURL:
            url = httpx.URL("")
        settings = (self._key(profile, self.url_key),)
        is_host = bool(url.host) and "%" not in url.host  # httpx escapes what cannot be in a host
        if url.scheme not in {"http", "https"} or not is_host or url.userinfo or url.query or url.fragment:
            raise ConfigurationError(
                f"The URL of {self.name} must be like https://<host>, without user, query or fragment.",
                settings=settings,
            )
        if url.scheme == "http" and not _is_loopback(url.host):
            raise ConfigurationError(
                f"The URL of {self.name} must start with https:// (http:// would send the key in clear), got host "
                f"{url.host}.",
                settings=settings,
            )
        path = re.sub(r"/api(/v1)?$", "", url.path.rstrip("/"))
        return str(url.copy_with(path=path or "/")).rstrip("/")

    def _key(self, profile: str | None, key: str) -> str:
        return f"{self.namespace}{f'-{profile}' if profile else ''}:{key}"

    def _variable(self, profile: str | None, key: str) -> str:
        words = [self.namespace, *([profile] if profile else []), re.sub(r"(?=[A-Z])", "_", key)]
        return "_".join(words).replace("-", "_").upper()


OMNI = Service("Omni", "omni", "baseUrl", "https://<instance>.omniapp.co", requests_per_minute=60)
LIGHTDASH = Service("Lightdash", "lightdash", "url", "https://app.lightdash.cloud", requests_per_minute=None)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
