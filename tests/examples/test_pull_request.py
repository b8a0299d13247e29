"""The pull request workflows of GitHub and GitLab work with a copy of the quickstart."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from omni_pulumi.simulator import CONNECTION_ID, OmniSimulator
from tests.examples.ci import GitHub, GitLab, run
from tests.examples.comments import MARKER, Comments
from tests.examples.conftest import EXAMPLES, Ci, copy

pytestmark = pytest.mark.slow

ROOT = EXAMPLES.parent
PROTECTED = "opts=pulumi.ResourceOptions(protect=True),"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with the quickstart and the resource options that the policies require."""
    folder = tmp_path / "checkout"
    copy(ROOT / "policies", folder / "policies")
    copy(EXAMPLES / "quickstart", folder / "examples" / "quickstart")
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    (folder / "requirements.txt").write_text("omni-pulumi[policies]\n")
    edit(folder, "enable_virtual_schemas=False,", f"enable_virtual_schemas=False, {PROTECTED}")
    edit(folder, "adopt=True,", f"adopt=True, {PROTECTED}")
    return folder


def edit(checkout: Path, old: str, new: str) -> None:
    """Replaces a text in the program."""
    program = checkout / "examples" / "quickstart" / "__main__.py"
    assert old in program.read_text()
    program.write_text(program.read_text().replace(old, new))


@pytest.fixture
def service(ci: Ci, checkout: Path) -> GitHub | GitLab:
    """A CI service with the example's workflow, and a stack."""
    service = ci("pull_request", checkout, PULUMI_STACK="prod")
    _, status = run(["pulumi", "stack", "init", "prod"], checkout, service.settings)
    assert status == 0
    return service


def test_pull_request_has_one_comment(service: GitHub | GitLab, checkout: Path, comments: Comments) -> None:
    """A push updates the comment. A policy violation, and a failed preview, fail the job and are in the comment."""
    ran = service.pull_request(7)
    assert [(name, job.failed) for name, job in ran.items()] == [("preview", False)], ran["preview"].log
    assert "+ 6 to create" in ran["preview"].log
    (preview,) = comments.previews
    assert preview.startswith(MARKER)
    assert "finance" in preview

    edit(checkout, '"finance"', '"sales"')
    assert not service.pull_request(7, "synchronize")["preview"].failed
    (preview,) = comments.previews
    assert "sales" in preview
    assert "finance" not in preview

    edit(checkout, 'branch="main"', 'branch="hotfix"')
    violating = service.pull_request(7, "synchronize")["preview"]
    assert violating.failed
    assert "allowed-branches" in violating.log
    (preview,) = comments.previews
    assert "allowed-branches" in preview

    (checkout / "policies" / "__main__.py").write_text("import a_module_that_is_missing")
    assert service.pull_request(7, "synchronize")["preview"].failed
    (preview,) = comments.previews
    assert "ended early" in preview

    shutil.rmtree(checkout / "policies")
    assert service.pull_request(7, "synchronize")["preview"].failed
    (preview,) = comments.previews
    assert "`prod` failed" in preview

    service.settings = {**service.settings, "PULUMI_CONFIG_PASSPHRASE": "another one"}
    assert service.pull_request(7, "synchronize")["preview"].failed
    (preview,) = comments.previews
    assert "`prod` failed" in preview

    (checkout / "summary.md").unlink()  # each job of a service has a new checkout
    (checkout / "requirements.txt").write_text("a-package-that-is-missing\n")
    assert service.pull_request(7, "synchronize")["preview"].failed
    (preview,) = comments.previews
    assert "did not start" in preview


def test_project_in_a_folder(ci: Ci, checkout: Path, tmp_path: Path, comments: Comments) -> None:
    """A project in a folder of the repository needs a change of one line."""
    (tmp_path / "repository").mkdir()
    folder = checkout.rename(tmp_path / "repository" / "infra")
    service = ci("pull_request", folder.parent, folder="infra", PULUMI_STACK="prod")
    _, status = run(["pulumi", "stack", "init", "prod"], folder, service.settings)
    assert status == 0
    assert not service.pull_request(7)["preview"].failed
    assert "finance" in comments.previews[0]


def test_events_that_start_no_job(service: GitHub | GitLab) -> None:
    """A pull request from a fork or from Dependabot, and a closed one, start no job."""
    assert service.pull_request(7, fork=True) == {}
    if isinstance(service, GitHub):
        assert service.pull_request(7, author="dependabot[bot]") == {}
    assert service.pull_request(7, "closed") == {}


def test_merge_and_nightly_job(service: GitHub | GitLab, omni: OmniSimulator, comments: Comments) -> None:
    """A merge updates the stack. The nightly job fails on drift and shows it, and the next merge corrects it."""
    assert [(name, job.failed) for name, job in service.merge().items()] == [("up", False)]
    assert (omni.dbt_configuration(CONNECTION_ID) or {})["branch"] == "main"
    assert [(name, job.failed) for name, job in service.night().items()] == [("drift", False)]

    omni.configure_dbt(CONNECTION_ID, branch="hotfix")
    drift = service.night()["drift"]
    assert drift.failed
    assert '"hotfix" => "main"' in drift.log
    if isinstance(service, GitHub):
        assert "branch" in drift.summary

    assert not service.merge()["up"].failed
    assert (omni.dbt_configuration(CONNECTION_ID) or {})["branch"] == "main"
    assert comments.previews == []
