"""Recognizes secrets, by the name of a variable or property, and by the form that their issuers give them.

This is the one list of the package: policies, exports, comments, errors and logs use it.
"""

from __future__ import annotations

import re

SECRET = "[secret]"  # noqa: S105 - replaces a secret

_SECRET_NAME = re.compile(
    r"(?:TOKENS?|PASSWORDS?|PASSWD|PASSPHRASE|SECRETS?|CREDENTIALS?|COOKIES?|KEY_?FILE(?:_JSON)?|WEBHOOKS?(?:_UR[LI])?"
    r"|(?:API|ACCESS|PRIVATE|SIGNING|ENCRYPTION)[_-]?KEYS?|CONNECTION[_-]?STRING"
    r"|(?<![A-Z])(?:PWD|PW|PAT|JWT|PASS$))(?![A-Z])"
)
_OTHER_NAME = re.compile(
    r"\A(?:MAX|MIN|NUM)_(?:\w+_)?TOKENS$|\AGOOGLE_APPLICATION_CREDENTIALS$"
    r"|\A.*(?<!WEBHOOK)(?<!WEBHOOKS)[_-](?:URLS?|URI)$"
    r"|\A.*[_-](?:NAMES?|PATH|FILE|DIR|IDS?|ARN|TTL|TYPE|HEADER|ENABLED|VERSION|COLUMN|TABLE|SCHEMA|DATABASE|POLICY"
    r"|LIMIT|COUNT|LENGTH|SIZE|TRIGGER|EXPIRY|EXPIRES(?:_AT|_IN)?|AUDIENCE|ISSUER|ALGORITHM|REGION|HOST|PORT)$"
)
"""Names of something that belongs to a secret, such as ``TOKEN_URL``. The URL of a webhook is a secret itself."""

_FORMS = re.compile(
    r"(?<![A-Za-z0-9])(?:gh[opsur]_\w{10,}|github_pat_\w{10,}|gl(?:pat|rt|ptt)-[\w-]{10,}|xox[abeprs]-[\w-]{10,}"
    r"|xapp-[\w-]{10,}|omni_(?:osk|pat)_\w{10,}|ldpat_\w{8,}|ldsvc_\w{8,}|AT(?:BB|ATT)\w{10,}|(?:AKIA|ASIA)[0-9A-Z]{16}"
    r"|dapi[0-9a-f]{32}|dbt[cu]_[\w-]{16,}|sk-(?:(?:ant|proj|svcacct|admin)-[\w-]{16,}|[A-Za-z0-9]{20,})"
    r"|[sr]k_(?:live|test)_\w{10,}|AIza[\w-]{30,}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{10,}|hf_[A-Za-z0-9]{20,}"
    r"|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|pul-[0-9a-f]{20,}|hv[sb]\.[\w-]{20,}|AGE-SECRET-KEY-1[0-9A-Z]{20,}"
    r"|SG\.[\w-]{16,}\.[\w-]{16,}|https://hooks\.slack\.com/[a-z]+/[\w/-]{8,}|LS0tLS1CRUdJTi[\w+/=]*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----(?:[\s\S]*?-----END [A-Z ]*-----|[\s\S]*))"
    r"|(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"
    r"|(?<=[?&]sig=)[^\s&\"']+"
    r"|(?<=AccountKey=)[\w+/=]+"
)
"""Forms of secrets. A private key ends with its last line, or with the text; ``LS0t`` is one in base64."""

_AUTHORIZATION = re.compile(
    r"(?i)(?<![\w-])((?P<header>authorization[\"'\\]{0,2}\s?[:=]\s?[\"'\\]{0,2})(?:(?:bearer|basic|token)\s)?"
    r"|(?:bearer|basic)\s)(?!(?:bearer|basic|token)\s)(?P<value>[\w.~+/=-]+)"
)
_KEY = re.compile(r"(?<![\w-])(?P<name>[\w-]+)(?P<quote>\\?[\"'])?(?P<sign>\s?[:=]\s?)")
"""A name with a value behind it, as in JSON, libpq, YAML, a query or a command line."""
_QUOTED = re.compile(r"(?P<quote>\\?[\"'])(?P<value>(?:\\[^\"'\n]|[^\"'\\\n])+)")
_BARE = re.compile(r"(?P<value>[^\s\"'&;,<>{}()\[\]$*=\\][^\s\"'&;,<>{}()\[\]\\]*)(?![\w.(\[])")
"""A value without quotes. A name before a bracket is Python code."""

