"""Which objects an export writes, and how the program declares them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from omni_pulumi.export import command
from omni_pulumi.export.objects import CONNECTION_ENVIRONMENT, KINDS
from omni_pulumi.simulator import (
    CONNECTION_ID,
    OTHER_CONNECTION_ID,
    OTHER_PROJECT_ID,
    OTHER_USER_ID,
    PROJECT_ID,
    STAGING_CONNECTION_ID,
    USER_ID,
    LightdashSimulator,
    OmniSimulator,
    faults,
)
from tests.export.conftest import written
from tests.export.estate import SOURCE, TOKENS, add_secrets, fill_lightdash, fill_omni
from tests.subcommand import Run


def program(run: Run, *options: str) -> str:
    """Export, and return the text of the only program."""
    ended = run("-o", "estate", "--force", *options)
    assert ended.status == 0, ended.err
    return written(Path("estate"))["__main__.py"]


def exported(run: Run, *options: str) -> set[tuple[str, str]]:
    """Export, and return kind and name of what is written."""
    objects = run("-o", "estate", "--force", "--json", *options).json["objects"]
    return {(each["kind"], each["name"]) for each in objects}


def test_fields(run: Run, omni: OmniSimulator) -> None:
    """The program has each field that differs from its default, and refers to the connection of the configuration."""
    omni.configure_dbt(
        CONNECTION_ID, ssh_url="git@github.com:acme/dbt.git", enable_semantic_layer=True, project_root_path="a/b"
    )
    fields = {"target_database": "d", "target_name": "n", "target_role": "r", "owner_id": USER_ID}
    environment = omni.add_environment(CONNECTION_ID, name="Staging 3", target_schema="s", **fields)
    omni.set_variable(environment, "DBT_TARGET", "x")
    text = program(run, "omni")
    assert (
        f'''
# dbt environment {environment}
DbtEnvironment(
    "warehouse_staging_3",
    connection_id=warehouse.connection_id,
    name="Staging 3",
    target_schema="s",
    target_database="d",
    target_name="n",
    target_role="r",
    owner_id="{USER_ID}",
    variables={{"DBT_TARGET": "x"}},
    adopt="existing",
)
'''
        in text
    )
    assert (
        """
