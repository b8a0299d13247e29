"""Real instances, as the environment variables name them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from omni_pulumi.settings import LIGHTDASH, OMNI
from tests.servicer import Stack


@dataclass(frozen=True)
class Omni:
    """A real Omni: a stack for it, and requests behind the stack's back."""

    stack: Stack
    connection_id: str
    client: httpx.Client

    def get(self, path: str) -> dict[str, Any]:
        """What Omni has."""
        content: dict[str, Any] = self.client.get(path).raise_for_status().json()
        return content

    def put(self, path: str, body: dict[str, Any]) -> None:
        """Change something."""
        self.client.put(path, json=body).raise_for_status()


def omni_settings() -> Omni:
    """The Omni of ``OMNI_BASE_URL``, or a skip that names the switch."""
    given = _needed("OMNI_LIVE", "OMNI_BASE_URL", "OMNI_API_KEY", "OMNI_LIVE_CONNECTION_ID")
    config = {"omni:baseUrl": given["OMNI_BASE_URL"], "omni:apiKey": given["OMNI_API_KEY"]}
    instance = OMNI.instance(config.get, None)
    client = httpx.Client(base_url=instance.url, headers={"Authorization": f"Bearer {instance.api_key}"})
    return Omni(Stack(config), given["OMNI_LIVE_CONNECTION_ID"], client)


def lightdash_settings() -> tuple[Stack, httpx.Client, str]:
    """A stack for the Lightdash of ``LIGHTDASH_URL``, a client for it, and the project; or a skip."""
    given = _needed("LIGHTDASH_LIVE", "LIGHTDASH_URL", "LIGHTDASH_API_KEY", "LIGHTDASH_LIVE_PROJECT_UUID")
    config = {"lightdash:url": given["LIGHTDASH_URL"], "lightdash:apiKey": given["LIGHTDASH_API_KEY"]}
    instance = LIGHTDASH.instance(config.get, None)
    client = httpx.Client(base_url=instance.url, headers={"Authorization": f"ApiKey {instance.api_key}"})
    return Stack(config), client, given["LIGHTDASH_LIVE_PROJECT_UUID"]


def _needed(switch: str, *names: str) -> dict[str, str]:
    """Settings by name. A test that was asked for and cannot run fails."""
    if os.environ.get(switch) != "1":
        pytest.skip(f"runs against a real instance: set {switch}=1 and {', '.join(names)}")
    missing = [name for name in names if not os.environ.get(name)]
    assert missing == [], f"{switch}=1 needs {', '.join(missing)}"
    return {name: os.environ[name] for name in names}
