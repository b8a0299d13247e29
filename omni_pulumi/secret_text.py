"""Recognizes text that looks like a secret, by its name or by its value."""

from __future__ import annotations

import re

from omni_pulumi.redact import mask_urls

SENSITIVE_NAMES = (
    r"(?:TOKENS?|PASSWORDS?|PASSWD|PASSPHRASE|SECRETS?|CREDENTIALS?"
    r"|(?:API|ACCESS|PRIVATE|SIGNING|ENCRYPTION)[_-]?KEYS?|CONNECTION[_-]?STRING|(?<![A-Z])(?:PWD|PAT|PASS$))"
)
NUMERIC_NAMES = r"\A(?:MAX|MIN|NUM)_(?:\w+_)?TOKENS$"
"""Words in names of secrets, and names such as ``MAX_TOKENS``."""

_SECRET_NAME = re.compile(rf"{SENSITIVE_NAMES}(?![A-Z])")
_OTHER_NAME = re.compile(
    rf"{NUMERIC_NAMES}|\AGOOGLE_APPLICATION_CREDENTIALS$"
    r"|\A.*[_-](URLS?|URI|NAMES?|PATH|FILE|DIR|IDS?|TTL|TYPE|HEADER|ENABLED|VERSION|COLUMN|TABLE|POLICY|LIMIT)$"
)
"""Names of something that belongs to a secret, such as ``TOKEN_URL``."""
_SECRET_VALUE = re.compile(
    r"(?<![A-Za-z0-9])(gh[opsur]_\w{10,}|github_pat_\w{10,}|glpat-[\w-]{10,}|xox[abeprs]-[\w-]{10,}"
    r"|omni_(osk|pat)_\w{10,}|ldpat_\w{8,}|AT(BB|ATT)\w{10,}|(AKIA|ASIA)[0-9A-Z]{16}"
    r"|dapi[0-9a-f]{32}|dbt[cu]_[\w-]{16,}|sk-[\w-]{20,}|AIza[\w-]{30,}|ya29\.[\w-]{20,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----)"
)
_TOKEN_IN_URL = re.compile(
    r"https?://[^\s/:@]{20,}:?@"  # a token in place of the user
    r"|[?&;](password|pwd|token|sig|access_token)=[^\s&;]",
    re.IGNORECASE,
)
_USER_IN_URL = re.compile(r"(?<=\w)://(?=[^\s/:@]*(?P<colon>:)(?!\d+/))")  # the colon does not start a port
_PASSWORD = re.compile(r"[^\s\"@]+(?P<at>@?)")
_NOT_IN_JWT = re.compile(r"[^\w-]")
_JWT_HEADER = re.compile(r"(?<![A-Za-z0-9])eyJ[\w-]{8,}")
_JWT_PAYLOAD = re.compile(r"eyJ[\w-]{8,}")


def is_secret_name(name: str) -> bool:
    """Return whether the name of a variable looks secret."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()
    return (
        words.startswith("DBT_ENV_SECRET")  # dbt's own prefix of secrets
        or bool(_SECRET_NAME.search(words) and not _OTHER_NAME.search(words))
    )


def is_secret_value(value: str) -> bool:
    """Return whether a text looks like a secret or contains one."""
    return bool(_SECRET_VALUE.search(value) or _TOKEN_IN_URL.search(value)) or _has_password(value) or _has_jwt(value)


def is_secret(text: str) -> bool:
    """Return whether a text may be in no file and no message: it looks like a secret, or is a URL with a user."""
    return is_secret_value(text) or mask_urls(text) != text


def display(name: str) -> str:
    """Return a name for a message, which is one line."""
    if is_secret(name):
        return "(looks like a secret)"
    return "".join(character if character.isprintable() else " " for character in name)


def _has_password(text: str) -> bool:
    """Return whether a URL in the text has a password.

    Reads each password once. A single pattern for user and password takes quadratic time.
    """
    end = 0
    for user in _USER_IN_URL.finditer(text):
        start = user.end("colon")
        password = _PASSWORD.match(text, start) if start >= end else None
        if password and password["at"]:
            return True
        end = password.end() if password else end
    return False


def _has_jwt(text: str) -> bool:
    """Return whether the text contains a JSON Web Token: header, payload and signature, separated by dots."""
    parts = text.split(".")
    return any(
        _JWT_PAYLOAD.fullmatch(payload) and _JWT_HEADER.search(_NOT_IN_JWT.split(parts[before])[-1])
        for before, payload in enumerate(parts[1:-1])
    )
