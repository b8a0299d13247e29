"""An error never means that an object is gone: whatever a service answers to a read, the state is kept."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import httpx
import pytest

from omni_pulumi.api.errors import Error
from omni_pulumi.api.transport import Instance
from omni_pulumi.lifecycle import Lifecycle
from omni_pulumi.resources import connection_environment, dbt_configuration, dbt_environment, lightdash_dbt_source

UUID = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be001"

RESOURCES: dict[str, tuple[Lifecycle[Any, Any, Any], dict[str, str]]] = {
    "ConnectionEnvironment": (
        connection_environment.LIFECYCLE,
        {"baseConnectionId": UUID, "environmentConnectionId": UUID, "connectionEnvironmentId": UUID},
    ),
    "DbtConfiguration": (dbt_configuration.LIFECYCLE, {"connectionId": UUID}),
    "DbtEnvironment": (dbt_environment.LIFECYCLE, {"connectionId": UUID, "environmentId": UUID}),
    "LightdashDbtSource": (lightdash_dbt_source.LIFECYCLE, {"projectUuid": UUID, "sourceUuid": UUID}),
}
ERROR = {"error": "code", "message": "It is odd.", "detail": "It is odd."}
ANSWERS = {
    "401": httpx.Response(401, json=ERROR),
    "401 in plain text": httpx.Response(401, text="Unauthorized"),
    "403": httpx.Response(403, json=ERROR),
    "429": httpx.Response(429, json=ERROR),
    "500": httpx.Response(500, json=ERROR),
    "a proxy's 404": httpx.Response(404, html="<html></html>"),
    "a proxy's 502": httpx.Response(502, html="<html></html>"),
    "a proxy's page": httpx.Response(200, html="<html></html>"),
    "a redirect": httpx.Response(302, headers={"Location": "/login"}),
    "nothing": httpx.Response(200),
    "an empty object": httpx.Response(200, json={}),
    "null": httpx.Response(200, content=b"null"),
}


@pytest.mark.parametrize(
    ("resource", "answer"),
    [
        (resource, answer)
        for resource in RESOURCES
        for answer in ANSWERS
        if (resource, answer) != ("ConnectionEnvironment", "a proxy's 404")  # the list may be missing: state kept
    ],
)
def test_a_read_that_fails_raises(monkeypatch: pytest.MonkeyPatch, resource: str, answer: str) -> None:
    """Only an answer in the service's own form can say that an object is not there; the text is one line."""
    lifecycle, properties = RESOURCES[resource]
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda _transport, _request: ANSWERS[answer])
    state = lifecycle.state.model_validate(properties)
    instance = Instance("https://bi.acme.test", "made-up-key", total_timeout=0)
    with closing(lifecycle.connect(instance)) as client, pytest.raises(Error) as caught:
        lifecycle.read(client, state)
    assert "\n" not in str(caught.value)
