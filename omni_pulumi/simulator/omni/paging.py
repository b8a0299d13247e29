"""Lists in pages, as Omni's generated document has them: `pageInfo` and `records`.

A cursor holds the sort key of the last record seen, so that neither a new nor a deleted record makes a page repeat or
skip others.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from omni_pulumi.simulator.omni.call import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from omni_pulumi.simulator.omni.organization import DbtEnvironment

_DEFAULT_SIZE = 20
_LARGEST_SIZE = 100


def page(
    environments: Sequence[DbtEnvironment],
    query: Mapping[str, str],
    size_limit: int,
    shown: Callable[[DbtEnvironment], dict[str, object]],
) -> dict[str, object]:
    """The page that a query asks for: by name, descending unless told otherwise."""
    direction = query.get("sortDirection", "desc")
    if direction not in ("asc", "desc"):
        raise Refusal(400, "sortDirection: expected asc or desc")
    if query.get("sortField", "name") != "name":
        raise Refusal(400, "sortField: expected name")
    size = min(_size(query.get("pageSize")), size_limit)
    descending = direction == "desc"

    records = sorted(environments, key=_key, reverse=descending)
    if "cursor" in query:
        last = _read_cursor(query["cursor"])
        records = [each for each in records if (_key(each) < last if descending else _key(each) > last)]
    more = len(records) > size
    records = records[:size]
    return {
        "pageInfo": {
            "hasNextPage": more,
            "nextCursor": _cursor(records[-1]) if more else None,
            "pageSize": size,
            "totalRecords": len(environments),
        },
        "records": [shown(record) for record in records],
    }


def _size(text: str | None) -> int:
    if text is None:
        return _DEFAULT_SIZE
    if not (text.isdecimal() and 1 <= int(text) <= _LARGEST_SIZE):
        raise Refusal(400, f"pageSize: expected a number from 1 to {_LARGEST_SIZE}")
    return int(text)


def _key(environment: DbtEnvironment) -> tuple[str, str]:
    return environment.name, environment.id


def _cursor(environment: DbtEnvironment) -> str:
    return base64.urlsafe_b64encode(json.dumps(_key(environment)).encode()).decode()


def _read_cursor(cursor: str) -> tuple[str, str]:
    try:
        name, identifier = json.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, TypeError):
        raise Refusal(400, "cursor: Invalid cursor") from None
    return str(name), str(identifier)
