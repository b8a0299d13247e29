"""What each resource option does with the real engine: one program, two updates, and what the services have then.

All tests read one run of the program, since each command takes seconds.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pytest

from omni_pulumi.simulator import CONNECTION_ID, PROJECT_ID, LightdashSimulator, OmniSimulator
from tools.pulumi_cli import PulumiCli, Result

pytestmark = pytest.mark.slow

PROGRAM = '''
import json
import pathlib

import pulumi
from pulumi import ResourceOptions as Options

from omni_pulumi import DbtConfiguration, DbtEnvironment, LightdashDbtSource
from omni_pulumi.dynamic.options import OptionError
from omni_pulumi.simulator import CONNECTION_ID, PROJECT_ID

ROUND = json.loads(pathlib.Path("round.json").read_text())
VALUE = ROUND["value"]
HERE = pathlib.Path.cwd()


def note(file, text):
    """Keep what the program's own process sees, for the test."""
    with (HERE / file).open("a") as notes:
        notes.write(text + "\\n")


def environment(resource_name, opts=None, **arguments):
    given = {
        "connection_id": CONNECTION_ID,
        "name": resource_name,
        "target_schema": VALUE,
        "variables": {"MY_TOKEN_x": VALUE, "a.b": VALUE, "OTHER": VALUE},
        **arguments,
    }
    return DbtEnvironment(resource_name, **given, opts=Options.merge(Options(depends_on=[dbt] if dbt else []), opts))


def transformation(args):
    return pulumi.ResourceTransformationResult(
        args.props, Options.merge(args.opts, Options(ignore_changes=["target_schema"]))
    )


def stack_transformation(args):
    if args.name != "transformations":
        return None
    return pulumi.ResourceTransformationResult(
        args.props, Options.merge(args.opts, Options(additional_secret_outputs=["environment_id"]))
    )


def transform(args):
    args.opts.ignore_changes = ["targetSchema"]
    return pulumi.ResourceTransformResult(args.props, args.opts)


def hook(args):
    note("hooks.txt", f"{args.name} {args.old_outputs is not None}")


class Team(pulumi.ComponentResource):
    def __init__(self):
        super().__init__("acme:index:Team", "team")


def declare():
    environment("plain")
    ignored = ["target_schema", "variables.MY_TOKEN_x", 'variables["a.b"]', "variables.IN_one", "variables.IN_two"]
    values = {"MY_TOKEN_x": VALUE, "a.b": VALUE, f"IN_{VALUE}": VALUE, "OTHER": VALUE}
    environment("ignore_changes", Options(ignore_changes=ignored), variables=values)
    environment("ignore_all", Options(ignore_changes=["*"]))
    LightdashDbtSource(
        "ignore_nested",
        project_uuid=PROJECT_ID,
        name="ignore_nested",
        dbt_connection={
            "type": "github",
            "repository": "acme/dbt",
            "branch": VALUE,
            "project_sub_path": f"/{VALUE}",
            "personal_access_token": "github_pat",
        },
        opts=Options(ignore_changes=["dbt_connection.project_sub_path"]),
    )
    options = Options(additional_secret_outputs=["target_role"])
    secret = environment("additional_secret_outputs", options, target_role="not-for-everybody")
    pulumi.export("additional_secret_outputs", secret.target_role)
    environment("hide_diffs", Options(hide_diffs=["target_schema", "variables.MY_TOKEN_x"]))
    environment("custom_timeouts", Options(custom_timeouts=pulumi.CustomTimeouts(create="5m")))
    trigger = environment("replacement_trigger", Options(replacement_trigger=VALUE, delete_before_replace=True))
    environment("replace_with", Options(replace_with=[trigger], delete_before_replace=True))
    environment("delete_before_replace", Options(replacement_trigger=VALUE, delete_before_replace=True))
    environment("replaced_by_command", Options(delete_before_replace=True))
    environment("adopting", Options(replacement_trigger=VALUE), adopt=True)
    environment("protect", Options(protect=True))
    team = Team()
    environment("parent", Options(parent=team))
    transformed = environment("transformations", Options(transformations=[transformation]))
    pulumi.export("transformations", transformed.environment_id)
    environment("transforms", Options(transforms=[transform]))
    environment("hooks", Options(hooks=pulumi.ResourceHookBinding(before_create=[hook], after_update=[hook])))
    if VALUE == "one":
        environment("retain_on_delete", Options(retain_on_delete=True))
        group = environment("deleted_group")
        environment("deleted_with", Options(deleted_with=group))
        environment("old_alias", name="aliases")
    else:
        environment("aliases", Options(aliases=[pulumi.Alias(name="old_alias")]), name="aliases")
    by_urn = trigger.urn.apply(lambda urn: environment("urn", Options(urn=urn)).environment_id)
    pulumi.export("urn", [by_urn, trigger.environment_id])


