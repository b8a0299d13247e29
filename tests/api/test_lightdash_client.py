"""The Lightdash client: errors that hide tokens, and the permissions of a token."""

from __future__ import annotations

from contextlib import closing
from typing import Any
from unittest import mock

import pytest

from omni_pulumi.api.instance import Instance
from omni_pulumi.api.lightdash.client import LightdashClient
from omni_pulumi.api.lightdash.models import AbilityRule, User
from omni_pulumi.errors import BadRequestError
from omni_pulumi.simulator import LightdashSimulator

TOKEN = "ghp_made-up-token"


@pytest.mark.parametrize(
    "connection",
    [
        pytest.param({"type": "github", "personal_access_token": TOKEN}, id="incomplete"),
        pytest.param({"type": "svn", "personal_access_token": TOKEN, "api_key": TOKEN}, id="unknown type"),
        pytest.param({"type": TOKEN, "personal_access_token": TOKEN}, id="token as type"),
    ],
)
def test_an_error_hides_the_token_of_the_connection(lightdash: LightdashSimulator, connection: dict[str, Any]) -> None:
    """Lightdash's response to an invalid connection repeats the connection with its token. The error has no token."""
    with closing(LightdashClient(Instance(lightdash.url, lightdash.api_key))) as client:
        with pytest.raises(BadRequestError) as caught:
            client.create_dbt_source(lightdash.project_id, "finance", connection)
        assert "dbtConnection" in str(caught.value)
        assert TOKEN not in f"{caught.value}{caught.value.detail}{vars(caught.value)}"


PROJECT = LightdashSimulator.project_id
ORGANIZATION = "45f2492f-b1a6-44cb-b7e9-edd2e9b29ec2"


@pytest.mark.parametrize(
    ("action", "subject", "conditions", "applies"),
    [
        pytest.param("manage", "Project", {"organizationUuid": ORGANIZATION}, True, id="of the organization"),
        pytest.param("manage", "Project", {"projectUuid": PROJECT}, True, id="of the project"),
        pytest.param("manage", "Project", {"projectUuid": {"$in": ["x", PROJECT]}}, True, id="of several projects"),
        pytest.param("manage", "all", None, True, id="of everything"),
        pytest.param(["view", "manage"], ["Job", "Project"], None, True, id="lists"),
        pytest.param("manage", "Project", {"projectUuid": "x"}, False, id="of another project"),
        pytest.param("manage", "Project", {"projectUuid": {"$in": ["x"]}}, False, id="of several other projects"),
        pytest.param("manage", "Project", {"projectUuid": {"$ne": "x"}}, False, id="of an unknown operator"),
        pytest.param("manage", "Project", {"projectUuid": PROJECT, "type": "PREVIEW"}, False, id="of own previews"),
        pytest.param("view", "Project", {"projectUuid": PROJECT}, False, id="another action"),
        pytest.param("manage", "SqlRunner", {"projectUuid": PROJECT}, False, id="another subject"),
    ],
)
def test_ability_rule_applies(action: Any, subject: Any, conditions: dict[str, Any] | None, *, applies: bool) -> None:
    """A rule applies to managing a project when its action, its subject and all its conditions match."""
    rule = AbilityRule(action=action, subject=subject, conditions=conditions)
    assert rule.applies("manage", "Project", PROJECT) is applies


@pytest.mark.parametrize(
    ("token", "manages"),
    [
        (LightdashSimulator.api_key, True),
        (LightdashSimulator.developer_token, False),
        (LightdashSimulator.viewer_token, False),
        (LightdashSimulator.member_token, False),
    ],
)
def test_only_an_admin_manages_a_project(lightdash: LightdashSimulator, token: str, *, manages: bool) -> None:
    """The token of an admin may manage a project. Tokens of developers, viewers and members may not."""
    with closing(LightdashClient(Instance(lightdash.url, token))) as client:
        assert client.may_manage_project(PROJECT) is manages


@pytest.mark.parametrize(
    ("rules", "manages"),
    [
        pytest.param([False], True, id="allowed"),
        pytest.param([False, True], False, id="forbidden afterwards"),
        pytest.param([True, False], True, id="allowed again"),
        pytest.param([], None, id="no rules"),
    ],
)
def test_the_last_rule_wins(rules: list[bool], *, manages: bool | None) -> None:
    """A later rule overrides an earlier one. Without a rule it is not known whether a token may manage the project."""
    with closing(LightdashClient(Instance("https://lightdash.example", "ldpat_x"))) as client:
        user = User(abilityRules=[AbilityRule(action="manage", subject="Project", inverted=rule) for rule in rules])
        with mock.patch.object(LightdashClient, "_user", return_value=user):
            assert client.may_manage_project(PROJECT) is manages
