"""Creates whose answer got lost: neither service has idempotency keys, so what came of the request is looked up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from omni_pulumi.api import errors, transport

T = TypeVar("T")

_ATTEMPTS = 3
_LOOKS = 3
"""A list may be behind for a moment, so it is looked at again after one second, and after two more."""


def settle(create: Callable[[], T], find: Callable[[], T | None]) -> T:
    """Create an object once, whatever becomes of the answers.

    Args:
        create: sends the request; it raises an ambiguous error when the object may have been made all the same.
        find: looks for an object like it that was not there before, in a list that is read anew.

    Raises:
        errors.PartlyCreatedError: the object may be there, and looking for it failed too.
        errors.Error: it was not made.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return create()
        except errors.Error as error:
            if not errors.is_ambiguous(error):
                raise
            found = _look(find, error)
            if found is not None:
                return found
            if attempt == _ATTEMPTS or not errors.may_repeat(error, idempotent=True):
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _look(find: Callable[[], T | None], lost: errors.Error) -> T | None:
    for look in range(_LOOKS):
        if look:
            transport.pause(look)
        try:
            found = find()
        except errors.Error as error:
            raise errors.PartlyCreatedError(
                f"{lost} Looking whether it is there failed too: {error} "
                "If it is there, set adopt=True to take it over."
            ) from None
        if found is not None:
            return found
    return None
