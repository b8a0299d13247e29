"""Shows foreign text in Markdown literally.

A code span shows everything literally except line breaks, runs of backticks and, in a table, pipes, so values are in
code spans. Other text is escaped. GitHub links ``@name`` and ``#1`` even behind a backslash, so an invisible character
separates them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_INVISIBLE = "\N{ZERO WIDTH SPACE}"
_CONTEXT = 20
"""Characters shown before the first difference of two long values."""


def code(text: str) -> str:
    """Return a code span that can stand in a table."""
    if not text:
        return ""
    text = visible(text).replace("|", r"\|")
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def prose(text: str) -> str:
    """Return one line of escaped text that can stand in a table."""
    text = re.sub(r"([\\`*_\[\]<>|~$&]|(?<=:)/)", r"\\\1", visible(" ".join(text.split())))
    return re.sub(r"([@#])", rf"\1{_INVISIBLE}", text)


def block(text: str, language: str = "text") -> str:
    """Return a code block."""
    text = "\n".join(visible(line) for line in text.splitlines())
    fence = "`" * max(3, max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence}{language}\n{text}\n{fence}\n"


def row(cells: Sequence[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |"


def details(title: str, text: str) -> str:
    """Return a collapsed section."""
    return f"<details>\n<summary>{title}</summary>\n\n{text}\n</details>\n"


def visible(text: str) -> str:
    """Return a text with escape sequences for invisible characters, which may end a line or reverse the direction."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shorten(text: str, limit: int) -> str:
    """Return a text with at most ``limit`` characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def shorten_both(before: str, after: str, limit: int) -> tuple[str, str]:
    """Return two values with at most ``limit`` characters each, around their first difference."""
    common = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    start = common - _CONTEXT if common > _CONTEXT and max(len(before), len(after)) > limit else 0
    lead = "…" if start else ""
    return shorten(lead + before[start:], limit), shorten(lead + after[start:], limit)
