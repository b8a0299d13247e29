"""Commands that convert a file, or stdin, and write the result to a file or stdout."""

from __future__ import annotations

import codecs
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from omni_pulumi.cli.errors import InputError


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
        try:
            result = convert(read(file), **options)
            if output == "-":
                sys.stdout.buffer.write(result.encode())
                sys.stdout.flush()
            else:
                Path(output).write_text(result, encoding="utf-8")
        except RecursionError:
            sys.stderr.write(f"{name}: The values in the input are nested too deeply.\n")
            return 1
        except (InputError, OSError) as error:
            sys.stderr.write(f"{name}: {error}\n")
            return 1
        return 0

    return command


def read(file: str) -> str:
    """Return the text of a file, or of stdin for ``-``.

    PowerShell writes UTF-16 with a byte order mark, and ends lines with CRLF.
    """
    content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    return content.decode(encoding, errors="replace").replace("\r\n", "\n")
