"""Adoption, undeclared variables and duplicate resources, with the real engine.

A fixture runs the commands on one stack: a preview, three updates, and programs with two resources for one object. The
tests read their results. Each command takes seconds, so its program covers many rows of the tables in the
documentation, with separate objects. One dialect is enough: Omni has a list of connection environments, and deletes
variables that an update omits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from omni_pulumi.cli.preview import read
from omni_pulumi.simulator import (
    CONNECTION_ID,
    DEVELOPMENT_CONNECTION_ID,
    GENERATED,
    OTHER_CONNECTION_ID,
    STAGING_CONNECTION_ID,
    USER_ID,
    OmniSimulator,
)
from tests.engine.programs import Arguments
from tests.engine.project import PROGRAM, Program, Project

pytestmark = pytest.mark.slow

PROGRAM_TOKEN, OMNI_TOKEN = "a-token-of-the-program", "a-token-in-omni"
SECRET = {"$secret": PROGRAM_TOKEN}
REPOSITORY: Arguments = {"branch": "main", "autogen_relationships": True, "enable_virtual_schemas": False}


def environment(name: str, **arguments: Any) -> tuple[str, Arguments]:
    """Declare a dbt environment of the first connection, with the target schema ``one``."""
    return "DbtEnvironment", {"connection_id": CONNECTION_ID, "name": name, "target_schema": "one", **arguments}


def configuration(connection_id: str, **arguments: Any) -> tuple[str, Arguments]:
    """Declare the dbt configuration of a connection."""
    url = "git@github.com:acme/dbt.git"
    return "DbtConfiguration", {"connection_id": connection_id, "ssh_url": url, **REPOSITORY, **arguments}


def connection_environment(environment_connection_id: str, **arguments: Any) -> tuple[str, Arguments]:
    """Declare a connection environment of the first connection."""
    return (
        "ConnectionEnvironment",
        {
            "base_connection_id": CONNECTION_ID,
            "environment_connection_id": environment_connection_id,
            "user_attribute_values": ["a"],
            **arguments,
        },
    )


ADOPTING: Program = {
    "unchanged": environment("unchanged", adopt=True, variables={"DBT_TARGET": "one"}),
    "differing": environment("differing", adopt=True, secret_variables={"DBT_TOKEN": SECRET}),
    "new": environment("new", adopt=True),
    "existing": environment("existing", adopt="existing"),
    "unmanaged": environment(
        "unmanaged",
        adopt=True,
        variables={"DBT_TARGET": "one"},
        unmanaged_variables=["TEAM_*", "LEGACY", "NOT_IN_OMNI"],
    ),
}
"""Resources that adopt existing objects or create new ones."""

REFUSED: Program = {
    "undeclared": environment("undeclared", adopt=True),
    "undeclared_field": configuration(OTHER_CONNECTION_ID, adopt=True),
    "undeclared_value": connection_environment(STAGING_CONNECTION_ID, adopt=True),
    "without_adopt": environment("without_adopt", secret_variables={"DBT_TOKEN": SECRET}),
    "typo": environment("Stagin 3", adopt="existing"),
    "of_another_owner": environment("owned", adopt="existing"),
    "no_configuration": configuration(DEVELOPMENT_CONNECTION_ID, adopt="existing"),
    "no_connection_environment": connection_environment(DEVELOPMENT_CONNECTION_ID, adopt="existing"),
}
"""Resources that fail before they send a write."""

DUPLICATES: Program = {
    "environment_a": environment("duplicate"),
    "environment_b": environment("duplicate", adopt=True),
    "configuration_a": configuration(STAGING_CONNECTION_ID),
    "configuration_b": configuration(STAGING_CONNECTION_ID, branch="other", adopt=True),
    "mine": environment("by profile", profile="mine"),
    "shared": environment("by profile", depends_on=["mine"]),
    "mine_with_owner": environment("by profile", owner_id=USER_ID, adopt=True, depends_on=["mine"]),
    "owner": environment("by owner", owner_id=USER_ID),
    "without_owner": environment("by owner", profile="mine", adopt=True, depends_on=["owner"]),
}
"""Two or three resources for one object. ``mine`` and ``shared`` are two objects with one name."""

UPDATED: Program = {
    "renamed": environment("renamed", secret_variables={"DBT_TOKEN": SECRET}),
    "aliased": environment("aliased"),
    "replaced": environment("replaced", unmanaged_variables=["ADDED_TOKEN"]),
    "by_command": environment("by_command", adopt=True),
    "deleted_first": environment("deleted_first", delete_before_replace=True, replacement_trigger="one"),
    "recreated": environment("recreated", adopt="existing", unmanaged_variables=["ADDED_TOKEN"]),
    "left": environment("left"),
    "right": environment("right"),
    "moved": environment("moved"),
    "unknown": environment("unknown", variables={"DBT_TARGET": "one"}),
    "triggered": environment("triggered", secret_variables={"DBT_TOKEN": SECRET}, secrets_trigger="one"),
    "ignoring": environment(
        "ignoring", secret_variables={"DBT_TOKEN": SECRET}, ignore_changes=["variables", "secret_variables"]
    ),
}
"""Resources that the second program changes."""

FIRST: Program = {**ADOPTING, **REFUSED, **DUPLICATES, **UPDATED}


def changed(program: Program, resource: str, **arguments: Any) -> tuple[str, Arguments]:
    """Return a resource of a program with changed arguments."""
    kind, current = program[resource]
    return kind, {**current, **arguments}


UNCHANGED: Program = {
    "unchanged": environment("unchanged", variables={"DBT_TARGET": "one"}),
    "differing": environment("differing", secret_variables={"DBT_TOKEN": SECRET}),
    "new": environment("new"),
    "existing": ADOPTING["existing"],
    "mine": DUPLICATES["mine"],
    "shared": DUPLICATES["shared"],
    "owner": DUPLICATES["owner"],
    "configuration_a": changed(DUPLICATES, "configuration_a", adopt=True),
}
"""Resources without a change. ``adopt`` has no effect. Either of the two dbt configurations may have been created."""

SECOND: Program = {
    **UNCHANGED,
    "unmanaged": changed(ADOPTING, "unmanaged", target_schema="two", unmanaged_variables=["TEAM_*"]),
    "renamed_2": changed(UPDATED, "renamed", adopt=True, target_schema="two"),
    "aliased_2": changed(UPDATED, "aliased", aliases=["aliased"], target_schema="two"),
    "replaced": changed(UPDATED, "replaced", connection_id=OTHER_CONNECTION_ID),
    "by_command": UPDATED["by_command"],
    "deleted_first": changed(UPDATED, "deleted_first", replacement_trigger="two"),
    "recreated": changed(UPDATED, "recreated", target_schema="two"),
    "left": changed(UPDATED, "left", name="right"),
    "right": changed(UPDATED, "right", name="left"),
    "moved": changed(UPDATED, "moved", name="moved away"),
    "newcomer": environment("moved", depends_on=["moved"]),
    "unknown": changed(UPDATED, "unknown", target_schema="two"),
    "triggered": changed(UPDATED, "triggered", secrets_trigger="two"),
    "ignoring": UPDATED["ignoring"],
}

THIRD: Program = {**SECOND, "ignoring": changed(UPDATED, "ignoring", target_schema="three")}

EXISTING_REPLACED: Program = {**THIRD, "existing": changed(ADOPTING, "existing", connection_id=OTHER_CONNECTION_ID)}

ADOPTER_AFTER_OWNER: Program = {**THIRD, "adopter": environment("new", adopt=True, depends_on=["new"])}

OWNER_AFTER_ADOPTER: Program = {
    **{name: resource for name, resource in THIRD.items() if name != "new"},
    "adopter": environment("new", adopt=True),
    "new": environment("new", depends_on=["adopter"]),
}

TWO_RESOURCES: Program = {
    "unchanged": UNCHANGED["unchanged"],
    "unchanged_again": UNCHANGED["unchanged"],
    "configuration_a": DUPLICATES["configuration_a"],
    "configuration_a_again": DUPLICATES["configuration_a"],
}

ONE_RESOURCE: Program = {name: resource for name, resource in TWO_RESOURCES.items() if name.endswith("_again")}


@dataclass
class CommandResult:
    """The result of a `pulumi` command.

    Attributes:
        status: the exit status.
        output: the output of the command.
        events: the event log of the engine.
        errors: the errors by name of the resource.
        log: the lines that the providers logged.
        requests: methods and paths of the requests to Omni.
        environments: the dbt environments in Omni after the command, by ID.
    """

    status: int
    output: str
    events: str
    errors: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)

    def logged(self, *facts: str) -> list[str]:
        """Return the lines of the log that contain all these texts."""
        return [line for line in self.log if all(fact in line for fact in facts)]

    def written(self, object_id: str) -> list[str]:
        """Return the methods of the write requests for an object."""
        return [method for method, path in self.requests if method != "GET" and object_id in path]

    def plain(self, environment_id: str) -> dict[str, str]:
        """Return the plain variables of an environment in Omni."""
        return {each["name"]: each["value"] for each in self._variables(environment_id) if not each["is_secret"]}

    def secret(self, environment_id: str) -> dict[str, str]:
        """Return the secret variables of an environment in Omni."""
        return {each["name"]: each["value"] for each in self._variables(environment_id) if each["is_secret"]}

    def _variables(self, environment_id: str) -> list[dict[str, Any]]:
        variables: list[dict[str, Any]] = self.environments[environment_id]["variables"]
        return variables


@dataclass
class Scenario:
    """The commands that run on one stack.

    Attributes:
        project: the project.
        omni: the simulated Omni.
        existing_ids: the IDs of the objects that are in Omni before the first command, by name.
        results: the results of the commands, by name of the step.
        states: the resources in the state after each update, by name of the step and of the resource.
    """

    project: Project
    omni: OmniSimulator
    existing_ids: dict[str, str] = field(default_factory=dict)
    results: dict[str, CommandResult] = field(default_factory=dict)
    states: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def run(self, step: str, program: Program, command: str, *options: str) -> CommandResult:
        """Run a command with a program."""
        self.project.write(program)
        requests_before = len(self.omni.requests)
        events = self.project.project / f"{step}.jsonl"
        completed = self.project.run(command, "--event-log", events.name, *options)
        requests = [(request.method, request.path) for request in self.omni.requests[requests_before:]]
        result = CommandResult(completed.status, completed.output, events.read_text(), requests=requests)
        for line in result.events.splitlines():
            diagnostic = json.loads(line).get("diagnosticEvent", {})
            text = diagnostic.get("message", "")
            name = diagnostic.get("urn", "").rpartition("::")[2]
            if diagnostic.get("severity") == "error" and name in program:
                result.errors[name] = text.strip().splitlines()[-1]
            elif diagnostic.get("severity") == "info#err":
                result.log += [line for line in text.splitlines() if line]
        environments = [each for connection in CONNECTIONS for each in self.omni.environments(connection)]
        result.environments = {each["id"]: each for each in environments}
        self.results[step] = result
        return result

    def up(self, step: str, program: Program, *options: str) -> CommandResult:
        """Run ``pulumi up`` with a program, and store the state."""
        result = self.run(step, program, "up", "--yes", "--continue-on-error", *options)
        resources = self.project.export()["deployment"]["resources"]
        self.states[step] = {resource["urn"].rpartition("::")[2]: resource for resource in resources}
        return result

    def environment_id(self, step: str, name: str) -> str:
        """Return the ID of an environment in the state after an update."""
        environment_id: str = self.states[step][name]["outputs"]["environmentId"]
        return environment_id

    def environment(self, step: str, name: str) -> dict[str, Any]:
        """Return an environment of the state as Omni has it after an update."""
        return self.results[step].environments[self.environment_id(step, name)]

    def ids(self, before: str, after: str | None = None) -> tuple[str, str]:
        """Return the IDs of an environment after the first and the second update.

        Args:
            before: the name of the resource in the first program.
            after: the name of the resource in the second program, if it differs.
        """
        return self.environment_id("first", before), self.environment_id("second", after or before)


CONNECTIONS = (CONNECTION_ID, OTHER_CONNECTION_ID, STAGING_CONNECTION_ID, DEVELOPMENT_CONNECTION_ID)


def fill(omni: OmniSimulator) -> dict[str, str]:
    """Create the objects that exist in Omni before the first command, and return their IDs by name."""

    def add(name: str, *secrets: str, schema: str = "one", owner_id: str | None = None, **plain: str) -> None:
        ids[name] = omni.add_environment(CONNECTION_ID, name=name, target_schema=schema, owner_id=owner_id)
        for variable, value in plain.items():
            omni.set_variable(ids[name], variable, value)
        for variable in secrets:
            omni.set_variable(ids[name], variable, OMNI_TOKEN, is_secret=True)

    ids: dict[str, str] = {}
    omni.configure_dbt(CONNECTION_ID)
    omni.configure_dbt(OTHER_CONNECTION_ID, project_root_path="dbt")
    add("unchanged", DBT_TARGET="one")
    add("differing", "DBT_TOKEN", schema="before")
    add("existing")
    add("unmanaged", "TEAM_TOKEN", TEAM_NAME="omni", LEGACY="old", DBT_TARGET="before")
    add("undeclared", "DBT_TOKEN", DBT_TARGET="one")
    add("without_adopt", schema="before")
    add("Staging 3")
    add("owned", owner_id=USER_ID)
    add("recreated")
    ids["undeclared_value"] = omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID, ["a", "b"])
    return ids


def change_before_second_update(scenario: Scenario) -> None:
    """Change objects in Omni before the second update, which runs without a refresh."""
    omni = scenario.omni

    def id_of(name: str) -> str:
        return scenario.environment_id("first", name)

    for name in ("unknown", "replaced"):
        omni.set_variable(id_of(name), "ADDED_TOKEN", OMNI_TOKEN, is_secret=True)
    omni.set_variable(id_of("unknown"), "ADDED_NAME", "omni")
    omni.set_variable(id_of("triggered"), "DBT_TOKEN", OMNI_TOKEN, is_secret=True)
    omni.delete_environment(id_of("recreated"))


def change_before_third_update(scenario: Scenario) -> None:
    """Change variables in Omni for which a refresh puts placeholders into the inputs."""
    ignoring = scenario.environment_id("second", "ignoring")
    scenario.omni.set_variable(ignoring, "ADDED_TOKEN", OMNI_TOKEN, is_secret=True)
    scenario.omni.set_variable(ignoring, "DBT_TOKEN", OMNI_TOKEN)


def duplicate_in_state(scenario: Scenario) -> None:
    """Change the state so that two resources manage one object, which version 0.1 allowed."""
    state = scenario.project.export()
    for resource in list(state["deployment"]["resources"]):
        if resource["urn"].endswith(("::unchanged", "::configuration_a")):
            state["deployment"]["resources"].append({**resource, "urn": f"{resource['urn']}_again"})
    (scenario.project.project / "state.json").write_text(json.dumps(state))
    scenario.project.must("stack", "import", "--file", "state.json")


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """The results of all commands."""
    folder = tmp_path_factory.mktemp("adoption")
    (folder / "Pulumi.yaml").write_text("name: engine\nruntime: python\n")
    (folder / "__main__.py").write_text(PROGRAM)
    with OmniSimulator(dialect=GENERATED) as omni:
        env = {
            "OMNI_BASE_URL": omni.url,
            "OMNI_API_KEY": omni.api_key,
            "OMNI_MINE_BASE_URL": f"{omni.url}/api",
            "OMNI_MINE_API_KEY": omni.personal_access_token,
            "OMNI_REQUESTS_PER_MINUTE": "6000",
            "OMNI_MINE_REQUESTS_PER_MINUTE": "6000",
            "PULUMI_DEBUG_COMMANDS": "1",
        }
        scenario = Scenario(Project(folder, stack="test", env=env), omni)
        scenario.project.create_stack()
        scenario.existing_ids = fill(omni)
        scenario.run("preview", FIRST, "preview")
        scenario.up("first", FIRST, "--skip-preview")
        change_before_second_update(scenario)
        scenario.up("second", SECOND, "--replace", scenario.states["first"]["by_command"]["urn"])
        change_before_third_update(scenario)
        scenario.up("third", THIRD, "--refresh", "--diff")
        scenario.run("no changes", THIRD, "preview", "--refresh", "--expect-no-changes")
        scenario.run("existing replaced", EXISTING_REPLACED, "preview")
        scenario.up("adopter after owner", ADOPTER_AFTER_OWNER, "--skip-preview")
        scenario.up("owner after adopter", OWNER_AFTER_ADOPTER, "--skip-preview")
        duplicate_in_state(scenario)
        scenario.run("two of 0.1", TWO_RESOURCES, "preview")
        scenario.up("one of two", ONE_RESOURCE, "--skip-preview")
        yield scenario


@pytest.fixture(scope="module")
def first(scenario: Scenario) -> CommandResult:
    """The result of the first update, in which some resources fail."""
    return scenario.results["first"]


@pytest.fixture(scope="module")
def second(scenario: Scenario) -> CommandResult:
    """The result of the second update."""
    return scenario.results["second"]


def test_preview_of_adoption(scenario: Scenario) -> None:
    """A preview sends no request. Its log and the summary say which resources may be adopted."""
    preview = scenario.results["preview"]
    assert (preview.status, preview.requests, preview.errors) == (0, [], {})
    for name in ("unchanged", "undeclared", "new"):
        (line,) = preview.logged(f'"{name}"')
        assert line.endswith("creates it if it does not exist")
    for name in ("existing", "Stagin 3"):
        assert len(preview.logged(f'"{name}"', "fails if it does not exist")) == 1
    assert preview.logged('"without_adopt"') == []
    operations = {(step.operation, step.urn.name) for step in read(preview.events).steps}
    assert {("create or adopt", "new"), ("adopt", "existing"), ("create", "without_adopt")} <= operations


def test_only_refused_resources_fail(first: CommandResult) -> None:
    """The first update fails for the refused resources only."""
    assert first.status != 0
    assert first.errors.keys() == {*REFUSED, "mine_with_owner", "without_owner"} | {
        name for name in first.errors if name.startswith(("environment_", "configuration_"))
    }


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        (
            "undeclared",
            ["variables.DBT_TARGET", "variables.DBT_TOKEN (secret)", "unmanaged_variables"],
        ),
        ("undeclared_field", [OTHER_CONNECTION_ID, "project_root_path", "ignore_changes"]),
        ("undeclared_value", ['user_attribute_values "b"']),
        (
            "without_adopt",
            ["aliases", "adopt=True", 'target_schema (now "before")', "secret_variables.DBT_TOKEN"],
        ),
        ("typo", ['"Stagin 3"', '"Staging 3"', "owner none"]),
        ("of_another_owner", [USER_ID]),
        ("no_configuration", [DEVELOPMENT_CONNECTION_ID, 'adopt="existing"']),
        ("no_connection_environment", [STAGING_CONNECTION_ID, 'adopt="existing"']),
    ],
)
def test_refused_adoption(scenario: Scenario, first: CommandResult, name: str, facts: list[str]) -> None:
    """The error of a refused adoption names what would be lost or changed, and no write is sent."""
    error = first.errors[name]
    object_id = {"typo": "Staging 3", "of_another_owner": "owned"}.get(name, name)
    ids = [scenario.existing_ids[object_id]] if object_id in scenario.existing_ids else []
    assert [fact for fact in (*facts, *ids) if fact not in error] == []
    assert [first.written(each) for each in ids] == [[] for _ in ids]
    assert name not in scenario.states["first"]


def test_refused_adoptions_remove_nothing(scenario: Scenario, first: CommandResult) -> None:
    """Variables, fields and values that the program does not declare are unchanged in Omni."""
    undeclared = scenario.existing_ids["undeclared"]
    assert (first.plain(undeclared), first.secret(undeclared)) == ({"DBT_TARGET": "one"}, {"DBT_TOKEN": OMNI_TOKEN})
    configured = scenario.omni.dbt_configuration(OTHER_CONNECTION_ID)
    assert configured is not None
    assert configured["project_root_path"] == "dbt"
    assert scenario.omni.connection_environments()[0]["user_attribute_values"] == ["a", "b"]
    assert first.written(f"{OTHER_CONNECTION_ID}/dbt") == []


@pytest.mark.parametrize("name", ["unchanged", "existing"])
def test_adopted_unchanged(scenario: Scenario, first: CommandResult, name: str) -> None:
    """Adopting an object that is as declared sends no write, and the log says that it is unchanged."""
    assert scenario.environment_id("first", name) == scenario.existing_ids[name]
    assert first.written(scenario.existing_ids[name]) == []
    assert len(first.logged("adopted", scenario.existing_ids[name], "unchanged")) == 1


def test_adopted_with_differences(scenario: Scenario, first: CommandResult) -> None:
    """Adopting an object that differs sends one write, and the log names each property."""
    differing = scenario.existing_ids["differing"]
    assert scenario.environment_id("first", "differing") == differing
    assert first.written(differing) == ["PUT"]
    assert first.secret(differing) == {"DBT_TOKEN": PROGRAM_TOKEN}
    (line,) = first.logged("adopted", differing)
    assert [fact for fact in ('target_schema (was "before")', "secret_variables.DBT_TOKEN") if fact not in line] == []


def test_adopt_creates(scenario: Scenario, first: CommandResult) -> None:
    """``adopt=True`` creates an object that does not exist, and the log says "created"."""
    assert len(first.logged("created", scenario.environment_id("first", "new"))) == 1


@pytest.mark.parametrize("name", ["unchanged", "differing", "new", "existing"])
def test_adopt_has_no_effect_later(scenario: Scenario, second: CommandResult, name: str) -> None:
    """Removing ``adopt`` from the program, or keeping it, sends no write."""
    assert second.written(scenario.environment_id("second", name)) == []


def test_unmanaged_variables(scenario: Scenario, first: CommandResult, second: CommandResult) -> None:
    """Unmanaged variables are unchanged in Omni after an adoption and an update, and are not in the state.

    A name that is not in Omni is not sent.
    """
    unmanaged = scenario.existing_ids["unmanaged"]
    for result, target in ((first, "one"), (second, "two")):
        assert result.plain(unmanaged) == {"TEAM_NAME": "omni", "LEGACY": "old", "DBT_TARGET": "one"}
        assert result.secret(unmanaged) == {"TEAM_TOKEN": OMNI_TOKEN}
        assert result.environments[unmanaged]["target_schema"] == target
    outputs = scenario.states["second"]["unmanaged"]["outputs"]
    assert outputs["variables"] == {"DBT_TARGET": "one"}


def test_a_variable_that_is_no_longer_unmanaged(scenario: Scenario, second: CommandResult) -> None:
    """The update that removes a name from ``unmanaged_variables`` keeps the variable and warns.

    An update with a refresh deletes it.
    """
    (warning,) = second.logged("LEGACY")
    assert '"unmanaged"' in warning
    unmanaged = scenario.existing_ids["unmanaged"]
    assert scenario.results["third"].plain(unmanaged) == {
        "TEAM_NAME": "omni",
        "DBT_TARGET": "one",
    }


def test_unknown_variables(scenario: Scenario, second: CommandResult) -> None:
    """An update without a refresh keeps variables that were added in Omni, and warns.

    An update with a refresh shows and deletes them.
    """
    unknown = scenario.environment_id("second", "unknown")
    assert second.environments[unknown]["target_schema"] == "two"
    assert second.plain(unknown) == {"DBT_TARGET": "one", "ADDED_NAME": "omni"}
    assert second.secret(unknown) == {"ADDED_TOKEN": OMNI_TOKEN}
    (warning,) = second.logged('"unknown"', "neither the program")
    facts = ("variables.ADDED_TOKEN", "variables.ADDED_NAME", "pulumi up --refresh")
    assert [fact for fact in facts if fact not in warning] == []
    assert scenario.states["second"]["unknown"]["outputs"]["variables"] == {"DBT_TARGET": "one"}

    third = scenario.results["third"]
    output = _single_spaced(third.output)
    assert [line for line in ('- ADDED_NAME: "omni"', "- ADDED_TOKEN") if line not in output] == []
    assert (third.plain(unknown), third.secret(unknown)) == ({"DBT_TARGET": "one"}, {})


def test_placeholders_are_not_sent(scenario: Scenario) -> None:
    """With ``ignore_changes``, a refresh puts placeholders into the inputs. An update keeps the values in Omni."""
    ignoring, third = scenario.environment_id("third", "ignoring"), scenario.results["third"]
    inputs = scenario.states["third"]["ignoring"]["inputs"]
    assert inputs["variables"] == {"DBT_TOKEN": "(was secret)"}
    assert inputs["secretVariables"].keys() == {"ADDED_TOKEN"}
    assert third.environments[ignoring]["target_schema"] == "three"
    assert (third.plain(ignoring), third.secret(ignoring)) == ({"DBT_TOKEN": OMNI_TOKEN}, {"ADDED_TOKEN": OMNI_TOKEN})


def test_secrets_trigger(scenario: Scenario, second: CommandResult) -> None:
    """A changed ``secrets_trigger`` writes the declared secrets again, and replaces nothing."""
    before, after = scenario.ids("triggered")
    assert before == after
    assert second.written(after) == ["PUT"]
    assert second.secret(after) == {"DBT_TOKEN": PROGRAM_TOKEN}


def test_replacement(scenario: Scenario, second: CommandResult) -> None:
    """A changed connection replaces the environment. The preview names the variables that are lost."""
    before, after = scenario.ids("replaced")
    assert before not in second.environments
    assert second.environments[after]["connection_id"] == OTHER_CONNECTION_ID
    (warning,) = set(second.logged("ADDED_TOKEN", OTHER_CONNECTION_ID))
    preview = second.output[: second.output.index("Updating (test)")]
    assert warning in preview


def test_recreation(scenario: Scenario, second: CommandResult) -> None:
    """An environment that was deleted outside Pulumi is created again, also with ``adopt="existing"``, and logged."""
    before, after = scenario.ids("recreated")
    assert before == scenario.existing_ids["recreated"]
    assert second.environments[after]["target_schema"] == "two"
    assert len(second.logged(before, "ADDED_TOKEN")) == 1
    assert len(second.logged('"recreated"', 'adopt is "existing"')) == 1


def test_rename_with_adopt(scenario: Scenario, second: CommandResult) -> None:
    """A renamed resource with ``adopt`` adopts the object, which is updated and not deleted."""
    before, after = scenario.ids("renamed", "renamed_2")
    assert before == after
    assert second.written(after) == ["PUT"]
    assert second.environments[after]["target_schema"] == "two"
    assert len(second.logged(before, "not deleted")) == 1
    assert "renamed" not in scenario.states["second"]


def test_alias(scenario: Scenario, second: CommandResult) -> None:
    """A resource with an alias keeps the object."""
    before, after = scenario.ids("aliased", "aliased_2")
    assert before == after
    assert second.written(after) == ["PUT"]


def test_replace_by_command(scenario: Scenario, second: CommandResult) -> None:
    """``pulumi up --replace`` of a resource that adopts keeps the object."""
    before, after = scenario.ids("by_command")
    assert before == after
    assert second.written(after) == []
    assert len(second.logged(before, "not deleted")) == 1


def test_delete_before_replace(scenario: Scenario, second: CommandResult) -> None:
    """The old object is deleted, and a new one with its name is created."""
    before, after = scenario.ids("deleted_first")
    assert before not in second.environments
    assert second.environments[after]["name"] == "deleted_first"


def test_swapped_names(scenario: Scenario, second: CommandResult) -> None:
    """Two resources exchange the names of their objects. No object is replaced."""
    for resource, name in (("left", "right"), ("right", "left")):
        before, after = scenario.ids(resource)
        assert before == after
        assert second.environments[after]["name"] == name


def test_a_new_object_with_the_old_name(scenario: Scenario, second: CommandResult) -> None:
    """With ``depends_on`` an object is renamed first, and then a new one is created with the old name."""
    before, after = scenario.ids("moved")
    assert before == after
    assert second.environments[after]["name"] == "moved away"
    newcomer = scenario.environment("second", "newcomer")
    assert (newcomer["name"], newcomer["id"] != after) == ("moved", True)


def test_no_changes_after_the_updates(scenario: Scenario, second: CommandResult) -> None:
    """The second and the third update succeed, and a preview with a refresh shows no change."""
    assert (second.status, second.errors) == (0, {})
    assert (scenario.results["third"].status, scenario.results["third"].errors) == (0, {})
    assert scenario.results["no changes"].status == 0, scenario.results["no changes"].output


def test_existing_is_not_replaced(scenario: Scenario) -> None:
    """With ``adopt="existing"`` the preview of a replacement fails."""
    preview = scenario.results["existing replaced"]
    error = preview.errors["existing"]
    assert preview.status != 0
    assert [
        fact for fact in ('adopt="existing"', scenario.existing_ids["existing"], "connection_id") if fact not in error
    ] == []


@pytest.mark.parametrize("kind", ["environment", "configuration"])
def test_two_creates(scenario: Scenario, first: CommandResult, kind: str) -> None:
    """When two resources create one object at the same time, one succeeds and the other one fails."""
    names = {f"{kind}_a", f"{kind}_b"}
    (refused,) = names & first.errors.keys()
    assert names & scenario.states["first"].keys() == names - {refused}
    assert "another resource of this program" in first.errors[refused]
    if kind == "environment":
        assert [each["name"] for each in first.environments.values()].count("duplicate") == 1


def test_two_profiles_of_one_instance(scenario: Scenario) -> None:
    """Without ``owner_id``, an organization key and a personal access token create two environments with one name.

    The first one has no owner. The owner of the second one is the user of the token.
    """
    shared, mine = scenario.environment("first", "shared"), scenario.environment("first", "mine")
    assert shared["name"] == mine["name"]
    assert (shared["owner_id"], mine["owner_id"]) == (None, USER_ID)


@pytest.mark.parametrize(
    ("refused", "other", "name"), [("mine_with_owner", "mine", "by profile"), ("without_owner", "owner", "by owner")]
)
def test_the_owner_of_a_personal_access_token(
    scenario: Scenario, first: CommandResult, refused: str, other: str, name: str
) -> None:
    """With a personal access token, the owner is its user, whether or not the program names the owner."""
    existing = scenario.environment_id("first", other)
    assert existing in first.errors[refused]
    assert [
        each["id"] for each in first.environments.values() if (each["name"], each["owner_id"]) == (name, USER_ID)
    ] == [existing]


def test_adopter_after_owner(scenario: Scenario) -> None:
    """A resource cannot adopt an object that another resource of the program manages."""
    result, new = scenario.results["adopter after owner"], scenario.environment_id("first", "new")
    assert result.errors.keys() == {"adopter"}
    assert new in result.errors["adopter"]
    assert result.written(new) == []


def test_owner_after_adopter(scenario: Scenario) -> None:
    """When a new resource adopts the object first, the resource that managed it fails. Nothing is deleted."""
    result, new = scenario.results["owner after adopter"], scenario.environment_id("first", "new")
    assert new in result.errors["new"]
    assert new in result.environments
    assert scenario.environment_id("owner after adopter", "adopter") == new


def test_a_state_with_two_resources_for_one_object(scenario: Scenario) -> None:
    """The preview fails and names the object. Removing one of the two resources deletes nothing."""
    preview, result = scenario.results["two of 0.1"], scenario.results["one of two"]
    assert preview.status != 0
    assert preview.errors
    for error in preview.errors.values():
        assert scenario.existing_ids["unchanged"] in error or STAGING_CONNECTION_ID in error
    assert result.status == 0, result.output
    assert scenario.existing_ids["unchanged"] in result.environments
    assert scenario.omni.dbt_configuration(STAGING_CONNECTION_ID) is not None
    assert result.written(scenario.existing_ids["unchanged"]) == result.written(f"{STAGING_CONNECTION_ID}/dbt") == []
    assert {name for name in scenario.states["one of two"] if name in TWO_RESOURCES} == set(ONE_RESOURCE)


def test_no_secret_is_shown(scenario: Scenario) -> None:
    """No secret is in the output, in the events or in the state, also one that is plain in Omni."""
    printed = [result.output + result.events for result in scenario.results.values()]
    assert [
        secret for secret in (PROGRAM_TOKEN, OMNI_TOKEN) if secret in "".join(printed) + scenario.project.state()
    ] == []


def _single_spaced(text: str) -> str:
    return " ".join(text.split()).replace(" :", ":")
