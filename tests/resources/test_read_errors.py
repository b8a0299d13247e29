"""An error of a read never means that an object is deleted, so the resource stays in the state."""

from __future__ import annotations

from contextlib import closing

import httpx
import pytest

from omni_pulumi.api.instance import Instance
from omni_pulumi.errors import Error
from tests.catalogue import Sample, every_sample, every_sample_where

UUID = "0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be001"
ERROR = {"error": "code", "message": "Something failed.", "detail": "Something failed."}
RESPONSES = {
    "401": httpx.Response(401, json=ERROR),
    "401 in plain text": httpx.Response(401, text="Unauthorized"),
    "403": httpx.Response(403, json=ERROR),
    "429": httpx.Response(429, json=ERROR),
    "500": httpx.Response(500, json=ERROR),
    "a proxy's 502": httpx.Response(502, html="<html></html>"),
    "a proxy's page": httpx.Response(200, html="<html></html>"),
    "a redirect": httpx.Response(302, headers={"Location": "/login"}),
    "an empty body": httpx.Response(200),
    "an empty object": httpx.Response(200, json={}),
    "null": httpx.Response(200, content=b"null"),
}


@pytest.mark.parametrize("response", RESPONSES)
@every_sample
def test_failed_read_raises(monkeypatch: pytest.MonkeyPatch, sample: Sample, response: str) -> None:
    """An error response, or a success in an unknown format, raises an error with a message of one line.

    Only a complete response in the service's format shows that an object is deleted.
    """
    assert_read_raises(monkeypatch, sample, RESPONSES[response])


@every_sample_where(
    lambda sample: sample.name != "ConnectionEnvironment"
)  # a 404 may mean that Omni has no list of them
def test_a_404_of_a_proxy_raises(monkeypatch: pytest.MonkeyPatch, sample: Sample) -> None:
    """A 404 that is not in the service's format does not show that an object is deleted."""
    assert_read_raises(monkeypatch, sample, httpx.Response(404, html="<html></html>"))


def assert_read_raises(monkeypatch: pytest.MonkeyPatch, sample: Sample, response: httpx.Response) -> None:
    """Assert that a read that gets this response raises an error with a message of one line."""
    lifecycle = sample.provider.lifecycle
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda _transport, _request: response)
    state = lifecycle.state_model.model_validate({**sample.complete, sample.id_key: UUID})
    instance = Instance("https://bi.acme.test", "made-up-key", total_timeout=0)
    with closing(lifecycle.connect(instance)) as client, pytest.raises(Error) as caught:
        lifecycle.read(client, state)
    assert "\n" not in str(caught.value)