warehouse = DbtConfiguration(
    "warehouse",
    connection_id=CONNECTIONS["Warehouse"],
    ssh_url="git@github.com:acme/dbt.git",
    branch="main",
    autogen_relationships=False,
    enable_virtual_schemas=False,
    enable_semantic_layer=True,
    project_root_path="a/b",
    adopt="existing",
    opts=pulumi.ResourceOptions(protect=True),
)
"""
        in text
    )
    assert text.count(CONNECTION_ID) == 1


def test_production_is_protected(run: Run, omni: OmniSimulator) -> None:
    """An environment with a name of a production environment is protected, and so is its dbt configuration."""
    omni.configure_dbt(CONNECTION_ID)
    (default,) = omni.environments(CONNECTION_ID)
    omni.edit_environment(default["id"], name="Default")
    assert "protect" not in program(run, "omni")
    omni.add_environment(CONNECTION_ID, name="LIVE (eu)", target_schema="a")
    assert program(run, "omni").count("protect=True") == 2
    assert program(run, "omni", "--kind", "configuration").count("protect=True") == 1


def test_connection_environments(run: Run, omni: OmniSimulator) -> None:
    """Connection environments and the attribute are written if Omni has a list, otherwise a note says so."""
    omni.set_environment_user_attribute(CONNECTION_ID, "environment", ["production", "dev"])
    environment = omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID, ["staging", "b"])
    ended = run("omni", "-o", "estate")
    text = written(Path("estate"))["__main__.py"]
    attribute = (
        '    "warehouse",\n    connection_id=CONNECTIONS["Warehouse"],\n    attribute_name="environment",\n'
        '    default_values=["dev", "production"],\n'
    )
    assert f"ConnectionEnvironmentAttribute(\n{attribute}" in text
    if not omni.dialect.connection_environment_list:
        assert ("list of connection environments" in ended.err, environment in text) == (True, False)
        return
    declared = (
        '    "warehouse_staging",\n    base_connection_id=CONNECTIONS["Warehouse"],\n'
        '    environment_connection_id=CONNECTIONS["Warehouse (staging)"],\n'
        '    user_attribute_values=["b", "staging"],\n'
    )
    assert f"# connection environment {environment}\nConnectionEnvironment(\n{declared}" in text
    assert {OTHER_CONNECTION_ID in text, STAGING_CONNECTION_ID in text} == {False, True}


def test_secrets_stay_in_omni(run: Run, omni: OmniSimulator) -> None:
    """Secret variables, and plain ones that look secret, are unmanaged. The latter are named, and no value is shown."""
    connection = omni.add_connection("Analytics")
    omni.configure_dbt(connection, ssh_url=f"https://user:{TOKENS['in a URL']}@github.com/acme/dbt")
    add_secrets(omni, connection)
    ended = run("omni", "-o", "estate")
    text = "".join(written(Path("estate")).values())
    assert '    unmanaged_variables=["DBT_TOKEN", "GLOB[[][*]]", "HARMLESS"],\n' in text
    assert '    variables={"DBT_TARGET": "plain", "EMPTY": "", "GLOBb": "not matched"},\n' in text
    assert '    ssh_url=config.require_secret("analyticsSshUrl"),\n' in text
    assert "pulumi config set --secret analyticsSshUrl" in ended.out
    assert "DBT_TOKEN, HARMLESS" in ended.err
    assert [token for token in TOKENS.values() if token in text + ended.out + ended.err] == []


def test_secrets_from_config(run: Run, omni: OmniSimulator) -> None:
    """With ``--secrets config`` secret variables come from the stack's configuration, and plain ones stay plain."""
    connection = omni.add_connection("Analytics")
    omni.configure_dbt(connection)
    add_secrets(omni, connection)
    text = program(run, "omni", "--secrets", "config")
    assert '    secret_variables={"GLOB[*]": config.require_secret("analyticsSecretsGlob")},\n' in text
    assert '        "HARMLESS": config.require_secret("analyticsSecretsHarmless"),\n' in text
    assert "unmanaged_variables" not in text


