"""Whether the time that a search takes grows with the text, and not with its square."""

from __future__ import annotations

import time
from collections.abc import Callable

LENGTH = 1_000
ATTACKS = (
    *'aA1 \n/:@-_.["`?',
    *("a.", "a:", "1.", "//", "http://a:", "a@", "TOKENS_", "NUM_A_", "-eyJabcdefgh", "-----BEGIN ", "?password="),
    *("\x1b[0;", "<{%", "omni_pulumi: a: ", "during preview: ", "[id=", "/api/v1", ".variables", 'urn:"];'),
)
"""What patterns begin, repeat and end with. Each makes a text by repetition."""
HEADS = ("", "https://", "omni_pulumi: ", "can't run policy ")
TAIL = "\x00"


def seconds(search: Callable[[str], object], text: str) -> float:
    """The time of one search."""
    start = time.perf_counter()
    search(text)
    return time.perf_counter() - start


def is_linear(search: Callable[[str], object], head: str, attack: str) -> bool:
    """Whether ten times the text takes at most fifteen times the time, or next to none.

    Compares the shortest of several times, which other processes disturb least.
    """
    short, long = (head + attack * (length // len(attack)) + TAIL for length in (LENGTH, 10 * LENGTH))
    return seconds(search, long) < 0.02 or (
        min(seconds(search, long) for _ in range(5)) <= 15 * min(seconds(search, short) for _ in range(5))
    )


def slow_text(search: Callable[[str], object]) -> tuple[str, str] | None:
    """Returns a beginning and its repeated rest for which the search takes more than linear time."""
    slow = ((head, attack) for head in HEADS for attack in ATTACKS if not is_linear(search, head, attack))
    return next(slow, None)
