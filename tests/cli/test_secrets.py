"""The comment contains no secret, and no text leaves its cell, whatever the preview contains."""

from __future__ import annotations

import json
from collections.abc import Callable
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
    """Return all plain texts of secrets in a value."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in plain_texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in plain_texts(item)]
    return [value] if isinstance(value, str) and "hush" in value else []


@given(old=inputs, new=inputs, operation=st.sampled_from(["update", "replace", "create", "delete", "refresh"]))
def test_no_secret(old: dict[str, Any], new: dict[str, Any], operation: str) -> None:
    """No part of the comment contains a secret, even if an error message quotes it."""
    quotes = [text for text in plain_texts([old, new]) if "hush" in text]
    errors = [{"severity": "error", "message": f"cannot use {text}!"} for text in quotes if not text.startswith('{"')]
    refreshed = {"op": "refresh", **states(old, old)}
    text = summary(read(digest(refreshed, {"op": operation, **states(old, new)}, diagnostics=errors)))
    assert "hush" not in text


@given(old=inputs, new=inputs)
def test_cells(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Each row of a table has as many cells as its header, and values have no effect as Markdown or HTML."""
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
    """Foreign messages and names break no table and have no effect as HTML."""
    urn = f"{URN}{name}"
    violation = {"policyName": policy, "resourceUrn": urn, "enforcementLevel": "mandatory", "message": f"x\n{message}"}
    warning = {"severity": "warning", "message": message}
    failed = {"severity": "error", "message": message, "urn": urn}
    events = [{"policyEvent": violation}, {"diagnosticEvent": warning}, {"diagnosticEvent": failed}]
    text = summary(read("\n".join(json.dumps({"sequence": n, **event}) for n, event in enumerate(events))))
    comment = parse(text)
    assert [len(cells) for cells in comment.tables[0]] == [4, 4]
    assert "<script" not in comment.html


def test_no_mention() -> None:
    """A policy's text mentions no user and links no issue."""
    violation = {
        "policyName": "p",
        "resourceUrn": URN,
        "enforcementLevel": "advisory",
        "message": "ask @octocat, see #1",
    }
    text = summary(read(json.dumps({"sequence": 0, "policyEvent": violation})))
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
        ({"a": "ghp_0123456789hush"}, {"a": "main"}, [("a", "[secret]", "[secret]")]),
        ({"a": "db://me:hu/sh@w"}, {"a": "db://me:hu/sh2@w"}, [("a", "[secret]", "[secret]")]),
        (
            {"a": {**SECRET, "plaintext": '"x1"'}},
            {"a": {**SECRET, "plaintext": '"x2"'}},
            [("a", "[secret]", "[secret]")],
        ),
        ({"a": {**SECRET, "plaintext": '"x1"'}}, {"a": {**SECRET, "plaintext": '"x1"'}}, []),
    ],
)
def test_masks(old: Any, new: Any, shown: list[tuple[str, str, str]]) -> None:
    """If one side is secret, both are masked. Two masked values count as equal, and plain texts are compared."""
    decoder = Decoder()
    changes = list(decoder.changes(decoder.decode(old), decoder.decode(new)))
    assert [(change.path, str(change.before), str(change.after)) for change in changes] == shown


def test_passwords_of_urls() -> None:
    """The user part of a URL is masked in rows, drifts and messages, and a change of it alone is a remark."""
    old, new = ({"variables": {"URL": f"db://me:{password}@w/db", "N": 1}} for password in ("hush", "hush2"))
    refreshed = {"op": "refresh", **states(old, old)}
    errors = [{"severity": "error", "message": "cannot open db://me:hush2@w/db"}]
    text = summary(read(digest(refreshed, {"op": "update", **states(old, new)}, diagnostics=errors)))
    assert "hush" not in text
    assert parse(text).tables[0][1][2:] == [
        "variables.URL",
        "db://[secret]@w/db",
        "db://[secret]@w/db another value",
    ]
    created = summary(read(digest({"op": "create", **states({}, new)})))
    assert "db://[secret]@w/db" in created
    assert "hush" not in created


def test_repr_contains_no_secret() -> None:
    """The repr of a value contains no secret."""
    decoder = Decoder()
    value = decoder.decode({"a": {**SECRET, "plaintext": '"hush"'}})
    assert isinstance(value["a"], Secret)
    assert "hush" not in repr(value)


@pytest.mark.parametrize("name", ["SNOWFLAKE_PASSWORD_DEV", "DBT_TOKEN_PROD", "API_KEY_EU", "SECRET_SALT"])
@pytest.mark.parametrize("variables", ["variables", "environment"])
def test_variables_that_the_policy_reports_are_masked(variables: str, name: str) -> None:
    """A variable whose name the policy ``no-plain-secrets`` reports is masked, also inside a connection."""
    decoder = Decoder()
    value = decoder.decode({"dbtConnection": {variables: {name: "hush-hush", "DBT_TARGET": "dev"}}})
    assert "hush" not in repr(value)
    assert decoder.secrets == {"hush-hush"}
    assert "dev" in repr(value)


FREE_TEXTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "error": lambda text: {"diagnosticEvent": {"severity": "error", "message": text}},
    "warning": lambda text: {"diagnosticEvent": {"severity": "warning", "message": text}},
    "note": lambda text: {"diagnosticEvent": {"severity": "info#err", "message": f"omni_pulumi: {text}"}},
    "policy": lambda text: {"policyEvent": {"policyName": "p", "resourceUrn": URN, "message": text}},
    "name": lambda text: {"policyEvent": {"policyName": "p", "resourceUrn": f"{URN}{text}", "message": "x"}},
}


@pytest.mark.parametrize(
    "secret",
    ["ghp_0123456789hush", "Authorization: Bearer hush", "password=hush", "key-of-the-job-hush", '{"token": "hush"}'],
)
@pytest.mark.parametrize("kind", FREE_TEXTS)
def test_free_texts_are_masked(kind: str, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any text is masked by the form of secrets, and by the values of the secret variables of the environment."""
    monkeypatch.setenv("OMNI_API_KEY", "key-of-the-job-hush")
    event = {"sequence": 0, **FREE_TEXTS[kind](f"cannot use {secret}")}
    text = summary(read(json.dumps(event)))
    assert "hush" not in text
    assert "secret" in text


def test_a_secret_that_is_a_word_is_only_masked_in_its_place() -> None:
    """The mask of a common word in another text would show the secret."""
    lines = [
        states({"name": "main", "targetDatabase": "production", "token": value}, {"token": value})
        for value in ("main", "production")
    ]
    text = summary(read(digest(*lines)))
    assert "`main`" in text
    assert "`production`" in text
