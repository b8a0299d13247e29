"""A picture of a terminal with what ``pulumi preview --diff --color always`` printed.

It says what Pulumi said: a secret is ``[secret]`` there unless somebody asked for ``--show-secrets``. Lines with an ID
are left out, and so is the duration: no reviewer misses them, and without them the same preview is the same picture.
"""

from __future__ import annotations

import io
import re

from omni_pulumi.cli.errors import InputError

_FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" class="{unique_id}-terminal" width="{width}" height="{height}" \
viewBox="0 0 {width} {height}" role="img">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; \
font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-family: ui-sans-serif, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; \
font-size: 18px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>\
</clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""
"""Rich's own fetches a font from elsewhere."""

_COLOURS = (
    (22, 27, 34),
    (201, 209, 217),
    [
        *((72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34)),
        *((88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196)),
    ],
    [
        *((110, 118, 129), (255, 161, 152), (86, 211, 100), (227, 179, 65)),
        *((121, 192, 255), (210, 168, 255), (86, 212, 221), (240, 246, 252)),
    ],
)
"""Background, foreground, and the eight colours, normal and bright, of GitHub's dark page."""

_LEFT_OUT = re.compile(r"^\s*(?:\[id=.*\]|Duration: .*)$")
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_CONTROLS = re.compile(
    r"\x1b(?!\[[0-9;]*m)(?:\[[0-9;?]*[A-Za-z])?|[^\t\n\r\x1b\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
"""What is neither text nor a colour, of which XML takes the least."""
_MARGIN, _WIDEST = 2, 120
"""Columns: a policy's text is one long line."""


def terminal_svg(text: str, *, title: str) -> str:
    """The picture.

    Raises:
        InputError: there is nothing to show, or rich is not installed.
    """
    try:
        from rich.console import Console
        from rich.terminal_theme import TerminalTheme
        from rich.text import Text
    except ImportError:
        raise InputError(
            'rich is not installed. Install omni-pulumi again, from the same source, with its extra "pictures".'
        ) from None
    text = _CONTROLS.sub("", text)
    lines = [line for line in text.splitlines() if not _LEFT_OUT.match(_CODES.sub("", line))]
    shown = "\n".join(lines).strip("\n")
    if not _CODES.sub("", shown).strip():
        raise InputError("Expected what `pulumi preview --diff --color always` prints, got nothing.")
    width = min(max(len(_CODES.sub("", line).expandtabs()) for line in lines) + _MARGIN, _WIDEST)
    console = Console(
        record=True,
        width=width,
        file=io.StringIO(),
        color_system="truecolor",
        force_terminal=True,
        legacy_windows=False,
    )
    console.print(Text.from_ansi(shown), overflow="fold")
    return console.export_svg(
        title=_CONTROLS.sub("", title), theme=TerminalTheme(*_COLOURS), code_format=_FORMAT, unique_id="preview"
    )