def test_names_that_are_secrets(run: Run, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """An object whose own name looks like a secret is not written, and its name is not shown."""
    token = TOKENS["by its value"]
    omni.configure_dbt(CONNECTION_ID)
    omni.add_environment(CONNECTION_ID, name=token, target_schema="a")
    base = omni.add_connection(f"https://u:{token}@host")
    omni.configure_dbt(base)
    omni.add_connection_environment(base, CONNECTION_ID)
    omni.add_connection_environment(CONNECTION_ID, base)
    lightdash.add_source(PROJECT_ID, token, SOURCE)
    ended = run("-o", "estate")
    listed = omni.dialect.connection_environment_list
    assert (ended.status, ended.err.count("skipped")) == (0, 4 if listed else 3)
    skipped = 4 if listed else 3
    assert ended.summary == f"{skipped + 2} found, 2 written, {skipped} skipped ({skipped} named above)"
    named = run("omni", "-o", "named", "--connection", base, "--kind", "configuration")
    assert (named.status, base in written(Path("named"))["__main__.py"]) == (0, True)
    assert token not in named.out + named.err + "".join(written(Path("named")).values())
    assert token not in ended.out + ended.err + "".join(written(Path("estate")).values())


def test_objects_that_no_program_can_declare(run: Run, omni: OmniSimulator) -> None:
    """An object that the check of its resource would refuse is named with the argument, and the others are written."""
    omni.configure_dbt(CONNECTION_ID)
    omni.add_environment(CONNECTION_ID, name="Broken", target_schema="")
    ended = run("omni", "-o", "estate")
    assert ended.summary == "3 found, 2 written, 1 skipped (1 named above)"
    (broken,) = (line for line in ended.err.splitlines() if '"Broken"' in line)
    assert "target_schema" in broken


def test_two_of_one_name_and_owner(run: Run, omni: OmniSimulator) -> None:
    """Environments of one name and one owner are named and not written. Those of several owners are written."""
    omni.configure_dbt(CONNECTION_ID)
    twice = {omni.add_environment(CONNECTION_ID, name="Twice", target_schema=schema) for schema in "ab"}
    mine = omni.add_environment(CONNECTION_ID, name="Twice", target_schema="a", owner_id=USER_ID)
    ended = run("omni", "-o", "estate", "--json", "--owner", "shared").json
    assert {each["id"].rpartition("/")[2] for each in ended["skipped"]} == twice
    text = program(run, "omni")
    assert [each for each in (*twice, mine) if each in text] == [mine]


def test_a_key_that_sees_only_part(run: Run, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """A connection or project that the key may not read is named, and the others are written."""
    omni.configure_dbt(CONNECTION_ID)
    omni.configure_dbt(OTHER_CONNECTION_ID)
    fill_lightdash(lightdash, projects=1)
    omni.inject(faults.Status(403, processed=False, path=f"{OTHER_CONNECTION_ID}/dbt", times=None))
    lightdash.inject(faults.Status(403, processed=False, path=f"{PROJECT_ID}/dbt-sources", times=None))
    ended = run("-o", "estate", "--json")
    assert ended.status == 0
    assert {each["id"] for each in ended.json["skipped"]} == {OTHER_CONNECTION_ID, PROJECT_ID}
    assert {each["kind"] for each in ended.json["objects"]} == {"configuration", "environment", "source"}


FILTERS: list[tuple[list[str], set[tuple[str, str]]]] = [
    (["--connection", "Warehouse", "--kind", "configuration"], {("configuration", "Warehouse")}),
    (["--connection", OTHER_CONNECTION_ID.upper(), "--kind", "configuration"], {("configuration", "Other warehouse")}),
    (["--kind", "environment", "--name", "PR_*"], {("environment", "PR_1"), ("environment", "PR_2")}),
    (["--kind", "environment", "--name", "PR_*", "--exclude", "*_2"], {("environment", "PR_1")}),
    (["--kind", "environment", "--owner", OTHER_USER_ID.upper()], {("environment", "PR_2")}),
    (["--kind", "environment", "--owner", "shared", "--exclude", "Prod*"], {("environment", "PR_1")}),
    (["--kind", "source", "--project", "Finance"], {("source", "other")}),
    (["--kind", "source", "--project", PROJECT_ID, "--name", "f*"], {("source", "finance")}),
    (["lightdash", "--exclude", "o*"], {("source", "finance")}),
    (["--kind", "attribute", "--kind", "source", "--name", "o*"], {("attribute", "Warehouse"), ("source", "other")}),
]


def test_with_the_rate_limit_on(run: Run, omni: OmniSimulator, tmp_path: Path) -> None:
    """When Omni answers 429, because another process uses the key, the export waits and writes the same files."""
    fill_omni(omni, connections=3)
    assert run("omni", "-o", "unlimited").status == 0
    omni.clear_requests()
    omni.rate_limit(5, seconds=1.0)
    assert run("omni", "-o", "limited").status == 0
    assert 429 in {request.status for request in omni.requests}
    unlimited, limited = written(tmp_path / "unlimited"), written(tmp_path / "limited")
    assert {**limited, "Pulumi.yaml": ""} == {**unlimited, "Pulumi.yaml": ""}


@pytest.mark.parametrize(("options", "expected"), FILTERS, ids=[" ".join(options) for options, _ in FILTERS])
def test_filters(
    run: Run,
    omni: OmniSimulator,
    lightdash: LightdashSimulator,
    options: list[str],
    expected: set[tuple[str, str]],
) -> None:
    """Each filter selects what it says, and two filters select what both do."""
    omni.configure_dbt(CONNECTION_ID)
    omni.configure_dbt(OTHER_CONNECTION_ID)
    omni.add_environment(CONNECTION_ID, name="PR_1", target_schema="a")
    omni.add_environment(OTHER_CONNECTION_ID, name="PR_2", target_schema="a", owner_id=OTHER_USER_ID)
    omni.set_environment_user_attribute(CONNECTION_ID, "environment")
    lightdash.add_source(PROJECT_ID, "finance", SOURCE)
    lightdash.add_source(OTHER_PROJECT_ID, "other", SOURCE)
    assert exported(run, *options) == expected


@pytest.mark.parametrize(
    ("options", "services"),
    [
        ([], {"omni", "lightdash"}),
        (["--connection", "Warehouse"], {"omni"}),
        (["--project", "Finance"], {"lightdash"}),
        (["--project", "Finance", "--connection", "Warehouse"], {"omni", "lightdash"}),
        (["--kind", "source"], {"lightdash"}),
        (["--kind", "environment"], {"omni"}),
    ],
)
def test_services(
    run: Run, omni: OmniSimulator, lightdash: LightdashSimulator, options: list[str], services: set[str]
) -> None:
    """A service that has nothing of what is selected gets no request."""
    omni.configure_dbt(CONNECTION_ID)
    lightdash.add_source(OTHER_PROJECT_ID, "finance", SOURCE)
    assert run("-o", "estate", *options).status == 0
    read = {"omni"} if omni.requests else set()
    assert read | ({"lightdash"} if lightdash.requests else set()) == services


@pytest.mark.parametrize("options", [["lightdash", "--connection", "Warehouse"], ["omni", "--kind", "source"]])
def test_options_that_exclude_each_other(run: Run, options: list[str]) -> None:
    """Options that select nothing together are an error."""
    ended = run("-o", "estate", *options)
    assert (ended.status, ended.err.count("\n")) == (command.FAILURE, 1)


def test_nothing_to_write(run: Run, tmp_path: Path, omni: OmniSimulator) -> None:
    """An export that finds nothing, or nothing that it can write, says why and ends with status 1."""
    empty = run("-o", "estate", "--kind", "environment")
    assert (empty.status, empty.err.count("\n"), empty.summary) == (command.CHANGED, 1, "0 found, 0 written, 0 skipped")
    assert "options" in empty.err
    omni.inject(faults.Status(403, processed=False, path="/dbt", times=None))
    skipped = run("omni", "-o", "estate", "--json")
    assert (skipped.status, skipped.json["objects"]) == (command.CHANGED, [])
    assert "skipped" in skipped.err.splitlines()[-1]
    for number in range(1, 7):
        omni.delete_connection(f"{CONNECTION_ID[:-1]}{number}")
    blind = run("omni", "-o", "estate")
    assert (blind.status, "The key sees no connection" in blind.err) == (command.CHANGED, True)
    assert not (tmp_path / "estate").exists()


def test_the_default_environment(run: Run, omni: OmniSimulator) -> None:
    """Omni creates the default environment in each instance, so the program adopts it or creates it."""
    omni.configure_dbt(CONNECTION_ID)
    omni.add_environment(CONNECTION_ID, name="Other", target_schema="a")
    text = program(run, "omni", "--kind", "environment")
    default = text.partition("DbtEnvironment(")[2].partition("DbtEnvironment(")[0]
    assert ("adopt=True" in default, "adopt=True may stay" in text, text.count('adopt="existing"')) == (True, True, 1)


def test_every_kind_is_written(run: Run, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """An export of the estate writes an object of each kind that the services list."""
    fill_omni(omni)
    fill_lightdash(lightdash)
    unlisted = set() if omni.dialect.connection_environment_list else {CONNECTION_ENVIRONMENT.option}
    assert {kind for kind, _name in exported(run)} == {*KINDS} - unlisted


def test_every_kind_is_an_option(run: Run) -> None:
    """``--kind`` takes every kind that an export knows."""
    assert f"--kind [{'|'.join(KINDS)}]" in run("--help").out


def test_environments_without_their_configuration(run: Run, omni: OmniSimulator) -> None:
    """An environment whose dbt configuration is not written refers to the ID of the connection."""
    omni.configure_dbt(CONNECTION_ID)
    assert '    connection_id=CONNECTIONS["Warehouse"],\n' in program(run, "omni", "--kind", "environment")


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        (["omni", "--connection", "Warehous"], ["Warehous", '"Warehouse"']),
        (["--project", "Nope"], ["Nope", '"Finance"']),
    ],
)
def test_unknown_names(run: Run, options: list[str], facts: list[str]) -> None:
    """A name that does not exist is an error that lists what does."""
    ended = run(*options)
    assert (ended.status, ended.out, ended.err.count("\n")) == (command.FAILURE, "", 1)
    assert [fact for fact in facts if fact not in ended.err] == []


def test_lightdash(run: Run, lightdash: LightdashSimulator) -> None:
    """A source keeps its stored token. The installation of Lightdash's app, which is no secret, is declared."""
    fill_lightdash(lightdash, projects=0)
    ended = run("lightdash", "-o", "estate")
    text = written(Path("estate"))["__main__.py"]
    assert (
        """    dbt_connection=GithubConnection(
        repository="acme/dbt",
        branch="main",
        project_sub_path="/",
        target="prod",
        environment={"DBT_SCHEMA": "a", "EMPTY": ""},
        installation_id="1234",
        host_domain="git.acme.io",
    ),
"""
        in text
    )
    assert '        environment={"DBT_TOKEN": config.require_secret("jaffleShopTokenDbtToken")},\n' in text
    assert "personal_access_token" not in text
    assert "pulumi config set --secret jaffleShopTokenDbtToken" in ended.out
    assert TOKENS["in an environment of Lightdash"] not in "".join(written(Path("estate")).values())
    assert 'personal_access_token=config.require_secret("jaffleShopTokenPersonalAccessToken"),' in program(
        run, "lightdash", "--secrets", "config"
    )


def test_lightdash_sources_that_cannot_be_read(run: Run, lightdash: LightdashSimulator) -> None:
    """A source whose connection cannot be decrypted, and one of another type, are named and not written."""
    broken = lightdash.add_source(PROJECT_ID, "broken", SOURCE)
    lightdash.break_credentials(broken)
    gitlab = {**SOURCE, "type": "gitlab"}
    del gitlab["authorization_method"]
    other = lightdash.add_source(PROJECT_ID, "gitlab", gitlab)
    lightdash.add_source(PROJECT_ID, "new", {"type": "quantum"})
    ended = run("lightdash", "-o", "estate", "--json").json
    assert (ended["objects"], len(ended["skipped"])) == ([], 3)
    assert [name for name in (broken, other) if name not in json.dumps(ended["skipped"])] == []
    text = program(run, "lightdash", "--secrets", "config")
    assert '    dbt_connection=GitlabConnection(\n        repository="acme/dbt",\n' in text
    assert '        personal_access_token=config.require_secret("jaffleShopGitlabPersonalAccessToken"),\n' in text


def test_environment_that_the_token_may_not_see(
    run: Run, lightdash: LightdashSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source is not written when the token may not see environment variables and the response has none.

    1.237.0 hides them from the token, 0.3277.1 shows them.
    """
    with_environment = {**SOURCE, "environment": [{"key": "A", "value": "b"}]}
    seen = lightdash.add_source(PROJECT_ID, "seen", with_environment)
    hidden = lightdash.add_source(PROJECT_ID, "hidden", SOURCE)
    monkeypatch.setenv("LIGHTDASH_API_KEY", lightdash.viewer_token)
    ended = run("lightdash", "-o", "estate", "--json").json
    shown = [seen] if lightdash.version == "0.3277.1" else []
    assert [each["name"] for each in ended["objects"]] == ["seen"] * len(shown)
    skipped = {each["id"].rpartition("/")[2] for each in ended["skipped"]}
    assert skipped == {seen, hidden} - {*shown}


def test_preview_projects(run: Run, lightdash: LightdashSimulator) -> None:
    """A preview project is read only when it is named."""
    preview = lightdash.add_project("PR 17", is_preview=True)
    lightdash.add_source(preview, "finance", SOURCE)
    assert exported(run, "lightdash") == set()
    assert exported(run, "lightdash", "--project", "PR 17") == {("source", "finance")}


def stack_of(*resources: tuple[str, str, str]) -> dict[str, Any]:
    """The output of ``pulumi stack export``, with resources of a class, a name and an ID."""
    entries = [
        {
            "urn": f"urn:pulumi:dev::p::pulumi-python:dynamic/omni:{kind}::{name}",
            "type": f"pulumi-python:dynamic/omni:{kind}",
            "id": object_id,
        }
        for kind, name, object_id in resources
    ]
    root = {"urn": "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev", "type": "pulumi:pulumi:Stack"}
    return {"version": 3, "deployment": {"resources": [root, *entries]}}


def test_not_in_stack(run: Run, tmp_path: Path, omni: OmniSimulator) -> None:
    """What a stack manages is left out, and its names are not used again."""
    omni.configure_dbt(CONNECTION_ID)
    omni.configure_dbt(OTHER_CONNECTION_ID)
    (default,) = omni.environments(CONNECTION_ID)
    stack = stack_of(
        ("DbtConfiguration", "mine", CONNECTION_ID),
        ("DbtConfiguration", "other_warehouse", "another"),
        ("DbtEnvironment", "prod", f"{OTHER_CONNECTION_ID}/{omni.environments(OTHER_CONNECTION_ID)[0]['id']}"),
    )
    (tmp_path / "stack.json").write_text(json.dumps(stack))
    ended = run("omni", "-o", "estate", "--not-in-stack", "stack.json")
    text = written(tmp_path / "estate")["__main__.py"]
    assert ended.summary == "4 found, 2 written, 2 skipped (2 already in the stack)"
    assert f'"other_warehouse_{OTHER_CONNECTION_ID[-4:]}"' in text
    assert (default["id"] in text, text.count("DbtConfiguration(")) == (True, 1)
    assert run("--check", "estate").status == 0


@pytest.mark.parametrize("content", [None, "", "[]", '{"deployment": 1}', '{"deployment": {"resources": [{}]}}'])
def test_not_a_stack(run: Run, tmp_path: Path, content: str | None) -> None:
    """A file that is no output of ``pulumi stack export`` is one sentence."""
    if content is not None:
        (tmp_path / "stack.json").write_text(content)
    ended = run("omni", "--not-in-stack", "stack.json")
    assert (ended.status, ended.err.count("\n"), "stack.json" in ended.err) == (command.FAILURE, 1, True)


def test_profile(run: Run, omni: OmniSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--profile`` reads the settings of the profile, and each resource names it."""
    omni.configure_dbt(CONNECTION_ID)
    for name, value in {"BASE_URL": omni.url, "API_KEY": omni.api_key, "REQUESTS_PER_MINUTE": "100000"}.items():
        monkeypatch.delenv(f"OMNI_{name}")
        monkeypatch.setenv(f"OMNI_EU_{name}", value)
    text = program(run, "--profile", "eu")
    assert text.count('    profile="eu",\n') == text.count("    adopt=") == 2


def test_all_of_a_page(run: Run, omni: OmniSimulator) -> None:
    """Environments on later pages are written too."""
    fill_omni(omni, connections=2, environments=120)
    environments = [each for each in exported(run, "omni") if each[0] == "environment" and each[1].startswith("Team")]
    assert len(environments) == 120
