"""The report, and that no output contains a secret."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from omni_pulumi.api.exchange import Exchange
from omni_pulumi.api.request import Request
from omni_pulumi.doctor import report
from omni_pulumi.doctor.checks import Traffic
from omni_pulumi.simulator import (
    CONNECTION_ID,
    GENERATED,
    STAGING_CONNECTION_ID,
    LightdashSimulator,
    OmniSimulator,
    faults,
)
from tests.export.estate import TOKENS, fill_lightdash, fill_omni
from tests.subcommand import Run

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def fill(omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """Create objects with secrets, and a connection that has all settings."""
    fill_omni(omni, connections=2)
    fill_lightdash(lightdash, projects=1)
    omni.configure_dbt(CONNECTION_ID)
    omni.set_environment_user_attribute(CONNECTION_ID, "environment", ["production"])
    omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID, ["staging"])


def test_dialect(run: Run, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """The report says which dialect the instance has, where Omni's documentation contradicts itself."""
    fill(omni, lightdash)
    found = json.loads(run("--report").out)["omni"]["dialect"]
    generated = omni.dialect == GENERATED
    assert found == {
        "user attribute of a connection": omni.dialect.user_attribute_field,
        "default values of the user attribute": "list, null" if generated else "null, string",
        "list of dbt environments": "pageInfo, records" if generated else "a list",
        "list of connection environments": "200" if generated else "404",
        "a single connection": "404" if generated else "200",
        "list of users": "200",
        "errors": found["errors"],
    }
    assert found["errors"] == ("detail, status" if generated else "error, message")


def test_the_report_is_anonymous(run: Run, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """The report has fields and types of each response, and no name, ID, URL or value."""
    fill(omni, lightdash)
    ended = run("--report")
    content = json.loads(ended.out)
    sent = {f"{each.method} {UUID.sub('{id}', each.path)}" for each in [*omni.requests, *lightdash.requests]}
    found = [each for service in ("omni", "lightdash") for each in content[service]["responses"]]
    assert {each["request"] for each in found} == sent
    fields = {each["request"]: each["content"] for each in found if each["status"] == 200}
    assert fields["GET /api/v1/connections"]["connections"][0]["name"] == "string"
    environments = fields["GET /api/v1/connections/{id}/dbt/environments"]
    (environment,) = environments["records"] if isinstance(environments, dict) else environments
    assert environment["variables"][0]["value"] == "null or string"

    text = ended.out + ended.err
    assert not UUID.search(text)
    assert "://" not in text
    assert "127.0.0.1" not in text
    names = {each.name for each in omni.snapshot().connections.values()} | {"Production", "Finance", "finance", "acme"}
    assert [name for name in names if json.dumps(name)[1:-1] in text] == []


def test_secrets(run: Run, omni: OmniSimulator, lightdash: LightdashSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """No output contains a key, a token or the value of a variable, also not after an error."""
    fill(omni, lightdash)
    hidden = [omni.api_key, lightdash.api_key, *TOKENS.values(), "hidden-password"]
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hidden-password@127.0.0.1:1")
    for arguments in ([], ["--json"], ["--report"]):
        outputs = [run(*arguments)]
        omni.inject(faults.Status(500, processed=False, path="/dbt$"), faults.expired_token(after=3))
        lightdash.inject(faults.Status(401, processed=False, times=None))
        outputs.append(run(*arguments))
        omni.clear_faults()
        lightdash.clear_faults()
        monkeypatch.setenv("OMNI_PULUMI_LOG", "debug")
        outputs.append(run(*arguments))
        monkeypatch.delenv("OMNI_PULUMI_LOG")
        text = "".join(ended.out + ended.err for ended in outputs)
        assert [each for each in hidden if each in text] == []


def test_a_name_that_looks_like_a_secret(run: Run, omni: OmniSimulator) -> None:
    """The name of a connection that looks like a secret is not shown."""
    omni.rename_connection(CONNECTION_ID, TOKENS["by its value"])
    ended = run("omni", "--connection", CONNECTION_ID, "--connection", "Nope")
    assert TOKENS["by its value"] not in ended.out + ended.err


def test_the_log(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stderr is empty, also without a list of connection environments. ``OMNI_PULUMI_LOG=debug`` logs each request."""
    monkeypatch.setattr(logging.getLogger("omni_pulumi"), "handlers", [])  # pytest may have added its own
    assert run("omni").err == run("omni", "--report").err == ""
    monkeypatch.setenv("OMNI_PULUMI_LOG", "debug")
    assert "GET /api/v1/connections" in run("omni").err


def exchange(content: object, headers: Mapping[str, str] | None = None) -> Exchange:
    """Return an exchange."""
    request = Request(method="GET", path="/api/v1/connections", operation="read")
    return Exchange(request, 200, httpx.Headers(headers), content)


@pytest.mark.parametrize(
    ("contents", "shape"),
    [
        (
            [{"connections": [{"id": 1}, {"id": "a", "x": True}]}],
            {"connections": [{"id": "number or string", "x?": "boolean"}]},
        ),
        ([{"values": {"a customer": 1}}], {"values": "object"}),
        ([{"a customer": 1}], {"(another name)": "number"}),
        ([{"records": []}, {"records": [{"id": "a"}]}], {"records": [{"id": "string"}]}),
        ([{"results": {"a": None}}, {"results": []}], {"results": "list or object"}),
        ([{"tags": ["a", {"b": 1}]}], {"tags": ["object or string"]}),
        ([{"data": {"id": 1}}, {}], {"data?": {"id": "number"}}),
        ([{}, {"data": {"id": 1}}], {"data?": {"id": "number"}}),
        ([{}, {"records": ["a"]}, {"records": []}], {"records?": ["string"]}),
        ([{"x": 1}, {}, {"x": "a"}], {"x?": "number or string"}),
        ([[]], []),
    ],
)
def test_shapes(contents: list[Any], shape: object) -> None:
    """Responses of one endpoint are described together. A field that one of them lacks has a question mark.

    Keys that a user may have chosen are left out.
    """
    described = report.to_json({"lightdash": [exchange(content) for content in contents]}, [])
    (response,) = described["lightdash"]["responses"]
    assert response["content"] == shape


@pytest.mark.parametrize(
    ("connections", "types"),
    [
        ([{}], "missing"),
        ([{"userAttributeValuesForDefaultEnvironment": None}], "null"),
        ([{"userAttributeValuesForDefaultEnvironment": "a,b"}, {}], "missing, string"),
        ([], "none"),
    ],
)
def test_default_values(connections: list[object], types: str) -> None:
    """A connection without default values may have ``null`` or no field, which the report tells apart."""
    described = report.to_json({"omni": [exchange({"connections": connections})]}, [])
    assert described["omni"]["dialect"]["default values of the user attribute"] == types


def test_rate_limit_headers() -> None:
    """The headers of the last response about a rate limit are kept."""
    first, second = {"X-RateLimit-Remaining": "9", "Date": "now"}, {"X-RateLimit-Remaining": "8"}
    traffic = Traffic([exchange({}, first), exchange({}, second), exchange({})])
    assert traffic.rate_limit_headers() == {"x-ratelimit-remaining": "8"}


def test_no_response() -> None:
    """A report without responses says that nothing was asked."""
    (found,) = {*report.to_json({"omni": []}, [])["omni"]["dialect"].values()} - {"none"}
    assert found == "not asked"
