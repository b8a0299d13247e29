"""Finds at preview what an operation could not import, although a preview imports no client."""

from __future__ import annotations

import contextlib
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

from omni_pulumi.errors import ConfigurationError, Error

_PACKAGES = ("httpx", "opentelemetry", "pyrate_limiter")
"""The packages that only clients import."""


def check(connect: Callable[[], object]) -> None:
    """Check that a client can be imported.

    It is only imported when a package is missing, or when a file beside the program hides a module.

    Args:
        connect: imports and returns the client.

    Raises:
        ConfigurationError: names the file to rename, or the package that is missing.
        Error: the client cannot be created.
    """
    hiding = [*_hiding()]
    if not hiding and all(map(PathFinder.find_spec, _PACKAGES)):
        return
    try:
        connect()
    except Error:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a module that is not the expected one may raise any error
        raise _explained(error, _run(hiding, error)) from None


def _hiding() -> Iterator[str]:
    """Yield the files beside the program, and in ``PYTHONPATH``, that hide a module of Python or of a package."""
    library = sysconfig.get_path("stdlib")
    first = sys.path.index(library) if library in sys.path else 0
    for folder in sys.path[:first]:
        with contextlib.suppress(OSError):
            for name in sorted({path.name.partition(".")[0] for path in Path(folder).iterdir()}):
                found, hidden = (PathFinder.find_spec(name, path) for path in ([folder], sys.path[first:]))
                if found and hidden and found.origin and hidden.origin not in {None, found.origin}:
                    yield found.origin


def _run(files: Sequence[str], error: BaseException) -> list[str]:
    """Return the files that were imported, or that an import which failed has run."""
    run = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}
    run |= {str(getattr(module, "__file__", None)) for module in [*sys.modules.values()]}
    return [os.path.relpath(file).removesuffix("__init__.py") for file in files if file in run]


def _explained(error: BaseException, files: Sequence[str]) -> ConfigurationError:
    kind = type(error).__name__
    if not files:
        return ConfigurationError(
            f"A package that requests need cannot be imported ({kind}: {error}). Install omni-pulumi again with its "
            "dependencies.",
            settings=(),
        )
    return ConfigurationError(
        " ".join(f"{file} hides a module of the same name, which requests need ({kind}). Rename it." for file in files),
        settings=tuple(files),
    )
