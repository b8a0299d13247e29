"""No secret gets into the comment, and no text gets out of its cell, whatever a preview has."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_pulumi.cli.preview import read
from omni_pulumi.cli.summary import summary
from omni_pulumi.cli.values import Decoder, Secret
from tests.cli.markup import parse
from tests.cli.previews import URN, digest, states

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270"}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    [
        "a|b",
        "`",
        "``|`",
        "\\|",
        "x\ny",
        "<script>alert(1)</script>",
        "@octocat",
        "-->",
        "\u202eabc",
        "| | |",
        "\\",
        "#1",
    ]
)
secrets = texts.map(lambda text: f"hush{text}hush")
encoded = st.one_of(
    secrets.map(lambda text: {**SECRET, "plaintext": json.dumps(text)}),
    secrets.map(lambda text: {**SECRET, "plaintext": json.dumps({"inner": [text]})}),
    secrets.map(lambda text: {**SECRET, "plaintext": text}),
    secrets.map(lambda text: {**SECRET, "value": text}),
    secrets.map(lambda text: {SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4", "secret": True, "value": text}),
    secrets.map(lambda text: {"secretVariables": {"X": text}}),
    secrets.map(lambda text: {"personalAccessToken": text}),
    secrets.map(lambda text: {"DB_PASSWORD": text}),
    secrets.map(lambda text: {"TOKEN": [text]}),
    secrets.map(lambda text: {"apiKey": {"inner": text}}),
)
masked = st.just("[secret]") | st.just({**SECRET, "ciphertext": "[secret]"})
scalars = st.none() | st.booleans() | st.integers() | texts
values = st.recursive(
    scalars | encoded | masked, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
inputs = st.dictionaries(texts, values, max_size=4)


def plain_texts(value: Any) -> list[str]:
    """All secrets in clear in a value."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in plain_texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in plain_texts(item)]
    return [value] if isinstance(value, str) and "hush" in value else []


@given(old=inputs, new=inputs, operation=st.sampled_from(["update", "replace", "create", "delete", "refresh"]))
def test_no_secret(old: dict[str, Any], new: dict[str, Any], operation: str) -> None:
    """A secret in clear is in no part of the comment, not even where an error quotes it."""
    quotes = [text for text in plain_texts([old, new]) if "hush" in text]
    said = [{"severity": "error", "message": f"cannot use {text}!"} for text in quotes if not text.startswith('{"')]
    refreshed = {"op": "refresh", **states(old, old)}
    text = summary(read(digest(refreshed, {"op": operation, **states(old, new)}, diagnostics=said)))
    assert "hush" not in text


@given(old=inputs, new=inputs)
def test_cells(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Each line of a table has as many cells as its head, and what is shown has no effect."""
    text = summary(read(digest(states(old, new), {"op": "delete", **states(new, old)})))
    comment = parse(text)
    for table in comment.tables:
        assert {len(cells) for cells in table} == {5}
    assert sum(map(len, comment.tables)) == sum(line.startswith("|") for line in text.splitlines()) - len(
        comment.tables
    )
    assert "<script" not in comment.html
    assert "\u202e" not in text


@given(message=texts, name=texts, policy=texts)
def test_texts(message: str, name: str, policy: str) -> None:
    """Messages and names of others break no table and call nobody."""
    urn = f"{URN}{name}"
    verdict = {"policyName": policy, "resourceUrn": urn, "enforcementLevel": "mandatory", "message": f"x\n{message}"}
    said = {"severity": "warning", "message": message}
    failed = {"severity": "error", "message": message, "urn": urn}
    events = [{"policyEvent": verdict}, {"diagnosticEvent": said}, {"diagnosticEvent": failed}]
    text = summary(read("\n".join(json.dumps({"sequence": n, **event}) for n, event in enumerate(events))))
    comment = parse(text)
    assert [len(cells) for cells in comment.tables[0]] == [4, 4]
    assert "<script" not in comment.html


def test_prose_calls_nobody() -> None:
    """A name with an @ and a number with a # do not become links in a policy's text."""
    verdict = {"policyName": "p", "resourceUrn": URN, "enforcementLevel": "advisory", "message": "ask @octocat, see #1"}
    text = summary(read(json.dumps({"sequence": 0, "policyEvent": verdict})))
    assert "@octocat" not in text
    assert "#1" not in text


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ({"a": "hush"}, {"a": "[secret]"}, [("a", "[secret]", "[secret]")]),
        ({"a": "[secret]"}, {"a": "hush"}, [("a", "[secret]", "[secret]")]),
        ({"a": {"b": "hush"}}, {"a": "[secret]"}, [("a", "[secret]", "[secret]")]),
        ({"a": "[secret]"}, {"a": "[secret]"}, []),
        ({"a": ["hush", "[secret]"]}, {"a": ["hush", "x"]}, [("a", "[secret]", "[secret]")]),
        ({}, {"apiKey": "hush"}, [("apiKey", "Special.ABSENT", "[secret]")]),
        ({"hasToken": True}, {"hasToken": False}, [("hasToken", "True", "False")]),
        (
            {"a": {**SECRET, "plaintext": '"x1"'}},
            {"a": {**SECRET, "plaintext": '"x2"'}},
            [("a", "[secret]", "[secret]")],
        ),
        ({"a": {**SECRET, "plaintext": '"x1"'}}, {"a": {**SECRET, "plaintext": '"x1"'}}, []),
    ],
)
def test_masks(old: Any, new: Any, shown: list[tuple[str, str, str]]) -> None:
    """What is secret on one side is on the other; of two masks nobody knows, and plain texts are compared unseen."""
    decoder = Decoder()
    changes = list(decoder.changes(decoder.decode(old), decoder.decode(new)))
    assert [(change.path, str(change.before), str(change.after)) for change in changes] == shown


def test_secrets_hide_from_reprs() -> None:
    """A traceback or a debugger that shows the values shows no secret."""
    decoder = Decoder()
    value = decoder.decode({"a": {**SECRET, "plaintext": '"hush"'}})
    assert isinstance(value["a"], Secret)
    assert "hush" not in repr(value)
