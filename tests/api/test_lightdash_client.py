"""Lightdash's endpoints: what an error may show of a refused connection, and what a token may do."""

from __future__ import annotations

from contextlib import closing
from typing import Any
from unittest import mock

import pytest

from omni_pulumi.api.errors import BadRequestError
from omni_pulumi.api.instance import Instance
from omni_pulumi.api.lightdash.client import LightdashClient
from omni_pulumi.api.lightdash.models import AbilityRule, User
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
def test_which_rules_apply(action: Any, subject: Any, conditions: dict[str, Any] | None, *, applies: bool) -> None:
    """A rule is about managing a project when action and subject fit and all its conditions are met."""
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
def test_who_may_manage_a_project(lightdash: LightdashSimulator, token: str, *, manages: bool) -> None:
    """Of the roles only an admin manages a project."""
    with closing(LightdashClient(Instance(lightdash.url, token))) as client:
        assert client.may_manage_project(PROJECT) is manages


@pytest.mark.parametrize(
    ("rules", "manages"),
    [
        pytest.param([False], True, id="allowed"),
        pytest.param([False, True], False, id="forbidden afterwards"),
        pytest.param([True, False], True, id="allowed again"),
        pytest.param([], False, id="no rules"),
    ],
)
def test_the_last_rule_counts(rules: list[bool], *, manages: bool) -> None:
    """A later rule overrides an earlier one, and a token is not taken to manage a project when no rule says so."""
    with closing(LightdashClient(Instance("https://lightdash.example", "ldpat_x"))) as client:
        user = User(abilityRules=[AbilityRule(action="manage", subject="Project", inverted=each) for each in rules])
        with mock.patch.object(LightdashClient, "_user", return_value=user):
            assert client.may_manage_project(PROJECT) is manages
