"""Measures whether the time of a search grows linearly with the length of the text."""

from __future__ import annotations

import time
from collections.abc import Callable

LENGTH = 1_000
REPEATED_PARTS = (
    *'aA1 \n/:@-_.["`?',
    *("a.", "a:", "1.", "//", "http://a:", "a@", "TOKENS_", "NUM_A_", "-eyJabcdefgh", "-----BEGIN ", "?password="),
    *("\x1b[0;", "<{%", "omni_pulumi: a: ", "during preview: ", "[id=", "/api/v1", ".variables", 'urn:"];'),
)
"""Parts of texts that the patterns match. Each is repeated to make a long text."""
PREFIXES = ("", "https://", "omni_pulumi: ", "can't run policy ")
"""A long text begins with one of these."""
SUFFIX = "\x00"
"""A long text ends with this. Few patterns match it, so a search goes through the whole text."""


def seconds(search: Callable[[str], object], text: str) -> float:
    """Return the seconds of the processor that one search takes. Waiting for other processes does not count."""
    start = time.thread_time()
    search(text)
    return time.thread_time() - start


def is_linear(search: Callable[[str], object], prefix: str, repeated: str) -> bool:
    """Return whether a text of ten times the length takes at most fifteen times the time, or less than 0.02 seconds.

    Each text is searched several times. The shortest time counts, because other processes affect it least.
    """
    short, long = (prefix + repeated * (length // len(repeated)) + SUFFIX for length in (LENGTH, 10 * LENGTH))
    return seconds(search, long) < 0.02 or (
        min(seconds(search, long) for _ in range(5)) <= 15 * min(seconds(search, short) for _ in range(5))
    )


def slow_text(search: Callable[[str], object]) -> tuple[str, str] | None:
    """Return a prefix and a repeated part for which the search takes more than linear time, ``None`` without one."""
    slow = (
        (prefix, repeated)
        for prefix in PREFIXES
        for repeated in REPEATED_PARTS
        if not is_linear(search, prefix, repeated)
    )
    return next(slow, None)
