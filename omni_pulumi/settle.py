"""What only a look can tell: whether a create whose answer got lost was carried out, and whether an object is gone.

Neither service has idempotency keys, and a list may be behind for a moment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from omni_pulumi.api import errors, waiting

T = TypeVar("T")

_ATTEMPTS = 3


def settle(create: Callable[[], T], find: Callable[[], T | None]) -> T:
    """Create an object once, whatever becomes of the answers.

    Args:
        create: sends the request; its error's ``outcome_unknown`` says whether the object may have been created.
        find: looks for an object like it that was not there before, in a list that is read anew.

    Raises:
        errors.PartlyCreatedError: the object may be there, and looking for it failed too.
        errors.Error: a few looks have not shown the object, so its ``outcome_unknown`` is ``False``.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return create()
        except errors.Error as error:
            if attempt == 1 and not error.outcome_unknown:
                raise  # a later refusal may be of what an earlier request has made
            try:
                found = look(find)
            except errors.Error as failure:
                raise errors.PartlyCreatedError(
                    f"{error} Looking whether it is there failed too: {failure} "
                    "If it is there, delete it, or set adopt=True to take it over.",
                    operation=error.operation,
                    resource_id=None,
                ) from None
            if found is not None:
                return found
            if attempt == _ATTEMPTS or not errors.may_repeat(error, idempotent=True):
                error.outcome_unknown = False
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def look(find: Callable[[], T | None]) -> T | None:
    """Look for an object until it is found, and take it to be gone only when a few looks have not shown it.

    Raises:
        errors.Error: a look failed, which says nothing about the object.
    """
    for _ in waiting.looks():
        found = find()
        if found is not None:
            return found
    return None
