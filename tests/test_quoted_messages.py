"""The messages that the documentation quotes are those of the providers and of the policies."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from omni_pulumi import notes
from omni_pulumi.dynamic.inputs import ArgumentError
from omni_pulumi.resources.dbt_environment import DbtEnvironment, DbtEnvironmentProvider
from omni_pulumi.simulator import CONNECTION_ID, OTHER_CONNECTION_ID, OmniSimulator
from omni_pulumi.variables import SET_IN_OMNI, WAS_SECRET
from tests.servicer import ProviderError, Stack
from tests.test_docs import ROOT, blocks

PROVIDER = DbtEnvironmentProvider()
ADOPTION = (ROOT / "docs" / "adoption.md").read_text(encoding="utf-8")
SECRET = {"secretVariables": {"DBT_TOKEN": "made-up-token"}}


def environment(**changes: Any) -> dict[str, Any]:
    """Return a program with the environment of the documentation."""
    return {"connectionId": CONNECTION_ID, "name": "Staging", "targetSchema": "dbt_staging", **changes}


def words(text: str) -> str:
    """Return a text with single spaces, and with placeholders instead of UUIDs."""
    text = text.replace(CONNECTION_ID, "<connection>").replace(OTHER_CONNECTION_ID, "<new connection>")
    return " ".join(re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", text).split())


def refused(stack: Stack, program: Mapping[str, Any]) -> str:
    """Return the error of an ``up``, as the engine displays it."""
    with pytest.raises(ProviderError) as caught:
        stack.up("it", PROVIDER, program)
    return f"error: {caught.value.error}"


def test_messages_about_adoption(omni_services: dict[str, OmniSimulator], log: pytest.LogCaptureFixture) -> None:
    """A stack that does what the page describes gets each error and each log line that the page quotes."""
    omni = omni_services["generated"]
    omni.reset()
    stack = Stack({"omni:baseUrl": omni.url, "omni:apiKey": omni.api_key})
    existing = omni.add_environment(CONNECTION_ID, name="Staging", target_schema="dbt_old")
    omni.set_variable(existing, "TEAM_REGION", "eu")
    omni.set_variable(existing, "DBT_TOKEN", "set-in-omni", is_secret=True)

    errors = [
        refused(stack, environment(adopt="existing")),
        refused(stack, environment(name="Stagin", adopt="existing")),
    ]
    declared = environment(**SECRET, unmanagedVariables=["TEAM_*"])
    stack.up("it", PROVIDER, {**declared, "adopt": "existing"})
    omni.set_variable(existing, "DBT_THREADS", "8")
    stack.up("it", PROVIDER, {**declared, "targetSchema": "dbt_new"})
    stack.preview("it", PROVIDER, {**declared, "connectionId": OTHER_CONNECTION_ID})
    undeclared = environment(targetSchema="dbt_new", unmanagedVariables=["*"], adopt=True)
    Stack(stack.config).up("it", PROVIDER, undeclared)

    lines = [f"{notes.PREFIX}{record.getMessage()}" for record in log.records]
    quoted = [words(block) for block in blocks(ROOT / "docs" / "adoption.md", "text")]
    assert len(quoted) == 6
    assert [quote for quote in quoted if quote not in {*map(words, errors + lines)}] == []
    assert "the line ends with `unchanged`" in ADOPTION
    assert lines[-1].endswith(" unchanged")


def test_placeholders() -> None:
    """The page about adoption names the placeholders that a refresh stores."""
    assert f"`{SET_IN_OMNI.get_secret_value()}` or `{WAS_SECRET}`" in ADOPTION


def test_note_about_a_secret() -> None:
    """The note that the page about behaviour quotes is the one that a provider logs, without its data."""
    note = notes.changes("<object>", ["secret_variables.DBT_TOKEN"], resource_id="<id>", properties=[])
    behaviour = (ROOT / "docs" / "behaviour.md").read_text(encoding="utf-8")
    assert f"`{notes.PREFIX}{note.text} {{...}}`" in behaviour


def templates(path: Path) -> list[str]:
    """Return the sentences in a module as regular expressions, in which ``.+`` stands for an inserted value."""
    nodes = [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    texts = [node.values for node in nodes if isinstance(node, ast.JoinedStr)]
    texts += [[node] for node in nodes if isinstance(node, ast.Constant)]
    return [
        "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in text)
        for text in texts
        if any(isinstance(part, ast.Constant) and ". " in str(part.value) for part in text)
    ]


def test_messages_of_policies() -> None:
    """The messages in the comment on the page about pull requests are those of the policies."""
    page = (ROOT / "docs" / "pull-requests.md").read_text(encoding="utf-8")
    rows = re.findall(r"^> \| \**(?:mandatory|advisory)\** \| `([\w-]+)` \| [^|]+ \| (.+) \|$", page, re.MULTILINE)
    assert rows
    for policy, message in rows:
        module = ROOT / "omni_pulumi" / "policies" / "rules" / f"{policy.replace('-', '_')}.py"
        text = re.sub(r"\\(.)", r"\1", message)
        assert any(re.fullmatch(template, text) for template in templates(module)), f"{policy}: {text}"


def test_the_message_about_a_source_that_is_not_set() -> None:
    """The page quotes what a program with a variable that is ``None`` gets."""
    with pytest.raises(ArgumentError) as caught:
        DbtEnvironment(
            "staging",
            connection_id="",
            name="",
            target_schema="",
            secret_variables={"DBT_TOKEN": None},  # type: ignore[dict-item]
        )
    assert words(f"error: {caught.value}") in words((ROOT / "docs" / "behaviour.md").read_text(encoding="utf-8"))
