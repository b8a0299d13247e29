"""The effect of each resource option with the real engine.

A fixture runs the commands on one program, because each command takes seconds. The tests read their results.
"""

from __future__ import annotations

import inspect
import json
import re
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

from omni_pulumi import (
    ConnectionEnvironment,
    ConnectionEnvironmentAttribute,
    DbtConfiguration,
    DbtEnvironment,
    GithubConnection,
    LightdashDbtSource,
)
from omni_pulumi.dynamic.options import OptionError
from omni_pulumi.simulator import CONNECTION_ID, DEVELOPMENT_CONNECTION_ID, PROJECT_ID, STAGING_CONNECTION_ID

VALUE = json.loads(pathlib.Path("value.json").read_text())
FOLDER = pathlib.Path.cwd()


def note(file, text):
    """Write a line for the tests to a file."""
    with (FOLDER / file).open("a") as notes:
        notes.write(text + "\\n")


def environment(resource_name, opts=None, **arguments):
    defaults = {
        "connection_id": CONNECTION_ID,
        "name": resource_name,
        "target_schema": VALUE,
        "variables": {"MY_TOKEN_x": VALUE, "a.b": VALUE, "OTHER": VALUE},
        **arguments,
    }
    return DbtEnvironment(resource_name, **defaults, opts=Options.merge(Options(depends_on=[dbt] if dbt else []), opts))


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
    secret = environment("additional_secret_outputs", options, target_role="made-up-secret")
    pulumi.export("additional_secret_outputs", secret.target_role)
    environment("hide_diffs", Options(hide_diffs=["target_schema", "variables.MY_TOKEN_x"]))
    environment("custom_timeouts", Options(custom_timeouts=pulumi.CustomTimeouts(create="5m")))
    trigger = environment("replacement_trigger", Options(replacement_trigger=VALUE))
    environment("replace_with", Options(replace_with=[trigger]))
    environment("delete_before_replace", Options(replacement_trigger=VALUE, delete_before_replace=True))
    declare_replaced()
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


def source(name, project_uuid):
    connection = GithubConnection(
        repository="acme/dbt", branch="main", project_sub_path="/", personal_access_token="github_pat"
    )
    return LightdashDbtSource(name, project_uuid=project_uuid, name=name, dbt_connection=connection)


def declare_replaced():
    """Declare resources that the command replaces, and others whose connection or project is an output of them."""
    ids = {"base_connection_id": CONNECTION_ID, "environment_connection_id": STAGING_CONNECTION_ID}
    connection = ConnectionEnvironment("replaced_connection", **ids)
    replaced = environment(
        "replaced_environment", target_schema="same", variables={}, connection_id=connection.environment_connection_id
    )
    unmanaged = {"connection_id": replaced.connection_id, "unmanaged_variables": ["TEAM_*"]}
    environment("kept_environment", target_schema="same", variables={}, **unmanaged)
    attribute = ConnectionEnvironmentAttribute(
        "replaced_attribute", connection_id=connection.base_connection_id, attribute_name="environment"
    )
    ids = {"base_connection_id": attribute.connection_id, "environment_connection_id": DEVELOPMENT_CONNECTION_ID}
    ConnectionEnvironment("kept_connection", **ids)
    source("kept_source", source("replaced_source", PROJECT_ID).project_uuid)


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

SECRET = "made-up-secret"

REPLACED = ("replaced_connection", "replaced_environment", "replaced_attribute", "replaced_source")
"""The resources that the command replaces in the second update, although no property of them changes."""

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
"""Options that are refused, and what the error says to do."""

OPTIONS_WITH_NAMES = {
    "ignore_changes": "target_schema",
    "hide_diffs": "target_schema",
    "additional_secret_outputs": "variables.OTHER",
}
"""Options that take names of properties, and what the error for a wrong name contains."""


