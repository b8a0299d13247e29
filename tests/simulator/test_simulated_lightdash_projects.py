"""The list of projects of the Lightdash simulator."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from omni_pulumi.simulator import OTHER_PROJECT_ID, PROJECT_ID, LightdashSimulator

Connect = Callable[[str, str], httpx.Client]

PROJECTS = "/api/v1/org/projects"


def test_the_list_contains_all_projects(lightdash: LightdashSimulator, admin: httpx.Client) -> None:
    """The list contains the projects with their types, also those that were created later."""
    created = lightdash.add_project("Sales")
    preview = lightdash.add_project("PR 17", is_preview=True)
    results = admin.get(PROJECTS).json()["results"]
    assert [(each["projectUuid"], each["name"], each["type"]) for each in results] == [
        (PROJECT_ID, "Jaffle shop", "DEFAULT"),
        (OTHER_PROJECT_ID, "Finance", "DEFAULT"),
        (created, "Sales", "DEFAULT"),
        (preview, "PR 17", "PREVIEW"),
    ]


def test_a_created_project_has_a_primary_source(lightdash: LightdashSimulator, admin: httpx.Client) -> None:
    """A created project has only its primary source."""
    created = lightdash.add_project("Sales")
    (source,) = admin.get(f"/api/v1/projects/{created}/dbt-sources").json()["results"]
    assert (source["isPrimary"], source["type"]) == (True, "none")


def test_a_member_sees_no_project(lightdash: LightdashSimulator, connect: Connect) -> None:
    """A token without access to the projects gets an empty list, and an expired one a 401."""
    assert connect(lightdash.url, f"ApiKey {lightdash.member_token}").get(PROJECTS).json()["results"] == []
    assert connect(lightdash.url, f"ApiKey {lightdash.expired_token}").get(PROJECTS).status_code == 401
