"""Reading and writing JSON as JavaScript does. Both services run on Node.js."""

from __future__ import annotations

import json
import re

_SURROGATE = re.compile(r"[\ud800-\udfff]")
"""Half of a surrogate pair. JSON can contain one as `\\ud800`, UTF-8 cannot."""


def parse_json(raw: bytes) -> object:
    """Parse JSON in UTF-8. Node.js replaces invalid bytes by U+FFFD.

    `JSON.parse` rejects NaN and Infinity where Python's parser accepts them.

    Raises:
        ValueError: `raw` is not JSON.
    """

    def reject(constant: str) -> object:
        raise ValueError(f"{constant} is not JSON")

    return json.loads(raw.decode("utf-8-sig", errors="replace"), parse_constant=reject)


def compact_json(document: object) -> str:
    """Return JSON as `JSON.stringify` writes it: only lone surrogates are escaped."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return _SURROGATE.sub(lambda surrogate: f"\\u{ord(surrogate[0]):04x}", text)


def replace_surrogates(text: str) -> str:
    """Return text as Node.js encodes it in UTF-8: with U+FFFD for each lone surrogate."""
    return _SURROGATE.sub("\ufffd", text)
