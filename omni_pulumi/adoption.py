"""Adopting what exists already, so that nothing that somebody else made is overwritten unseen.

A resource adopts an object when the program says so with ``adopt``. An adoption that would remove something that the
program does not declare is refused before any request that changes something.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterable, Sequence

from omni_pulumi.api.errors import AlreadyExistsError, NothingToAdoptError
from omni_pulumi.lifecycle import A, Args, S, changed_paths, describe_changes

_log = logging.getLogger(__name__)


def adopt(
    description: str,
    object_id: str,
    args: A,
    current: S,
    *,
    write: Callable[[], S],
    undeclared: Sequence[str] = (),
    way_out: str = "Declare it in the program, or remove it from the object first.",
) -> S:
    """Adopt an object that exists, and write it only when something differs.

    Args:
        description: the object, such as ``dbt environment "Staging" of connection <id>``.
        object_id: the service's ID of the object.
        args: what the program declares.
        current: what the service has.
        write: makes the object what the program declares.
        undeclared: what the object has and the program does not declare, and what a write would remove.
        way_out: what the user can do about ``undeclared``.

    Raises:
        AlreadyExistsError: the program does not say ``adopt``, or the object has something undeclared.
    """
    if not args.adopt or undeclared:
        differing = ", ".join(describe_changes(current, args, verb="now")) or "nothing"
        reason = "" if args.adopt else f" Set adopt=True to adopt it, which changes: {differing}."
        removal = f" The program does not declare {', '.join(undeclared)}, which adopting would remove. {way_out}"
        raise AlreadyExistsError(
            f"Cannot {'adopt' if args.adopt else 'create'} {description}, which exists already ({object_id})."
            f"{reason}{removal if undeclared else ''}",
            operation=f"{'adopt' if args.adopt else 'create'} {description}",
            resource_id=object_id,
            changes=changed_paths(current, args),
            undeclared=tuple(undeclared),
        )
    changes = describe_changes(current, args, verb="was")
    if not changes:
        _log.info("adopted %s (%s) unchanged", description, object_id)
        return current
    state = write()
    _log.info("adopted %s (%s): %s", description, object_id, ", ".join(changes))
    return state


def nothing_to_adopt(description: str, nearest: Iterable[str] = ()) -> NothingToAdoptError:
    """Return the error of ``adopt="existing"`` when there is no such object.

    Args:
        description: what was looked for.
        nearest: the objects that may be meant.
    """
    names = tuple(nearest)
    hint = f" The nearest are {', '.join(names)}." if names else ""
    return NothingToAdoptError(
        f"Cannot adopt {description}: it does not exist.{hint} Correct the arguments, or leave out "
        'adopt="existing" to create it.',
        operation=f"adopt {description}",
        nearest=names,
    )


def nearest_names(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that are most like a name, the nearest first."""
    return difflib.get_close_matches(name, sorted(set(names)), n=3, cutoff=0.5)


def log_created(description: str, object_id: str, args: Args) -> None:
    """Tell what ``adopt=True`` did when there was nothing to adopt."""
    if args.adopt:
        _log.info("created %s (%s): there was nothing to adopt", description, object_id)


def recreate(description: str, object_id: str, args: A, *, lost: Sequence[str] = ()) -> A:
    """Tell that an object was deleted outside Pulumi, and return the arguments to create it again with.

    Args:
        description: the object.
        object_id: the service's ID of the object.
        args: what the program declares. ``adopt="existing"`` is about the first create and does not count here.
        lost: what the object had and nobody can restore.
    """
    _log.warning(
        "%s (%s) was deleted outside Pulumi and is created again%s",
        description,
        object_id,
        f", without what only the service had: {', '.join(lost)}" if lost else "",
    )
    return args if args.adopt != "existing" else ignore_existing(description, args)


def ignore_existing(description: str, args: A) -> A:
    """Return the arguments with ``adopt=True``: ``adopt="existing"`` is about the first create, and this is another."""
    _log.warning('%s: adopt="existing" is ignored, because the resource was in the state already', description)
    return args.model_copy(update={"adopt": True})


def warn_about_kept(description: str, kept: Sequence[str]) -> None:
    """Tell that an update left alone what neither the program nor the state knows."""
    if kept:
        _log.warning(
            "%s: neither the program nor the state knows %s, so it stays as it is. Run `pulumi up --refresh` to see it "
            "and to decide about it",
            description,
            ", ".join(kept),
        )
