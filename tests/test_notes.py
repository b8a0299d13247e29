"""A provider's note is the same after it was written to stderr and read again."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_pulumi.notes import CHANGES, PREFIX, Note, changes, parse
from omni_pulumi.redact import mask_urls

NOTE = changes("it", ["a"], resource_id="https://me:pw@host/7", properties=["a"])
FORGED = f'x {{"note": "{CHANGES}", "id": "other", "properties": ["a"]}}'
names = st.text(max_size=20) | st.sampled_from([FORGED, "line\nbreak", '"quotes"', "ü", "\u2028", "https://u@h"])


@given(resource_id=names, properties=st.lists(names, min_size=1, max_size=3))
def test_round_trip(resource_id: str, properties: list[str]) -> None:
    """A note has one line and keeps its data, whatever an ID or a name contains, a forged note included."""
    note = changes(resource_id, properties, resource_id=resource_id, properties=properties)
    line = f"{PREFIX}{note}"
    parsed = parse(line)
    assert parsed is not None
    assert (parsed.kind, parsed.resource_id, parsed.properties) == (CHANGES, resource_id, tuple(properties))
    assert line.splitlines() == [line]


def test_sentence_comes_first() -> None:
    """People read the object and the names, as their program spells them, before the data."""
    names, properties = ["secret_variables.A", "secret_variables.B"], ["secretVariables.A", "secretVariables.B"]
    line = str(changes("it", names, resource_id="7", properties=properties))
    assert line.startswith("it: secret_variables.A, secret_variables.B ")
    assert line.endswith("}")


def test_masked_line_is_still_a_note() -> None:
    """The log handler masks the user part of a URL, and the line can still be parsed."""
    line = mask_urls(f"{PREFIX}{NOTE}")
    assert "pw" not in line
    assert parse(line) == Note("it: a changes", CHANGES, "https://[secret]@host/7", ("a",))


@pytest.mark.parametrize(
    "text",
    [
        "dbt environment X is adopted",
        'x {"note": "changes"',
        'x {"note": "changes"}',
        'x {"note": 7, "id": "7", "properties": []}',
        'x {"note": "changes", "id": "7", "properties": "a"}',
        'x {"note": "changes", "id": "7", "properties": [7]}',
        'x {"note": "changes", "id": "7", "properties": []} and more',
        'x {"note": ' + "[" * 100_000,
    ],
)
def test_sentence_without_data(text: str) -> None:
    """A line without valid data is a sentence, and nothing of it is lost."""
    assert parse(f"{PREFIX}{text}") == Note(text)


@pytest.mark.parametrize("line", ["", "Traceback", f" {PREFIX}x", str(NOTE)])
def test_line_of_another_program(line: str) -> None:
    """Only a line with the prefix is a note."""
    assert parse(line) is None


def test_logger_formats_a_note() -> None:
    """A note is formatted when a handler needs it, like any argument of a log call."""
    record = logging.LogRecord("x", logging.INFO, "x", 1, "%s", (NOTE,), None)
    assert record.getMessage() == str(NOTE)
