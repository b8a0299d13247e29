"""Adopting objects that exist, without overwriting anything unseen.

A resource adopts an object when the program sets ``adopt``. An adoption that would remove something that the program
does not declare fails before any write.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from omni_pulumi.changes import changed_paths, describe_changes
from omni_pulumi.errors import AlreadyExistsError, NothingToAdoptError
from omni_pulumi.fields import Args, State

A = TypeVar("A", bound=Args)
S = TypeVar("S", bound=State)

_log = logging.getLogger(__name__)


def describe_with_id(description: str, object_id: str) -> str:
    """Return an object in words with its ID, unless the words contain the ID already.

    Args:
        description: the object, such as ``dbt environment "Staging" of connection <id>``.
        object_id: the service's ID of the object, or its Pulumi ID, whose last part is the service's.
    """
    own_id = object_id.rpartition("/")[2]
    return description if own_id in description else f"{description} ({own_id})"


ADOPT_IF_CREATED = "If it exists, delete it, or set adopt=True to adopt it."
"""Advice for a create whose response was lost."""


LEAVE_TO_OTHERS = "To leave an argument to others, declare what the object has, and add it to ignore_changes."
"""Advice about what the program does not declare. A create does not see ``ignore_changes``."""


def adopt(
    description: str,
    object_id: str,
    args: A,
    current: S,
    *,
    write: Callable[[], S],
    undeclared: Sequence[str] = (),
    advice: str = LEAVE_TO_OTHERS,
) -> S:
    """Adopt an object that exists, and write it only if something differs.

    Args:
        description: the object, such as ``dbt environment "Staging" of connection <id>``.
        object_id: the service's ID of the object.
        args: what the program declares.
        current: what the service has.
        write: makes the object what the program declares.
        undeclared: what the object has, the program does not declare, and a write would remove.
        advice: how the user can leave ``undeclared`` to others.

    Raises:
        AlreadyExistsError: the program does not set ``adopt``, or the object has something undeclared.
    """
    if not args.adopt or undeclared:
        differing = ", ".join(describe_changes(current, args, verb="now")) or "nothing"
        reason = (
            ""
            if args.adopt
            else " It exists already. If the stack has it under another name or parent, keep it with aliases in "
            f"ResourceOptions. Otherwise set adopt=True to adopt it, which changes: {differing}."
        )
        removal = (
            f" The program does not declare {', '.join(undeclared)}, which adopting would remove. Declare what the "
            f"object has, or remove it from the object first. {advice}"
        )
        raise AlreadyExistsError(
            f"Cannot {'adopt' if args.adopt else 'create'} {describe_with_id(description, object_id)}."
            f"{reason}{removal if undeclared else ''}",
            operation=f"{'adopt' if args.adopt else 'create'} {description}",
            resource_id=object_id,
            changes=changed_paths(current, args),
            undeclared=tuple(undeclared),
        )
    changes = describe_changes(current, args, verb="was")
    if not changes:
        _log.info("adopted %s unchanged", describe_with_id(description, object_id))
        return current
    state = write()
    _log.info("adopted %s: %s", describe_with_id(description, object_id), ", ".join(changes))
    return state


def nothing_to_adopt(description: str, nearest: Iterable[str] = ()) -> NothingToAdoptError:
    """Return the error of ``adopt="existing"`` when the object does not exist.

    Args:
        description: the object.
        nearest: objects with a similar name.
    """
    names = tuple(nearest)
    hint = f" Similar objects: {', '.join(names)}." if names else ""
    return NothingToAdoptError(
        f"Cannot adopt {description}: it does not exist.{hint} Correct the arguments, or leave out "
        'adopt="existing" to create it.',
        operation=f"adopt {description}",
        nearest=names,
    )


def nearest_names(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that are most similar to a name, the most similar first."""
    return difflib.get_close_matches(name, sorted(set(names)), n=3, cutoff=0.5)


def log_created(description: str, object_id: str, args: Args, *, lost: Sequence[str] = ()) -> None:
    """Log that ``adopt=True`` created the object, because there was nothing to adopt.

    Args:
        description: the object.
        object_id: ID of the new object.
        args: what the program declares.
        lost: what the program leaves to others, so that the new object lacks it.
    """
    if args.adopt:
        _log.info(
            "created %s: there was nothing to adopt%s",
            describe_with_id(description, object_id),
            f". It lacks {', '.join(lost)}, which the program leaves to others" if lost else "",
        )


def warn_about_recreation(description: str, object_id: str, args: Args, *, lost: Sequence[str] = ()) -> None:
    """Warn that an object was deleted outside Pulumi and is created again.

    Args:
        description: the object.
        object_id: ID of the object that was deleted.
        args: what the program declares.
        lost: what the object had and cannot be restored.
    """
    _log.warning(
        "%s was deleted outside Pulumi and is recreated%s%s",
        describe_with_id(description, object_id),
        f", without what only the service knew: {', '.join(lost)}" if lost else "",
        ', although adopt is "existing". Remove adopt from the program' if args.adopt == "existing" else "",
    )


def may_create(args: A) -> A:
    """Return the arguments without ``adopt="existing"``, which applies only until the object is in the state."""
    return args.model_copy(update={"adopt": True}) if args.adopt == "existing" else args


def warn_about_kept(description: str, kept: Sequence[str]) -> None:
    """Warn that an update kept what neither the program nor the state has."""
    if kept:
        _log.warning(
            "%s: neither the program nor the state has %s, so the update keeps it. Run `pulumi up --refresh` to see it "
            "and to decide about it",
            description,
            ", ".join(kept),
        )
