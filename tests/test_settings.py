"""Settings: the URL, the API key and the limits of an instance, from the stack and the environment."""

from __future__ import annotations

import re

import pytest

from omni_pulumi.errors import ConfigurationError
from omni_pulumi.settings import LIGHTDASH, OMNI, Config, Service

CONFIG = {
    "omni:baseUrl": "https://acme.omniapp.co",
    "omni:apiKey": "key-of-the-stack",
    "omni-eu:baseUrl": "https://acme-eu.omniapp.co",
    "omni-eu:apiKey": "key-of-the-stack-eu",
}


EMPTY_CONFIG: dict[str, str] = {}


def url_and_key(service: Service, config: Config, profile: str | None = None) -> tuple[str, str]:
    """Return the URL and the API key of an instance."""
    instance = service.instance(config, profile)
    return instance.url, instance.api_key


def test_stack_configuration_takes_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration of the stack takes precedence over environment variables."""
    monkeypatch.setenv("OMNI_BASE_URL", "https://other.omniapp.co")
    monkeypatch.setenv("OMNI_API_KEY", "key-of-the-environment")
    assert url_and_key(OMNI, CONFIG.get) == ("https://acme.omniapp.co", "key-of-the-stack")


def test_url_and_key_can_have_different_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """The URL may come from the stack and the key from an environment variable."""
    monkeypatch.setenv("OMNI_API_KEY", "key-of-the-environment")
    config = {"omni:baseUrl": "https://acme.omniapp.co", "omni:apiKey": ""}
    assert url_and_key(OMNI, config.get) == ("https://acme.omniapp.co", "key-of-the-environment")


@pytest.mark.parametrize(
    ("service", "profile", "names"),
    [
        (OMNI, None, ("OMNI_BASE_URL", "OMNI_API_KEY")),
        (OMNI, "eu", ("OMNI_EU_BASE_URL", "OMNI_EU_API_KEY")),
        (OMNI, "eu-2", ("OMNI_EU_2_BASE_URL", "OMNI_EU_2_API_KEY")),
        (LIGHTDASH, None, ("LIGHTDASH_URL", "LIGHTDASH_API_KEY")),
        (LIGHTDASH, "eu", ("LIGHTDASH_EU_URL", "LIGHTDASH_EU_API_KEY")),
    ],
    ids=lambda value: value.name if isinstance(value, Service) else str(value),
)
def test_environment_variables(
    monkeypatch: pytest.MonkeyPatch, service: Service, profile: str | None, names: tuple[str, str]
) -> None:
    """Without stack configuration, the URL and the key come from environment variables, without surrounding spaces."""
    monkeypatch.setenv(names[0], " https://bi.acme.test\n")
    monkeypatch.setenv(names[1], "key\n")
    assert url_and_key(service, EMPTY_CONFIG.get, profile) == ("https://bi.acme.test", "key")


def test_a_profile_has_its_own_instance() -> None:
    """Each profile has a URL and a key."""
    assert url_and_key(OMNI, CONFIG.get, "eu") == ("https://acme-eu.omniapp.co", "key-of-the-stack-eu")


def test_a_profile_without_a_key() -> None:
    """A profile without a key is an error. The key of the default instance is not used for it."""
    config = {**CONFIG, "omni-eu:apiKey": ""}
    with pytest.raises(ConfigurationError) as caught:
        OMNI.instance(config.get, "eu")
    assert caught.value.settings == ("omni-eu:apiKey",)


@pytest.mark.parametrize(
    ("service", "profile", "config", "commands", "variables"),
    [
        (
            OMNI,
            None,
            {},
            {
                "omni:baseUrl": "`pulumi config set omni:baseUrl https://<instance>.omniapp.co`",
                "omni:apiKey": "`pulumi config set --secret omni:apiKey`",
            },
            ["OMNI_BASE_URL", "OMNI_API_KEY"],
        ),
        (
            OMNI,
            None,
            {"omni:baseUrl": "https://acme.omniapp.co"},
            {"omni:apiKey": "`pulumi config set --secret omni:apiKey`"},
            ["OMNI_API_KEY"],
        ),
        (
            OMNI,
            None,
            {"omni:apiKey": "key-of-the-stack"},
            {"omni:baseUrl": "`pulumi config set omni:baseUrl https://<instance>.omniapp.co`"},
            ["OMNI_BASE_URL"],
        ),
        (
            OMNI,
            "eu",
            {},
            {"omni-eu:baseUrl": "pulumi config set omni-eu:baseUrl", "omni-eu:apiKey": '"eu"'},
            ["OMNI_EU_BASE_URL", "OMNI_EU_API_KEY"],
        ),
        (
            LIGHTDASH,
            None,
            {},
            {
                "lightdash:url": "pulumi config set lightdash:url https://app.lightdash.cloud",
                "lightdash:apiKey": "`pulumi config set --secret lightdash:apiKey`",
            },
            ["LIGHTDASH_URL", "LIGHTDASH_API_KEY"],
        ),
    ],
    ids=["both", "key", "URL", "profile", "Lightdash"],
)
def test_missing_settings_are_named_with_their_command(
    service: Service, profile: str | None, config: dict[str, str], commands: dict[str, str], variables: list[str]
) -> None:
    """The error names the missing settings only, with the command and the environment variable that set them."""
    with pytest.raises(ConfigurationError) as caught:
        service.instance(config.get, profile)
    message = str(caught.value)
    assert caught.value.settings == (*commands,)
    assert [command for command in commands.values() if command not in message] == []
    assert re.findall(r"[A-Z]+(?:_[A-Z]+)+", message) == variables
    assert message.count("pulumi config set") == len(commands)
    assert ("profile" in message) == (profile is not None)
    assert "key-of-the-stack" not in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://acme.omniapp.co", "https://acme.omniapp.co"),
        ("https://acme.omniapp.co/", "https://acme.omniapp.co"),
        ("https://acme.omniapp.co/api", "https://acme.omniapp.co"),
        ("https://acme.omniapp.co/api/", "https://acme.omniapp.co"),
        ("https://acme.omniapp.co/api/v1", "https://acme.omniapp.co"),
        ("https://acme.omniapp.co//api//", "https://acme.omniapp.co"),
        ("https://tools.acme.test/omni/api", "https://tools.acme.test/omni"),
        ("https://tools.acme.test/myapi", "https://tools.acme.test/myapi"),
        ("https://acme.omniapp.co:8443/api", "https://acme.omniapp.co:8443"),
        ("HTTPS://ACME.omniapp.co", "https://acme.omniapp.co"),
        ("http://localhost:8800", "http://localhost:8800"),
        ("http://127.0.0.1:8800/api", "http://127.0.0.1:8800"),
        ("http://127.1.2.3", "http://127.1.2.3"),
        ("http://[::1]:8800", "http://[::1]:8800"),
        ("https://bücher.test", "https://xn--bcher-kva.test"),
        ("https://xn--bcher-kva.test", "https://xn--bcher-kva.test"),
    ],
)
def test_urls(text: str, url: str) -> None:
    """A URL is accepted with or without ``/api``. Plain HTTP is accepted for the local machine only."""
    assert OMNI.instance({"omni:baseUrl": text, "omni:apiKey": "key"}.get, None).url == url


@pytest.mark.parametrize(
    "text",
    [
        "acme.omniapp.co",
        "https://",
        "https://<instance>.omniapp.co",
        "https://[acme.omniapp.co",
        "ftp://acme.omniapp.co",
        "https://user:made-up-password@acme.omniapp.co",
        "https://acme.omniapp.co?token=made-up-password",
        "https://acme.omniapp.co/#made-up-password",
        "https://acme.omniapp.co:made-up-password",
        "http://acme.omniapp.co",
        "http://10.0.0.1",
        "http://localhost.acme.test",
        "http://127.0.0.1.acme.test",
        "http://[::2]",
        "https:acme.omniapp.co",
        "https:///acme.omniapp.co",
        "https://%61cme.omniapp.co",
        "https://ac\tme.omniapp.co",
        "https://acme.omniapp.co/a\tb",
        "http://127.1",
    ],
)
def test_invalid_urls(text: str) -> None:
    """The error of an invalid URL is one line, without a password or a token from the URL."""
    with pytest.raises(ConfigurationError) as caught:
        OMNI.instance({"omni:baseUrl": text, "omni:apiKey": "key"}.get, None)
    assert caught.value.settings == ("omni:baseUrl",)
    assert "https" in str(caught.value)
    assert "made-up-password" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_repr_hides_the_key() -> None:
    """The ``repr`` of an instance has no API key."""
    assert "key-of-the-stack" not in repr(OMNI.instance(CONFIG.get, None))


@pytest.mark.parametrize("key", ["two\nlines", "nul\0", "\ufeffwith-a-mark", "two words", "schlüssel"])
def test_invalid_keys(key: str) -> None:
    """A key that is no valid HTTP header is an error that does not show the key."""
    with pytest.raises(ConfigurationError) as caught:
        OMNI.instance({**CONFIG, "omni-eu:apiKey": key}.get, "eu")
    assert caught.value.settings == ("omni-eu:apiKey",)
    assert key not in str(caught.value)


def test_invalid_settings_are_reported_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names each invalid setting by its source, the stack or the environment, with its value.

    Values that may be secrets are not shown.
    """
    monkeypatch.setenv("OMNI_BASE_URL", "acme.omniapp.co")
    monkeypatch.setenv("OMNI_TOTAL_TIMEOUT", "5 min")
    config = {"omni:apiKey": "two words", "omni:readTimeout": "-1", "omni:requestsPerMinute": "60"}
    with pytest.raises(ConfigurationError) as caught:
        OMNI.instance(config.get, None)
    assert caught.value.settings == ("OMNI_BASE_URL", "omni:apiKey", "omni:readTimeout", "OMNI_TOTAL_TIMEOUT")
    facts = [*caught.value.settings, '"acme.omniapp.co"', "https://acme.omniapp.co", '"5 min"', '"-1"']
    assert [fact for fact in facts if fact not in str(caught.value)] == []
    assert [text for text in ("omni:baseUrl", "omni:totalTimeout", "two words") if text in str(caught.value)] == []


