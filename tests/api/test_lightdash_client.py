"""Lightdash's endpoints: what an error may show of a refused connection."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from omni_pulumi.api.errors import BadRequestError
from omni_pulumi.api.lightdash import LightdashClient
from omni_pulumi.api.transport import Instance
from omni_pulumi.simulator import LightdashSimulator

TOKEN = "ghp_made-up-token"


@pytest.mark.parametrize(
    "connection",
    [
        pytest.param({"type": "github", "personal_access_token": TOKEN}, id="incomplete"),
        pytest.param({"type": "svn", "personal_access_token": TOKEN, "api_key": TOKEN}, id="of no kind"),
        pytest.param({"type": TOKEN, "personal_access_token": TOKEN}, id="token as type"),
    ],
)
def test_a_refused_connection_is_not_shown(lightdash: LightdashSimulator, connection: dict[str, Any]) -> None:
    """Lightdash repeats a connection that fits no kind, token included; the error does not."""
    with closing(LightdashClient(Instance(lightdash.url, lightdash.api_key))) as client:
        with pytest.raises(BadRequestError) as caught:
            client.create_dbt_source(lightdash.project_id, "finance", connection)
        assert "dbtConnection" in str(caught.value)
        assert TOKEN not in f"{caught.value}{caught.value.detail}{vars(caught.value)}"
