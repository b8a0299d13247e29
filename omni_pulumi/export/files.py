"""Write the files of a project. Each one is complete before the first one is moved to its place."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from omni_pulumi.export.objects import ExportError


def require_free(directory: Path, paths: Iterable[str]) -> None:
    """Refuse a directory that has one of the files.

    Raises:
        ExportError: names the files in the way.
    """
    if directory.exists() and not directory.is_dir():
        raise ExportError(f"{directory} is a file. Name another directory.")
    existing = [path for path in paths if (directory / path).exists()]
    if existing:
        raise ExportError(
            f"{directory} has {', '.join(sorted(existing))} already. Name another directory, or overwrite with --force."
        )


def write(directory: Path, files: Mapping[str, str]) -> None:
    """Write files to a directory. They are complete before the first one is moved to its place.

    Raises:
        ExportError: the directory cannot be written.
    """
    first_new = next((each for each in [*reversed(directory.parents), directory] if not each.exists()), None)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory, prefix=".omni-pulumi-export-") as temporary:
            for path, content in files.items():
                (Path(temporary) / path).parent.mkdir(exist_ok=True)
                (Path(temporary) / path).write_text(content, encoding="utf-8", newline="\n")
            for path in files:
                (directory / path).parent.mkdir(exist_ok=True)
                (Path(temporary) / path).replace(directory / path)
    except BaseException as error:
        if first_new is not None:
            shutil.rmtree(first_new, ignore_errors=True)
        if isinstance(error, OSError):
            raise ExportError(f"Cannot write to {directory}: {error.strerror or error}.") from None
        raise