def test_missing_and_invalid_settings_are_reported_together() -> None:
    """One error names the invalid and the missing settings of a profile."""
    with pytest.raises(ConfigurationError) as caught:
        OMNI.instance({"omni-eu:connectTimeout": "soon"}.get, "eu")
    assert caught.value.settings == ("omni-eu:connectTimeout", "omni-eu:baseUrl", "omni-eu:apiKey")
    assert '"soon"' in str(caught.value)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("omni:baseUrl", "omni_osk_0123456789abcdef"),
        ("omni:baseUrl", "eyJhbGciOi.eyJzdWIiOi.SflKxwRJSM"),
        ("omni:totalTimeout", "omni_osk_0123456789abcdef"),
        ("omni:apiKey", "0123456789 abcdef"),
    ],
)
def test_a_value_that_may_be_a_key_is_not_shown(key: str, text: str) -> None:
    """The error names the setting, and does not show a value that looks like an API key."""
    with pytest.raises(ConfigurationError) as caught:
        OMNI.instance({**CONFIG, key: text}.get, None)
    assert caught.value.settings == (key,)
    assert text not in str(caught.value)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e999", "five"])
def test_invalid_numbers(text: str) -> None:
    """A time limit that is not a positive, finite number is an error that shows its text."""
    with pytest.raises(ConfigurationError) as caught:
        OMNI.instance({**CONFIG, "omni:readTimeout": text}.get, None)
    assert caught.value.settings == ("omni:readTimeout",)
    assert f'"{text}"' in str(caught.value)


@pytest.mark.parametrize(
    ("service", "setting", "fact"),
    [
        (OMNI, "omni:baseURL", "omni:baseUrl"),
        (OMNI, "omni:url", "omni:baseUrl"),
        (OMNI, "omni:api_key", "omni:apiKey"),
        (OMNI, "omni-eu:apiToken", "omni-eu:apiKey"),
        (OMNI, "omni:timeout", "Timeout"),
        (OMNI, "omni:zzz", "omni:requestsPerMinute"),
        (LIGHTDASH, "lightdash:baseUrl", "lightdash:url"),
        (LIGHTDASH, "lightdash-eu:requestsPerminute", "lightdash-eu:requestsPerMinute"),
    ],
)
def test_a_setting_without_effect(service: Service, setting: str, fact: str) -> None:
    """A key that no resource reads has the most similar known one. Namespaces of others have none."""
    settings = [*CONFIG, setting, "omni-tools:url", "omnia:url", "lightdash-us:baseUrl", "pulumi:tags", "acme:url"]
    found = service.ineffective(settings, "eu")
    assert found.keys() == {setting}
    assert fact in found[setting]
