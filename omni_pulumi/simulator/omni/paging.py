"""Paged lists as in Omni's generated OpenAPI document: `pageInfo` and `records`.

A cursor contains the sort key of the last record of the page. Records created or deleted between two requests therefore
neither repeat nor hide other records.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from omni_pulumi.simulator.omni.request import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from omni_pulumi.simulator.omni.organization import DbtEnvironment

_DEFAULT_PAGE_SIZE = 20
_MAX_PAGE_SIZE = 100


def paginate(
    environments: Sequence[DbtEnvironment],
    query: Mapping[str, str],
    page_size_limit: int,
    to_json: Callable[[DbtEnvironment], dict[str, object]],
) -> dict[str, object]:
    """Return the requested page. Sort by name, descending by default."""
    direction = query.get("sortDirection", "desc")
    if direction not in ("asc", "desc"):
        raise ApiError(400, "sortDirection: expected asc or desc")
    if query.get("sortField", "name") != "name":
        raise ApiError(400, "sortField: expected name")
    page_size = min(_page_size(query.get("pageSize")), page_size_limit)
    descending = direction == "desc"

    records = sorted(environments, key=_sort_key, reverse=descending)
    if "cursor" in query:
        last = _decode_cursor(query["cursor"])
        records = [each for each in records if (_sort_key(each) < last if descending else _sort_key(each) > last)]
    has_next_page = len(records) > page_size
    records = records[:page_size]
    return {
        "pageInfo": {
            "hasNextPage": has_next_page,
            "nextCursor": _encode_cursor(records[-1]) if has_next_page else None,
            "pageSize": page_size,
            "totalRecords": len(environments),
        },
        "records": [to_json(record) for record in records],
    }


def _page_size(text: str | None) -> int:
    if text is None:
        return _DEFAULT_PAGE_SIZE
    if not (text.isdecimal() and 1 <= int(text) <= _MAX_PAGE_SIZE):
        raise ApiError(400, f"pageSize: expected a number from 1 to {_MAX_PAGE_SIZE}")
    return int(text)


def _sort_key(environment: DbtEnvironment) -> tuple[str, str]:
    return environment.name, environment.id


def _encode_cursor(environment: DbtEnvironment) -> str:
    return base64.urlsafe_b64encode(json.dumps(_sort_key(environment)).encode()).decode()


def _decode_cursor(cursor: str) -> tuple[str, str]:
    try:
        name, environment_id = json.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, TypeError):
        raise ApiError(400, "cursor: Invalid cursor") from None
    return str(name), str(environment_id)
