"""Reading and writing JSON as JavaScript does. Both services run on Node.js."""

from __future__ import annotations

import json


def parse_json(raw: bytes) -> object:
    """Parse JSON like `JSON.parse`, which rejects NaN and Infinity where Python's parser accepts them.

    Raises:
        ValueError: `raw` is not JSON.
    """

    def reject(constant: str) -> object:
        raise ValueError(f"{constant} is not JSON")

    return json.loads(raw, parse_constant=reject)


def compact_json(document: object) -> str:
    """Return JSON as `JSON.stringify` writes it."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
