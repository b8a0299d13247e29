"""What both services share on the wire: JSON as JavaScript reads it."""

from __future__ import annotations

import json


def parse_json(raw: bytes) -> object:
    """The JSON document in `raw`; ValueError when it is none.

    Both services run on JavaScript, whose parser refuses NaN and Infinity where Python's accepts them.
    """

    def refuse(constant: str) -> object:
        raise ValueError(f"{constant} is not JSON")

    return json.loads(raw, parse_constant=refuse)


def compact_json(document: object) -> str:
    """`document` as `JSON.stringify` writes it."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
