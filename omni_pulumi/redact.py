"""Masks secrets in errors and logs: secret values of a request, and the user part of URLs.

A git URL may contain a token: ``https://x-access-token:<token>@github.com/acme/dbt.git``. Such a URL may come from the
program or from a service.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

SECRET = "[secret]"  # noqa: S105 - replaces a secret

_USER_PART = re.compile(r"(?<=://)[^\s/?#]*@")
"""The text from ``://`` to the last ``@`` before a slash. It contains no slash, so matching takes linear time."""

_PUBLIC_USER = "git@"
"""The user of SSH on every git host. It is no secret."""


def mask_urls(text: str) -> str:
    """Mask the user part of each URL: ``https://user:password@host`` becomes ``https://[secret]@host``."""
    return _USER_PART.sub(lambda found: found[0] if found[0] == _PUBLIC_USER else f"{SECRET}@", text)


def redact(text: str, secrets: Iterable[str]) -> str:
    """Mask values, in plain form and in JSON form, and the user part of each URL."""
    forms = {
        form
        for secret in secrets
        for form in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
        if form
    }
    for form in sorted(forms, key=lambda form: (-len(form), form)):  # the longest first: one may begin with another
        text = text.replace(form, SECRET)
    return mask_urls(text)