def refuse():
    dynamic = pulumi.ProviderResource("pulumi-python", "dynamic")
    refused = {
        "provider": Options(provider=dynamic),
        "providers": Options(providers=[dynamic]),
        "import_": Options(import_="an-id"),
        "id": Options(id="an-id"),
        "replace_on_changes": Options(replace_on_changes=["target_schema"]),
        "version": Options(version="1.2.3"),
        "plugin_download_url": Options(plugin_download_url="https://example.com"),
        "env_var_mappings": Options(env_var_mappings={"A": "B"}),
        "ignore_changes": Options(ignore_changes=["target_shema"]),
        "additional_secret_outputs": Options(additional_secret_outputs=["variables.OTHER"]),
        "hide_diffs": Options(hide_diffs=["target_shema"]),
    }
    for option, opts in refused.items():
        try:
            environment(f"refused_{option}", opts)
        except OptionError as error:
            note("refused.txt", json.dumps([option, error.option, str(error)]))


if pulumi.get_stack() == "reader":
    dbt = None
    if VALUE == "uncaught":
        environment("uncaught", Options(import_="an-id"))
    elif VALUE == "migrations":
        environment("state_migrations", Options(state_migrations=[lambda args: None]))
    else:
        written = pulumi.StackReference("organization/engine/test")
        pulumi.export("secret", written.get_output("additional_secret_outputs"))
        pulumi.export("plain", written.get_output("plain"))
else:
    pulumi.runtime.register_stack_transformation(stack_transformation)
    dbt = DbtConfiguration(
        "dbt",
        connection_id=CONNECTION_ID,
        ssh_url="git@github.com:acme/dbt.git",
        branch="main",
        autogen_relationships=True,
        enable_virtual_schemas=False,
    )
    pulumi.export("plain", VALUE)
    declare()
    refuse()