_SETTINGS = {"", "true", "false", "default", "none", "null"}
_COMMON_WORDS = _SETTINGS | {
    *("analytics", "bigquery", "databricks", "development", "localhost", "password", "postgres", "postgresql"),
    *("production", "redshift", "snowflake", "warehouse"),
}

_USER_IN_URL = re.compile(r"(?<=\w)://(?=[^\s/:@]*(?P<colon>:)(?!\d+/))")  # the colon does not start a port
_PASSWORD = re.compile(r"[^\s\"@]+(?P<at>@?)")
_TOKEN_IN_URL = re.compile(r"(?<=://)(?<=http://|ttps://)[^\s/:@]{20,}:?(?=@)")  # in place of the user


def is_secret_name(name: str) -> bool:
    """Return whether the name of a variable or property looks secret."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()
    return (
        words.startswith("DBT_ENV_SECRET")  # dbt's own prefix of secrets
        or bool(_SECRET_NAME.search(words) and not _OTHER_NAME.search(words))
    )


def is_secret_value(value: str) -> bool:
    """Return whether a text looks like a secret or contains one."""
    return mask_forms(value) != value


def is_setting(value: str) -> bool:
    """Return whether a value with a secret-looking name is none, such as the one of ``mustChangePassword``."""
    return value.lower() in _SETTINGS


def is_searchable(secret: str) -> bool:
    """Return whether the value of a secret can be searched for in texts.

    A short value and a common word are parts of many texts. To mask them there damages the text, and shows what the
    secret is. So a value has 8 characters, or 4 that are not all letters, and is no common word.
    """
    return len(secret) >= (8 if secret.isalpha() else 4) and secret.lower() not in _COMMON_WORDS


def mask_forms(text: str) -> str:
    """Mask what has the form of a secret, or stands behind the name of one, as in ``password=...``."""
    text = _TOKEN_IN_URL.sub(SECRET, _without_passwords(text))
    text = _AUTHORIZATION.sub(_masked_authorization, _FORMS.sub(SECRET, text))
    return _without_assigned(text)


def _masked_authorization(found: re.Match[str]) -> str:
    is_word = not found["header"] and not _is_random(found["value"])
    return found[0] if is_word else f"{found[1]}{SECRET}"


def _is_random(value: str) -> bool:
    """Return whether a value is probably no word and no URL."""
    return len(value) >= 8 and any(character.isdigit() for character in value) and "://" not in value


def _without_assigned(text: str) -> str:
    """Mask the values behind names of secrets.

    Behind a colon or a blank a sentence may go on, so a value without quotes has a digit there.
    """
    parts, end = [], 0
    for key in _KEY.finditer(text):
        if key.start() < end or not is_secret_name(key["name"]):
            continue
        value = _QUOTED.match(text, key.end()) or _BARE.match(text, key.end())
        if value is None or is_setting(value["value"]) or value["value"].startswith(SECRET[:-1]):
            continue
        is_code = value.re is _QUOTED and (key["quote"] or "=" in key["sign"])
        if key["sign"] != "=" and not is_code and not _is_random(value["value"]):
            continue
        parts += [text[end : value.start("value")], SECRET]
        end = value.end("value")
    return "".join([*parts, text[end:]])


def _without_passwords(text: str) -> str:
    """Mask user and password of each URL that has both, even if the password contains a slash.

    Reads each password once. A single pattern for user and password takes quadratic time.
    """
    parts, start, end = [], 0, 0
    for user in _USER_IN_URL.finditer(text):
        colon = user.end("colon")
        password = _PASSWORD.match(text, colon) if colon >= end else None
        if password and password["at"] and text[user.end() : password.end() - 1] != SECRET:
            parts += [text[start : user.end()], SECRET]
            start = password.end() - 1
        end = password.end() if password else end
    return "".join([*parts, text[start:]])
