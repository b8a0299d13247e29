"""The checks of a Lightdash instance."""

from __future__ import annotations

import pytest

from omni_pulumi.doctor.checks import MOST_PARENTS
from omni_pulumi.simulator import (
    LIGHTDASH_VERSIONS,
    OTHER_PROJECT_ID,
    PROJECT_ID,
    LightdashSimulator,
    OmniSimulator,
    faults,
)
from tests.doctor.conftest import Diagnose
from tests.export.estate import SOURCE


@pytest.fixture
def omni(omni_services: dict[str, OmniSimulator]) -> OmniSimulator:
    """An empty Omni of one dialect, because the dialect does not matter here."""
    service = omni_services["pages"]
    service.reset()
    return service


def test_an_admin(diagnose: Diagnose, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """The token of an admin has no problem. The command sends two requests, and one for each project."""
    lightdash.add_source(PROJECT_ID, "finance", SOURCE)
    found = diagnose("lightdash")
    assert (found.status, found.of("version").result) == (0, lightdash.version)
    assert [found.of("dbt sources", project).status for project in (PROJECT_ID, OTHER_PROJECT_ID)] == ["ok", "ok"]
    assert found.of("dbt sources", PROJECT_ID).result.startswith("1 ")
    assert [request.method for request in lightdash.requests] == ["GET"] * 4
    assert omni.requests == []


@pytest.mark.parametrize(
    ("options", "status"), [([], "warning"), (["--project", PROJECT_ID], "problem")], ids=["all", "named"]
)
@pytest.mark.parametrize("token", [LightdashSimulator.viewer_token, LightdashSimulator.developer_token])
def test_a_token_that_may_only_read(
    diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch, token: str, options: list[str], status: str
) -> None:
    """A project that the token may not manage is a problem if it is named."""
    monkeypatch.setenv("LIGHTDASH_API_KEY", token)
    assert diagnose("lightdash", *options).of("dbt sources", PROJECT_ID).status == status


@pytest.mark.parametrize(
    "fault",
    [
        faults.Status(404, processed=False, path="/user$", times=None),
        faults.Close(processed=False, path="/user$", times=None),
    ],
    ids=["404", "lost"],
)
def test_unknown_permissions(diagnose: Diagnose, lightdash: LightdashSimulator, fault: faults.Fault) -> None:
    """Without the permissions of the token, what it may write stays unknown."""
    lightdash.inject(fault)
    found = diagnose("lightdash")
    assert (found.status, found.of("dbt sources", PROJECT_ID).status) == (0, "info")


def test_a_token_without_projects(diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that sees no project is a problem."""
    monkeypatch.setenv("LIGHTDASH_API_KEY", LightdashSimulator.member_token)
    assert diagnose("lightdash").problems == ["projects"]


def test_an_unknown_project(diagnose: Diagnose) -> None:
    """A project that does not exist is a problem that names those that do."""
    found = diagnose("--project", "Financ", "--project", PROJECT_ID)
    (problem,) = (each for each in found.json["checks"] if each["status"] == "problem")
    assert problem["check"] == "projects"
    assert '"Finance"' in problem["result"]


@pytest.mark.parametrize(
    ("token", "fact"), [(LightdashSimulator.expired_token, "LIGHTDASH_API_KEY"), ("ldsvc_x", "service account")]
)
def test_a_refused_token(diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch, token: str, fact: str) -> None:
    """An expired token is a problem, and so is the token of a service account, which the advice names."""
    monkeypatch.setenv("LIGHTDASH_API_KEY", token)
    found = diagnose("lightdash")
    assert (found.problems, "401" in found.of("key").result, fact in found.of("key").advice) == (["key"], True, True)


def test_a_lightdash_without_dbt_sources(diagnose: Diagnose, lightdash: LightdashSimulator) -> None:
    """A Lightdash without the endpoints of dbt sources is a problem. The advice names a version that has them."""
    lightdash.inject(faults.Status(404, processed=False, path="/dbt-sources$", times=None))
    found = diagnose("lightdash").of("dbt sources", PROJECT_ID)
    assert (found.status, LIGHTDASH_VERSIONS[0] in found.advice) == ("problem", True)


@pytest.mark.parametrize(
    "fault",
    [
        faults.Status(500, processed=False, path=f"{PROJECT_ID}/dbt-sources$"),
        faults.Close(processed=False, path=f"{PROJECT_ID}/dbt-sources$"),
    ],
    ids=["500", "lost"],
)
def test_an_error_of_one_project(diagnose: Diagnose, lightdash: LightdashSimulator, fault: faults.Fault) -> None:
    """An error of one project, or a response that is lost, is a problem, and the other project is checked."""
    lightdash.inject(fault)
    found = diagnose("lightdash")
    assert found.of("reached").status == "ok"
    assert found.of("dbt sources", PROJECT_ID).status == "problem"
    assert found.of("dbt sources", OTHER_PROJECT_ID).status == "ok"


def test_credentials_that_cannot_be_decrypted(diagnose: Diagnose, lightdash: LightdashSimulator) -> None:
    """Stored credentials that Lightdash cannot decrypt are a warning."""
    lightdash.break_credentials(lightdash.add_source(PROJECT_ID, "finance", SOURCE))
    assert diagnose("lightdash").of("credentials", PROJECT_ID).status == "warning"


def test_preview_projects(diagnose: Diagnose, lightdash: LightdashSimulator) -> None:
    """A preview project is checked only if it is named."""
    preview = lightdash.add_project("A preview", is_preview=True)
    assert preview not in {each["subject"] for each in diagnose("lightdash").json["checks"]}
    assert diagnose("lightdash", "--project", preview).of("dbt sources", preview).status == "ok"


def test_many_projects(diagnose: Diagnose, lightdash: LightdashSimulator) -> None:
    """Of many projects the first ten by name are checked."""
    for number in range(20):
        lightdash.add_project(f"Project {number}")
    found = diagnose("lightdash")
    assert sum(each["check"] == "dbt sources" for each in found.json["checks"]) == MOST_PARENTS
    assert len(lightdash.requests) == MOST_PARENTS + 2