'''

SECRET = "not-for-everybody"

REFUSED = {
    "import_": 'adopt="existing"',
    "id": 'adopt="existing"',
    "replace_on_changes": "replacement_trigger",
    "version": "second provider process",
    "plugin_download_url": "second provider process",
    "env_var_mappings": "profile",
    "provider": "profile",
    "providers": "profile",
}
"""Options that are refused, and a word of what to do."""

NAMES = {
    "ignore_changes": "target_schema",
    "hide_diffs": "target_schema",
    "additional_secret_outputs": "variables.OTHER",
}
"""Options that take names of properties, and what the refusal of a wrong name says."""


@dataclass
class Life:
    """What the commands printed, and what there was after each.

    Attributes:
        environments: what Omni has, by name, after each update.
        states: Pulumi's resources, by name, after each update.
    """

    project: PulumiCli
    omni: OmniSimulator
    lightdash: LightdashSimulator
    results: dict[str, Result] = field(default_factory=dict)
    environments: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    states: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    requests: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)

    def run(self, step: str, *arguments: str, value: str) -> None:
        """Run a command on the program of a value."""
        (self.project.project / "round.json").write_text(json.dumps({"value": value}))
        self.results[step] = self.project.run(*arguments)

    def up(self, value: str, *options: str) -> None:
        """Update, and remember what there is afterwards."""
        seen = len(self.omni.requests)
        self.run(value, "up", "--yes", "--diff", *options, value=value)
        assert self.results[value].status == 0, self.results[value].output
        self.requests[value] = [(request.method, request.path) for request in self.omni.requests[seen:]]
        self.environments[value] = {each["name"]: each for each in self.omni.environments(CONNECTION_ID)}
        resources = self.project.export()["deployment"]["resources"]
        self.states[value] = {resource["urn"].rpartition("::")[2]: resource for resource in resources}

    def schemas(self, name: str) -> list[str]:
        """The target schema that Omni has of an environment after each update."""
        return [found[name]["target_schema"] for found in self.environments.values() if name in found]

    def ids(self, name: str) -> list[str]:
        """The ID of an environment in Omni after each update."""
        return [found[name]["id"] for found in self.environments.values() if name in found]

    def notes(self, file: str) -> list[str]:
        """What the program noted."""
        return (self.project.project / file).read_text().splitlines()


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """The program's life: two updates, a second stack that reads the first one, and the end."""
    folder = tmp_path_factory.mktemp("options")
    (folder / "Pulumi.yaml").write_text("name: engine\nruntime: python\n")
    (folder / "__main__.py").write_text(PROGRAM)
    with OmniSimulator() as omni, LightdashSimulator() as lightdash:
        env = {
            "OMNI_BASE_URL": omni.url,
            "OMNI_API_KEY": omni.api_key,
            "OMNI_REQUESTS_PER_MINUTE": "6000",
            "LIGHTDASH_URL": lightdash.url,
            "LIGHTDASH_API_KEY": lightdash.api_key,
        }
        life = Life(PulumiCli(folder, stack="test", env=env), omni, lightdash)
        life.project.create_stack()
        life.up("one")
        life.up("two", "--skip-preview", "--replace", life.states["one"]["replaced_by_command"]["urn"])
        life.outputs = json.loads(life.project.must("stack", "output", "--json", "--show-secrets"))
        (life.source,) = lightdash.sources(PROJECT_ID)
        life.project.must("stack", "init", "reader")
        reader = ("--stack", "reader")
        life.run("reader", "up", "--yes", "--skip-preview", *reader, value="two")
        life.run("uncaught", "preview", *reader, value="uncaught")
        life.run("migrations", "preview", *reader, value="migrations")
        life.run("destroy", "destroy", "--yes", "--skip-preview", value="two")
        yield life


def variables(environment: dict[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in environment["variables"]}


def test_every_option_has_a_test() -> None:
    """Each option of the installed Pulumi has a test in this module."""
    options = set(inspect.signature(pulumi.ResourceOptions.__init__).parameters) - {"self"}
    tests = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert options - tests - REFUSED.keys() == set()


@pytest.mark.parametrize("option", [*REFUSED, *NAMES])
def test_refused(life: Life, option: str) -> None:
    """An option that does not work is refused when the resource is declared, and the error says what to do."""
    (error,) = {error for declared, _, error in map(json.loads, life.notes("refused.txt")) if declared == option}
    assert f"refused_{option}" in error
    assert option in error
    assert {**REFUSED, **NAMES}[option] in error
    assert f"refused_{option}" not in life.states["one"]


def test_refusal_is_one_sentence(life: Life) -> None:
    """A refusal that the program does not catch ends the command, without a traceback."""
    result = life.results["uncaught"]
    assert result.status != 0
    assert 'DbtEnvironment "uncaught": import_' in result.output
    assert "Traceback" not in result.output


def test_ignore_changes(life: Life) -> None:
    """Ignored properties and variables, in Python's spelling, are not changed, added or removed; the others are."""
    assert life.schemas("ignore_changes") == ["one", "one"]
    expected = {"MY_TOKEN_x": "one", "a.b": "one", "IN_one": "one", "OTHER": "two"}
    assert variables(life.environments["two"]["ignore_changes"]) == expected
    assert life.schemas("plain") == ["one", "two"]


def test_ignore_all_changes(life: Life) -> None:
    """``*`` ignores every change."""
    assert life.schemas("ignore_all") == ["one", "one"]
    assert set(variables(life.environments["two"]["ignore_all"]).values()) == {"one"}


def test_ignore_changes_below_a_property(life: Life) -> None:
    """A property of ``dbt_connection`` is ignored in Python's spelling."""
    connection = life.source["connection"]
    assert (connection["branch"], connection["project_sub_path"]) == ("two", "/one")


def test_additional_secret_outputs(life: Life) -> None:
    """The output is secret in the state and where the program exports it, in a preview too; the input is not."""
    state = life.states["two"]["additional_secret_outputs"]
    assert "ciphertext" in state["outputs"]["targetRole"]
    assert state["inputs"]["targetRole"] == SECRET
    assert life.outputs["additional_secret_outputs"] == SECRET
    shown = life.results["one"].output
    assert shown.count("additional_secret_outputs: [secret]") == 2, "in the preview and in the update"
    assert f'additional_secret_outputs: "{SECRET}"' not in shown


def test_hide_diffs(life: Life) -> None:
    """The changed value is not shown, in Python's spelling too, and is updated."""
    assert "targetSchema (hidden)" in life.results["two"].output
    assert "variables.MY_TOKEN_x (hidden)" in life.results["two"].output
    assert life.schemas("hide_diffs") == ["one", "two"]


def test_custom_timeouts(life: Life) -> None:
    """A warning names the setting that exists, and the resource is created and updated."""
    assert "custom_timeouts" in life.results["one"].output
    assert "totalTimeout" in life.results["one"].output
    assert life.schemas("custom_timeouts") == ["one", "two"]


def test_replacement_trigger(life: Life) -> None:
    """Another value replaces the resource."""
    before, after = life.ids("replacement_trigger")
    assert before != after
    assert life.schemas("replacement_trigger") == ["one", "two"]


def test_replacement_trigger_with_adopt(life: Life) -> None:
    """A replacement adopts what the old resource had, so the object stays and is updated."""
    before, after = life.ids("adopting")
    assert before == after
    assert life.schemas("adopting") == ["one", "two"]


def test_replace_by_command(life: Life) -> None:
    """``pulumi up --replace`` replaces the resource that it names."""
    before, after = life.ids("replaced_by_command")
    assert before != after
    assert life.schemas("plain") == ["one", "two"]


def test_replace_with(life: Life) -> None:
    """The resource is replaced together with another one."""
    before, after = life.ids("replace_with")
    assert before != after


def test_delete_before_replace(life: Life) -> None:
    """The old environment is deleted before the new one of the same name is created."""
    path = f"/api/v1/connections/{CONNECTION_ID}/dbt/environments"
    before, after = life.ids("delete_before_replace")
    requests = life.requests["two"]
    assert before != after
    assert ("POST", path) in requests[requests.index(("DELETE", f"{path}/{before}")) :]


def test_retain_on_delete(life: Life) -> None:
    """A resource that leaves the program leaves the state, and Omni keeps the environment."""
    assert "retain_on_delete" not in life.states["two"]
    assert "retain_on_delete" in life.environments["two"]


def test_deleted_with(life: Life) -> None:
    """No request deletes the resource when the other one is deleted."""
    assert {"deleted_with", "deleted_group"} & life.states["two"].keys() == set()
    assert {"deleted_with", "deleted_group"} & life.environments["two"].keys() == {"deleted_with"}


def test_protect(life: Life) -> None:
    """A protected resource is not deleted."""
    assert life.results["destroy"].status != 0
    names = {environment["name"] for environment in life.omni.environments(CONNECTION_ID)}
    assert "protect" in names
    assert "plain" not in names


def test_parent(life: Life) -> None:
    """The parent is a part of the URN."""
    assert "acme:index:Team$pulumi-python:dynamic/omni:DbtEnvironment" in life.states["two"]["parent"]["urn"]


def test_depends_on(life: Life) -> None:
    """The resource depends on another one, and is created after it."""
    assert life.states["one"]["plain"]["dependencies"] == [life.states["one"]["dbt"]["urn"]]
    paths = [path for method, path in life.requests["one"] if method in {"PUT", "POST"}]
    assert paths[0] == f"/api/v1/connections/{CONNECTION_ID}/dbt"


def test_aliases(life: Life) -> None:
    """A resource under another name keeps its object."""
    before, after = life.ids("aliases")
    assert before == after
    assert "old_alias" not in life.states["two"]
    assert life.schemas("aliases") == ["one", "two"]


def test_transformations(life: Life) -> None:
    """What a transformation of the resource or of the stack adds is translated too."""
    assert life.schemas("transformations") == ["one", "one"]
    assert "ciphertext" in life.states["two"]["transformations"]["outputs"]["environmentId"]


def test_transforms(life: Life) -> None:
    """A transform names properties in camelCase."""
    assert life.schemas("transforms") == ["one", "one"]


def test_hooks(life: Life) -> None:
    """Hooks run in the program, before a create and after an update."""
    assert life.notes("hooks.txt") == ["hooks False", "hooks True"]


def test_urn(life: Life) -> None:
    """A resource that the same update has registered is read from the state."""
    read, registered = life.outputs["urn"]
    assert read == registered
    assert life.ids("replacement_trigger")[-1] == read
    assert "urn" not in life.states["two"]


def test_state_migrations(life: Life) -> None:
    """A CLI that knows no state migrations says so."""
    result = life.results["migrations"]
    assert (result.status == 0) != ("does not support state migrations" in result.output)


def test_stack_reference(life: Life) -> None:
    """Another stack reads the outputs, and a secret one stays secret."""
    result = life.results["reader"]
    assert result.status == 0, result.output
    assert 'plain : "two"' in result.output
    assert "secret: [secret]" in result.output
    assert SECRET not in result.output
