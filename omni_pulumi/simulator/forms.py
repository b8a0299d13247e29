"""The forms in which a service may store the texts that it gets. No documentation says that it stores them as sent."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

StoredForm = Callable[[str], str]
"""Returns the form in which a service stores a text."""


def as_sent(text: str) -> str:
    """Return the text itself."""
    return text


def normal_form(text: str) -> str:
    """Return the text in lower case, in composed Unicode, and without spaces at its ends and slashes at its end."""
    stripped = unicodedata.normalize("NFC", text.lower()).strip()
    return stripped.rstrip("/") or stripped
