"""Keeps secrets out of what is shown: values that a request carried, and the user part of URLs.

A git URL may hold a token: ``https://x-access-token:<token>@github.com/acme/dbt.git``. Services store such URLs, so one
may come from a service as well as from the program.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

SECRET = "[secret]"  # noqa: S105 - stands in the place of a secret

_USER_PART = re.compile(r"(?<=://)[^\s/?#]*@")
"""Up to the last ``@`` of the authority. It begins after a slash and has none, so no text is scanned twice."""

_PUBLIC_USER = "git@"
"""The user name that every git host has for SSH."""


def mask_urls(text: str) -> str:
    """Mask the user part of each URL: ``https://user:password@host`` becomes ``https://[secret]@host``."""
    return _USER_PART.sub(lambda found: found[0] if found[0] == _PUBLIC_USER else f"{SECRET}@", text)


def redact(text: str, secrets: Iterable[str]) -> str:
    """Mask values, as they are and as JSON writes them, and the user part of each URL."""
    forms = {
        form
        for secret in secrets
        for form in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
        if form
    }
    for form in sorted(forms, key=lambda form: (-len(form), form)):  # one may begin with another
        text = text.replace(form, SECRET)
    return mask_urls(text)
