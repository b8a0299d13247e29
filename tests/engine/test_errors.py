"""The output for an error of a provider, and the warning about an API key that is not encrypted."""

from __future__ import annotations

import pytest

from omni_pulumi.simulator import CONNECTION_ID
from tests.engine.programs import program
from tests.engine.project import Project
from tests.engine.services import Services

pytestmark = pytest.mark.slow

PROGRAM = f'''
import pulumi
from pulumi import dynamic

import omni_pulumi


class OtherProvider(dynamic.ResourceProvider):
    def create(self, props):
        raise KeyError("of another provider")


class OtherResource(dynamic.Resource):
    pass


omni_pulumi.DbtConfiguration(
    "dbt",
    connection_id="{CONNECTION_ID}",
    ssh_url="git@github.com:acme/dbt.git",
    branch="main",
    autogen_relationships=True,
    enable_virtual_schemas=False,
)
OtherResource(OtherProvider(), "other", {{}})
'''
"""A resource of this package and one of another provider, which run in the same process."""


def test_an_error_is_one_sentence(project: Project, services: Services) -> None:
    """An error of this package has no traceback. An error of another provider has one."""
    services.omni.configure_dbt(CONNECTION_ID, branch="other")
    (project.project / "__main__.py").write_text(PROGRAM)
    result = project.run("up", "--yes", "--skip-preview", "--continue-on-error")
    assert result.status != 0
    package_error, other_error = (
        next(part for part in result.output.partition("Diagnostics:")[2].split("\n\n") if f"({name})" in part).strip()
        for name in ("dbt", "other")
    )
    assert len(package_error.splitlines()) == 2, result.output
    assert CONNECTION_ID in package_error
    assert "Traceback" not in package_error
    assert [
        text for text in ("Traceback", "in create", "KeyError: 'of another provider'") if text not in other_error
    ] == []


def test_warnings_about_settings(project: Project, services: Services) -> None:
    """A key in plain text, and a setting that has no effect, cause one warning each, which says what to write."""
    project.write(program())
    encrypted = project.preview()
    assert encrypted.status == 0
    assert "apiKey" not in encrypted.output
    assert "no effect" not in encrypted.output
    plain_values = {
        "omni:apiKey": services.omni.api_key,
        "omni:timeout": "9",
        "lightdash:baseUrl": "x",
        "omni-tools:url": "x",
    }
    project.must(
        "config", "set-all", *(part for item in plain_values.items() for part in ("--plaintext", "=".join(item)))
    )
    plain = project.preview()
    assert plain.status == 0, plain.output
    assert plain.output.count("`pulumi config set --secret omni:apiKey`") == 1, plain.output
    assert "lightdash:apiKey" not in plain.output
    for setting, nearest in (("omni:timeout", "Timeout"), ("lightdash:baseUrl", "lightdash:url")):
        assert plain.output.count(f"{setting} has no effect") == 1, plain.output
        assert nearest in plain.output.partition(f"{setting} has no effect")[2][:150]
    assert "omni-tools" not in plain.output
    assert services.omni.api_key not in plain.output


PROGRAM_WITH_SOURCES = f"""
import json
import os
import pathlib

from omni_pulumi import DbtEnvironment


def environment(name, **arguments):
    return DbtEnvironment(name, connection_id="{CONNECTION_ID}", name=name, target_schema="dbt", **arguments)


role = environment("first").target_role
sources = {{
    "set": {{"secret_variables": {{"TOKEN": "made-up-token"}}, "target_role": role}},
    "environment": {{"secret_variables": {{"TOKEN": os.environ.get("NOT_SET")}}}},
    "output": {{"secret_variables": {{"TOKEN": role}}}},
    "text": {{"secret_variables": {{"TOKEN": f"x{{role}}"}}}},
}}
environment("second", **sources[json.loads(pathlib.Path("program.json").read_text())])
"""


@pytest.mark.parametrize("omni", ["pages"], indirect=True)
def test_what_requests_need_is_checked_at_preview(project: Project) -> None:
    """A preview names a file that hides a module of Python, and a proxy that httpx cannot read, in one sentence."""
    project.write({"dbt": program()["dbt"]})
    file = project.project / "sqlite3.py"
    file.write_text("")
    hidden = project.preview()
    assert hidden.status != 0
    assert "sqlite3.py hides a module" in hidden.output
    file.unlink()
    project.must("config", "set", "omni:baseUrl", "https://acme.omniapp.co")
    environment = {"https_proxy": "ftp://ann:hunter2@proxy.test", "no_proxy": "127.0.0.1,[::1]"}
    unreadable = Project(project.project, stack="test", env=environment).preview()
    assert unreadable.status != 0
    assert "https_proxy is ftp://[secret]@proxy.test" in unreadable.output
    assert "no_proxy has the entry '[::1]'" in unreadable.output
    assert "hunter2" not in unreadable.output
    assert "omni_pulumi/" not in hidden.output + unreadable.output, "no frame of a traceback is in this package"


@pytest.mark.parametrize("omni", ["pages"], indirect=True)
def test_a_source_that_is_not_set_deletes_nothing(project: Project, services: Services) -> None:
    """A variable whose source is ``None``, or an output in an f-string, is one sentence, and Omni keeps its value."""
    (project.project / "__main__.py").write_text(PROGRAM_WITH_SOURCES)
    (project.project / "program.json").write_text('"set"')
    created = project.run("up", "--yes", "--skip-preview")
    assert created.status == 0, created.output
    requests = len(services.omni.requests)
    for source, fact in (("environment", "is None"), ("output", "is None"), ("text", "pulumi.Output.concat")):
        (project.project / "program.json").write_text(f'"{source}"')
        result = project.run("up", "--yes", "--skip-preview")
        assert result.status != 0
        assert 'DbtEnvironment "second": secret_variables.TOKEN ' in result.output
        assert fact in result.output
        assert "Traceback" not in result.output
    assert len(services.omni.requests) == requests
    (second,) = (each for each in services.omni.environments(CONNECTION_ID) if each["name"] == "second")
    assert [variable["name"] for variable in second["variables"]] == ["TOKEN"]


def test_a_refused_key_is_reported_once(project: Project, services: Services) -> None:
    """The error of one resource has Omni's answer. The errors of the others refer to it."""
    names = ("one", "two", "three", "four", "five", "six")
    project.write(
        {
            name: ("DbtEnvironment", {"connection_id": CONNECTION_ID, "name": name, "target_schema": name})
            for name in names
        }
    )
    project.must("config", "set", "--secret", "omni:apiKey", "made-up-key")
    result = project.run("up", "--yes", "--skip-preview", "--continue-on-error")
    assert result.status != 0
    diagnostics = result.output.partition("Diagnostics:")[2].partition("Resources:")[0]
    errors = [line for line in diagnostics.splitlines() if "Cannot " in line]
    full = [line for line in errors if f"{services.omni.url} answered 40" in line]
    assert len(full) == 1, result.output
    assert len({line.strip() for line in errors}) == len(names), result.output
    operation = full[0].partition("Cannot ")[2].partition(":")[0]
    assert [line for line in errors if operation not in line] == []
    assert len(services.omni.requests) < len(names)
