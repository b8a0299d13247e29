"""Commands that convert a file, or stdin, and write the result to a file or stdout."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from omni_pulumi.cli.errors import InputError, PartialResultError
from omni_pulumi.text_files import read


def conversion(convert: Callable[..., str]) -> Callable[..., int]:
    """Decorate a function from a text and options to a text, which becomes a command with ``FILE`` and ``--output``."""

    @click.argument("file", default="-", type=click.Path(allow_dash=True))
    @click.option(
        "-o",
        "--output",
        default="-",
        metavar="FILE",
        type=click.Path(allow_dash=True),
        help="File to write. Default: stdout.",
    )
    @functools.wraps(convert)
    def command(file: str, output: str, **options: Any) -> int:
        name = click.get_current_context().command_path
        problem = ""
        try:
            try:
                result = convert(read(file), **options)
            except PartialResultError as error:
                result, problem = error.result, str(error)
            if output == "-":
                sys.stdout.buffer.write(result.encode())
                sys.stdout.flush()
            else:
                Path(output).write_text(result, encoding="utf-8")
        except RecursionError:
            problem = "The values in the input are nested too deeply."
        except (InputError, OSError) as error:
            problem = str(error)
        if problem:
            sys.stderr.write(f"{name}: {problem}\n")
        return 1 if problem else 0

    return command
