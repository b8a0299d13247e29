"""A transport whose requests are answered by the test instead of the network."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from omni_pulumi import errors
from omni_pulumi.api.instance import Instance
from omni_pulumi.api.request import Request
from omni_pulumi.api.transport import Transport

KEY = 'key"with\\quotes'
SECRET = 'hush"hush\\ü'
HTML = "<!DOCTYPE html>\n<html><body>Not found</body></html>"

Handler = Callable[[httpx.Request], httpx.Response]
Serve = Callable[[Handler | httpx.Response], None]


def transport_to(url: str) -> Transport:
    """Return a transport that sends each request once."""
    return Transport("Omni", Instance(url, KEY, total_timeout=0), "Bearer")


def error(transport: Transport, method: str = "GET") -> errors.Error:
    """Send a request that fails, and return its error. The text of the error is one line."""
    with pytest.raises(errors.Error) as caught:
        transport.send(Request(method=method, path="/api/v1/things", operation="list the things", secrets=(SECRET,)))
    assert "\n" not in str(caught.value)
    return caught.value
