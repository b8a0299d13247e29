"""The values of the stateful test. They are few, so that programs and changes outside Pulumi often have the same."""

from __future__ import annotations

from hypothesis import strategies as st

SECRET = "hush-hush-"
"""The prefix of every secret."""

words = st.sampled_from(["a", "b", "U\u0308/"])
"""Texts that each rule allows: without blanks, on one line."""
branches = st.sampled_from(["a", "b", "U\u0308"])
hosts = st.sampled_from(["a.example", "B.example"])
texts = st.sampled_from(["a", "b", "c d", "U\u0308/ "])
"""Texts in which anything is allowed."""
secrets = st.sampled_from([f"{SECRET}1", f'{SECRET}"2', f"{SECRET}ü3"])
variables = st.dictionaries(st.sampled_from(["A", "B", "C"]), texts, max_size=3)


def outside_text(number: int) -> str:
    """Return a text that is set outside Pulumi. A different number gives a different text."""
    return f'outside "{number}" ü'
