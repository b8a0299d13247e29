"""Text that is not ours, in Markdown: shown as it is, and without effect.

A code span takes everything literally except line breaks, runs of backticks and, in a table, pipes, so values go into
code spans. Prose is escaped; GitHub looks for ``@name`` and ``#1`` in the result, so no backslash keeps it from them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_INVISIBLE = "\N{ZERO WIDTH SPACE}"
_TAIL = 20
"""Characters that two long values have in common and that are still shown."""


def code(text: str) -> str:
    """A code span, for a table too."""
    if not text:
        return ""
    text = visible(text).replace("|", r"\|")
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def prose(text: str) -> str:
    """One line of text, for a table too."""
    text = re.sub(r"([\\`*_\[\]<>|~$&]|(?<=:)/)", r"\\\1", visible(" ".join(text.split())))
    return re.sub(r"([@#])", rf"\1{_INVISIBLE}", text)


def block(text: str) -> str:
    """A block of code."""
    text = "\n".join(visible(line) for line in text.splitlines())
    fence = "`" * max(3, max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence}text\n{text}\n{fence}\n"


def row(cells: Sequence[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"


def visible(text: str) -> str:
    """A text whose invisible characters are written out: they may end a line or turn the direction."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shorten(text: str, limit: int) -> str:
    """The beginning of a long text."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def shorten_both(before: str, after: str, limit: int) -> tuple[str, str]:
    """Two long values, shortened to where they begin to differ."""
    common = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    start = common - _TAIL if common > _TAIL and max(len(before), len(after)) > limit else 0
    lead = "…" if start else ""
    return shorten(lead + before[start:], limit), shorten(lead + after[start:], limit)