@dataclass
class Scenario:
    """The commands that run on the program, and their results by name of the step.

    Attributes:
        project: the project.
        omni: the simulated Omni.
        lightdash: the simulated Lightdash.
        results: the output and the exit status of each command.
        environments: the dbt environments in Omni by name, after each update.
        states: the resources in the state by name, after each update.
        requests: methods and paths of the requests to Omni in each update.
        outputs: the outputs of the stack after the second update.
        source: the dbt source in Lightdash after the second update.
        replaced_ids: the Pulumi IDs of one environment after ``--target-replace`` and after ``pulumi state taint``.
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
    replaced_ids: list[str] = field(default_factory=list)

    def run(self, step: str, *arguments: str, value: str) -> None:
        """Run a command on the program with a value for its properties."""
        (self.project.project / "value.json").write_text(json.dumps(value))
        self.results[step] = self.project.run(*arguments)

    def up(self, value: str, *options: str) -> None:
        """Run ``pulumi up`` with a value for the properties, and store the results."""
        requests_before = len(self.omni.requests)
        self.run(value, "up", "--yes", "--diff", *options, value=value)
        assert self.results[value].status == 0, self.results[value].output
        self.requests[value] = [(request.method, request.path) for request in self.omni.requests[requests_before:]]
        self.environments[value] = {each["name"]: each for each in self.omni.environments(CONNECTION_ID)}
        resources = self.project.export()["deployment"]["resources"]
        self.states[value] = {resource["urn"].rpartition("::")[2]: resource for resource in resources}

    def schemas(self, name: str) -> list[str]:
        """Return the target schema of an environment in Omni after each update."""
        return [by_name[name]["target_schema"] for by_name in self.environments.values() if name in by_name]

    def ids(self, name: str) -> list[str]:
        """Return the ID of an environment in Omni after each update."""
        return [by_name[name]["id"] for by_name in self.environments.values() if name in by_name]

    def id_in_state(self, name: str) -> str:
        """Return the Pulumi ID that a resource has now."""
        resources = self.project.export()["deployment"]["resources"]
        return next(str(each["id"]) for each in resources if each["urn"].endswith(f"::{name}"))

    def notes(self, file: str) -> list[str]:
        """Return the lines that the program wrote to a file."""
        return (self.project.project / file).read_text().splitlines()


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """The results of two updates, of a second stack that reads the first one, and of a destroy."""
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
        scenario = Scenario(PulumiCli(folder, stack="test", env=env), omni, lightdash)
        scenario.project.create_stack()
        scenario.up("one")
        urns = {name: resource["urn"] for name, resource in scenario.states["one"].items()}
        replace = [option for name in REPLACED for option in ("--replace", urns[name])]
        scenario.up("two", *replace)
        scenario.outputs = json.loads(scenario.project.must("stack", "output", "--json", "--show-secrets"))
        (scenario.source,) = (each for each in lightdash.sources(PROJECT_ID) if each["name"] == "ignore_nested")
        scenario.project.must("stack", "init", "reader")
        reader = ("--stack", "reader")
        scenario.run("reader", "up", "--yes", "--skip-preview", *reader, value="two")
        scenario.run("uncaught", "preview", *reader, value="uncaught")
        scenario.run("migrations", "preview", *reader, value="migrations")
        up = ("up", "--yes", "--skip-preview")
        scenario.run("targeted", *up, "--target-replace", urns["replaced_environment"], value="two")
        scenario.replaced_ids.append(scenario.id_in_state("replaced_environment"))
        scenario.project.must("state", "taint", "--yes", urns["replaced_environment"])
        scenario.run("tainted", *up, value="two")
        scenario.replaced_ids.append(scenario.id_in_state("replaced_environment"))
        scenario.run("refused", "up", "--yes", "--skip-preview", "--replace", urns["dbt"], value="two")
        scenario.run("destroy", "destroy", "--yes", "--skip-preview", value="two")
        yield scenario


def variables(environment: dict[str, Any]) -> dict[str, str]:
    """Return the values of the variables of an environment in Omni, by name."""
    return {variable["name"]: variable["value"] for variable in environment["variables"]}


def test_every_option_has_a_test() -> None:
    """Each option of the installed Pulumi has a test in this module or is in ``REFUSED``."""
    options = set(inspect.signature(pulumi.ResourceOptions.__init__).parameters) - {"self"}
    tests = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert options - tests - REFUSED.keys() == set()


@pytest.mark.parametrize("option", [*REFUSED, *OPTIONS_WITH_NAMES])
def test_refused(scenario: Scenario, option: str) -> None:
    """An option without effect is an error when the program declares the resource, and the error says what to do."""
    (error,) = {error for declared, _, error in map(json.loads, scenario.notes("refused.txt")) if declared == option}
    assert f"refused_{option}" in error
    assert option in error
    assert {**REFUSED, **OPTIONS_WITH_NAMES}[option] in error
    assert f"refused_{option}" not in scenario.states["one"]


def test_refusal_is_one_sentence(scenario: Scenario) -> None:
    """An error about an option ends the command without a traceback."""
    result = scenario.results["uncaught"]
    assert result.status != 0
    assert 'DbtEnvironment "uncaught": import_' in result.output
    assert "Traceback" not in result.output


def test_ignore_changes(scenario: Scenario) -> None:
    """Ignored properties and variables, in snake_case, are not changed, added or removed. All others are."""
    assert scenario.schemas("ignore_changes") == ["one", "one"]
    expected = {"MY_TOKEN_x": "one", "a.b": "one", "IN_one": "one", "OTHER": "two"}
    assert variables(scenario.environments["two"]["ignore_changes"]) == expected
    assert scenario.schemas("plain") == ["one", "two"]


def test_ignore_all_changes(scenario: Scenario) -> None:
    """``*`` ignores every change."""
    assert scenario.schemas("ignore_all") == ["one", "one"]
    assert set(variables(scenario.environments["two"]["ignore_all"]).values()) == {"one"}


def test_ignore_changes_below_a_property(scenario: Scenario) -> None:
    """A property of ``dbt_connection`` is ignored, in snake_case."""
    connection = scenario.source["connection"]
    assert (connection["branch"], connection["project_sub_path"]) == ("two", "/one")


def test_additional_secret_outputs(scenario: Scenario) -> None:
    """The output is secret in the state, in exports and in previews. The input is not."""
    state = scenario.states["two"]["additional_secret_outputs"]
    assert "ciphertext" in state["outputs"]["targetRole"]
    assert state["inputs"]["targetRole"] == SECRET
    assert scenario.outputs["additional_secret_outputs"] == SECRET
    output = scenario.results["one"].output
    assert output.count("additional_secret_outputs: [secret]") == 2, "in the preview and in the update"
    assert f'additional_secret_outputs: "{SECRET}"' not in output


def test_hide_diffs(scenario: Scenario) -> None:
    """The changed value is updated and not shown, with names in snake_case."""
    assert "targetSchema (hidden)" in scenario.results["two"].output
    assert "variables.MY_TOKEN_x (hidden)" in scenario.results["two"].output
    assert scenario.schemas("hide_diffs") == ["one", "two"]


def test_custom_timeouts(scenario: Scenario) -> None:
    """A warning names ``totalTimeout``, and the resource is created and updated."""
    assert "custom_timeouts" in scenario.results["one"].output
    assert "totalTimeout" in scenario.results["one"].output
    assert scenario.schemas("custom_timeouts") == ["one", "two"]


def test_replacement_trigger(scenario: Scenario) -> None:
    """A changed value replaces the resource."""
    before, after = scenario.ids("replacement_trigger")
    assert before != after
    assert scenario.schemas("replacement_trigger") == ["one", "two"]


def test_replacement_trigger_with_adopt(scenario: Scenario) -> None:
    """With ``adopt``, a replacement adopts the object of the old resource, which is updated and not replaced."""
    before, after = scenario.ids("adopting")
    assert before == after
    assert scenario.schemas("adopting") == ["one", "two"]


def test_replace_by_command(scenario: Scenario) -> None:
    """``pulumi up --replace`` deletes and creates the resources that it names, and no others.

    The preview shows the same.
    """
    one, two = scenario.states["one"], scenario.states["two"]
    kept = [name for name in one if name.startswith("kept_")]
    assert len(kept) == 3
    for name in kept:
        assert one[name]["id"] == two[name]["id"]
    for name in ("replaced_connection", "replaced_environment", "replaced_source"):
        assert one[name]["id"] != two[name]["id"]
    requests = [method for method, path in scenario.requests["two"] if path == f"/api/v1/connections/{CONNECTION_ID}"]
    assert requests.count("PATCH") == 2, "the attribute is removed and set"
    replaced = r"\+-pulumi-python:\S+ \(replace\)\s+(?:\[id=\S+\]\s+)?\[urn=\S+::(\w+)\]"
    shown = re.findall(replaced, scenario.results["two"].output)
    assert {*REPLACED} <= {*shown}
    assert {*shown} & {*kept} == set()


def test_replace_by_target_and_taint(scenario: Scenario) -> None:
    """``pulumi up --target-replace`` and ``pulumi state taint`` replace an environment."""
    assert (scenario.results["targeted"].status, scenario.results["tainted"].status) == (0, 0)
    ids = [scenario.states["two"]["replaced_environment"]["id"], *scenario.replaced_ids]
    assert len({*ids}) == 3


def test_replacing_a_configuration(scenario: Scenario) -> None:
    """Deleting a dbt configuration loses its deploy keys, so its replacement is refused and names the option."""
    result = scenario.results["refused"]
    assert result.status != 0
    errors = [line for line in result.output.splitlines() if "Cannot create the dbt configuration" in line]
    assert [line for line in errors if "delete_before_replace=True" in line and "SSH deploy keys" in line]


def test_replace_with(scenario: Scenario) -> None:
    """The resource is replaced together with the other one."""
    before, after = scenario.ids("replace_with")
    assert before != after


def test_delete_before_replace(scenario: Scenario) -> None:
    """The old environment is deleted before the new one with the same name is created."""
    path = f"/api/v1/connections/{CONNECTION_ID}/dbt/environments"
    before, after = scenario.ids("delete_before_replace")
    requests = scenario.requests["two"]
    assert before != after
    assert ("POST", path) in requests[requests.index(("DELETE", f"{path}/{before}")) :]


def test_retain_on_delete(scenario: Scenario) -> None:
    """A resource that is removed from the program is removed from the state, and Omni keeps the environment."""
    assert "retain_on_delete" not in scenario.states["two"]
    assert "retain_on_delete" in scenario.environments["two"]


def test_deleted_with(scenario: Scenario) -> None:
    """No request deletes the resource when the other one is deleted."""
    assert {"deleted_with", "deleted_group"} & scenario.states["two"].keys() == set()
    assert {"deleted_with", "deleted_group"} & scenario.environments["two"].keys() == {"deleted_with"}


def test_protect(scenario: Scenario) -> None:
    """A protected resource is not deleted."""
    assert scenario.results["destroy"].status != 0
    names = {environment["name"] for environment in scenario.omni.environments(CONNECTION_ID)}
    assert "protect" in names
    assert "plain" not in names


def test_parent(scenario: Scenario) -> None:
    """The URN contains the parent."""
    assert "acme:index:Team$pulumi-python:dynamic/omni:DbtEnvironment" in scenario.states["two"]["parent"]["urn"]


def test_depends_on(scenario: Scenario) -> None:
    """The resource depends on another one and is created after it."""
    assert scenario.states["one"]["plain"]["dependencies"] == [scenario.states["one"]["dbt"]["urn"]]
    dbt = f"/api/v1/connections/{CONNECTION_ID}/dbt"
    writes = [path for method, path in scenario.requests["one"] if method in {"PUT", "POST"} and path.startswith(dbt)]
    assert writes[0] == dbt


def test_aliases(scenario: Scenario) -> None:
    """A renamed resource with an alias keeps its object."""
    before, after = scenario.ids("aliases")
    assert before == after
    assert "old_alias" not in scenario.states["two"]
    assert scenario.schemas("aliases") == ["one", "two"]


def test_transformations(scenario: Scenario) -> None:
    """Names that a transformation of the resource or the stack adds are translated to camelCase."""
    assert scenario.schemas("transformations") == ["one", "one"]
    assert "ciphertext" in scenario.states["two"]["transformations"]["outputs"]["environmentId"]


def test_transforms(scenario: Scenario) -> None:
    """A transform names properties in camelCase."""
    assert scenario.schemas("transforms") == ["one", "one"]


def test_hooks(scenario: Scenario) -> None:
    """Hooks run in the program, before a create and after an update."""
    assert scenario.notes("hooks.txt") == ["hooks False", "hooks True"]


def test_urn(scenario: Scenario) -> None:
    """The option ``urn`` reads the outputs of a resource of the same update. The reader is not in the state."""
    read, registered = scenario.outputs["urn"]
    assert read == registered
    assert scenario.ids("replacement_trigger")[-1] == read
    assert "urn" not in scenario.states["two"]


def test_state_migrations(scenario: Scenario) -> None:
    """The command fails only with a CLI that does not support state migrations, and says so."""
    result = scenario.results["migrations"]
    assert (result.status == 0) != ("does not support state migrations" in result.output)


def test_stack_reference(scenario: Scenario) -> None:
    """Another stack reads the outputs. A secret output stays secret."""
    result = scenario.results["reader"]
    assert result.status == 0, result.output
    assert 'plain : "two"' in result.output
    assert "secret: [secret]" in result.output
    assert SECRET not in result.output
