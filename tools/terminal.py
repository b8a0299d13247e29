"""Draws the output of ``pulumi preview --diff --color always`` as a terminal window, for ``make pictures``.

Lines with an ID and the duration are left out: they differ in each run.
"""

from __future__ import annotations

import io
import re

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

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
"""The SVG around the text. Rich's default downloads a font."""

_THEME = TerminalTheme(
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
"""Background, foreground, and the normal and bright colours of GitHub's dark theme."""

_OMITTED = re.compile(r"^\s*(?:\[id=.*\]|Duration: .*)$")
_ESCAPE_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_CONTROLS = re.compile(
    r"\x1b(?!\[[0-9;]*m)(?:\[[0-9;?]*[A-Za-z])?|[^\t\n\r\x1b\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
"""Control characters, most of which XML does not allow, and escape codes other than colours."""
_MARGIN, _MAX_WIDTH = 2, 120
"""Columns. Longer lines, such as policies' texts, are folded."""


def terminal_svg(text: str, *, title: str) -> str:
    """Returns the terminal window as SVG.

    Args:
        text: the output, with ANSI colours.
        title: the title of the window.

    Raises:
        ValueError: the text is empty.
    """
    text = _CONTROLS.sub("", text)
    lines = [line for line in text.splitlines() if not _OMITTED.match(_ESCAPE_CODES.sub("", line))]
    shown = "\n".join(lines).strip("\n")
    if not _ESCAPE_CODES.sub("", shown).strip():
        raise ValueError("Expected the output of `pulumi preview --diff --color always`, got nothing.")
    width = min(max(len(_ESCAPE_CODES.sub("", line).expandtabs()) for line in lines) + _MARGIN, _MAX_WIDTH)
    console = Console(
        record=True,
        width=width,
        file=io.StringIO(),
        color_system="truecolor",
        force_terminal=True,
        legacy_windows=False,
    )
    console.print(Text.from_ansi(shown), overflow="fold")
    return console.export_svg(title=_CONTROLS.sub("", title), theme=_THEME, code_format=_FORMAT, unique_id="preview")
