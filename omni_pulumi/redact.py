"""Masks secrets in every text of the package: known values, forms and names of secrets, and the user part of URLs.

A git URL may contain a token: ``https://x-access-token:<token>@github.com/acme/dbt.git``. Such a URL may come from the
program or from a service.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping

from omni_pulumi.secret_text import SECRET, is_searchable, is_secret_name, mask_forms

_USER_PART = re.compile(r"(?<=://)[^\s/?#]*@")
"""The text from ``://`` to the last ``@`` before a slash. It contains no slash, so matching takes linear time."""

_PUBLIC_USER = "git@"
"""The user of SSH on every git host. It is no secret."""


def mask_urls(text: str) -> str:
    """Mask the user part of each URL: ``https://user:password@host`` becomes ``https://[secret]@host``."""
    return _USER_PART.sub(lambda found: found[0] if found[0] == _PUBLIC_USER else f"{SECRET}@", text)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Mask values, in each form in which a text may quote them, and all that looks like a secret.

    Args:
        text: the text.
        secrets: values to mask. An empty one is ignored.
    """
    forms = {form for secret in secrets for form in quoted_forms(secret)}
    for form in sorted(forms, key=lambda form: (-len(form), form)):  # the longest first: one may begin with another
        text = text.replace(form, SECRET)
    return mask_forms(mask_urls(text))


def quoted_forms(secret: str) -> set[str]:
    """Return a secret as plain text, JSON and Python quote it, and its lines, as a traceback has them."""
    forms = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    lines = (line.strip() for line in secret.splitlines())
    return (forms | {line for line in lines if is_searchable(line)}) - {""}


def is_secret(text: str) -> bool:
    """Return whether a text may be in no file and no message: it looks like a secret, or is a URL with a user."""
    return redact(text) != text


def display(name: str) -> str:
    """Return a name for a message, which is one line."""
    if is_secret(name):
        return "(looks like a secret)"
    return "".join(character if character.isprintable() else " " for character in name)


def environment_secrets(environment: Mapping[str, str] = os.environ) -> set[str]:
    """Return the values of the environment variables whose names look secret, as texts may quote them.

    A value with fewer than 8 characters is no secret worth the name, and is part of many texts.
    """
    values = (value.strip() for name, value in environment.items() if is_secret_name(name))
    return {value for value in values if len(value) >= 8 and is_searchable(value)}
