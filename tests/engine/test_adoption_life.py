"""Adoption, variables that nobody declares, and one resource for one object, with the real engine.

All tests read one stack's life: a preview, two updates, a refresh, and programs with two resources for one object. Each
command takes seconds, so each one runs many rows of the tables in the documentation, on objects that do not touch each
other. One dialect is enough: Omni has a list of connection environments, and deletes variables that an update omits.
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
from tests.engine.project import PROGRAM, Program, Project
from tests.engine.scene import Arguments

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("adoption")]

OURS, THEIRS = "a-token-of-the-program", "a-token-in-omni"
SECRET = {"$secret": OURS}
REPOSITORY: Arguments = {"branch": "main", "autogen_relationships": True, "enable_virtual_schemas": False}


def environment(name: str, **arguments: Any) -> tuple[str, Arguments]:
    """A dbt environment of the first connection, with the target schema ``one``."""
    return "DbtEnvironment", {"connection_id": CONNECTION_ID, "name": name, "target_schema": "one", **arguments}


def configuration(connection_id: str, **arguments: Any) -> tuple[str, Arguments]:
    """The dbt configuration of a connection."""
    url = "git@github.com:acme/dbt.git"
    return "DbtConfiguration", {"connection_id": connection_id, "ssh_url": url, **REPOSITORY, **arguments}


def route(environment_connection_id: str, **arguments: Any) -> tuple[str, Arguments]:
    """A connection environment of the first connection."""
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
"""Adopts what exists, or creates what does not."""

REFUSED: Program = {
    "undeclared": environment("undeclared", adopt=True),
    "undeclared_field": configuration(OTHER_CONNECTION_ID, adopt=True),
    "undeclared_value": route(STAGING_CONNECTION_ID, adopt=True),
    "without_adopt": environment("without_adopt", secret_variables={"DBT_TOKEN": SECRET}),
    "typo": environment("Stagin 3", adopt="existing"),
    "of_another_owner": environment("owned", adopt="existing"),
    "no_configuration": configuration(DEVELOPMENT_CONNECTION_ID, adopt="existing"),
    "no_route": route(DEVELOPMENT_CONNECTION_ID, adopt="existing"),
}
"""Refused before anything is written."""

TWICE: Program = {
    "environment_a": environment("twice"),
    "environment_b": environment("twice", adopt=True),
    "configuration_a": configuration(STAGING_CONNECTION_ID),
    "configuration_b": configuration(STAGING_CONNECTION_ID, branch="other", adopt=True),
    "mine": environment("by profile", profile="mine"),
    "shared": environment("by profile", depends_on=["mine"]),
    "mine_with_owner": environment("by profile", owner_id=USER_ID, adopt=True, depends_on=["mine"]),
    "owner": environment("by owner", owner_id=USER_ID),
    "owner_left_out": environment("by owner", profile="mine", adopt=True, depends_on=["owner"]),
}
"""Two resources for one object, or three; except ``mine`` and ``shared``, which are two objects of one name."""

LIVING: Program = {
    "renamed": environment("renamed", secret_variables={"DBT_TOKEN": SECRET}),
    "aliased": environment("aliased"),
    "replaced": environment("replaced", unmanaged_variables=["THEIR_TOKEN"]),
    "by_command": environment("by_command", adopt=True),
    "deleted_first": environment("deleted_first", delete_before_replace=True, replacement_trigger="one"),
    "recreated": environment("recreated", adopt="existing", unmanaged_variables=["THEIR_TOKEN"]),
    "left": environment("left"),
    "right": environment("right"),
    "moved": environment("moved"),
    "unknown": environment("unknown", variables={"DBT_TARGET": "one"}),
    "triggered": environment("triggered", secret_variables={"DBT_TOKEN": SECRET}, secrets_trigger="one"),
    "ignoring": environment(
        "ignoring", secret_variables={"DBT_TOKEN": SECRET}, ignore_changes=["variables", "secret_variables"]
    ),
}
"""What the second program changes."""

FIRST: Program = {**ADOPTING, **REFUSED, **TWICE, **LIVING}


def changed(program: Program, resource: str, **arguments: Any) -> tuple[str, Arguments]:
    """A resource of a program with other arguments."""
    kind, given = program[resource]
    return kind, {**given, **arguments}


KEPT: Program = {
    "unchanged": environment("unchanged", variables={"DBT_TARGET": "one"}),
    "differing": environment("differing", secret_variables={"DBT_TOKEN": SECRET}),
    "new": environment("new"),
    "existing": ADOPTING["existing"],
    "mine": TWICE["mine"],
    "shared": TWICE["shared"],
    "owner": TWICE["owner"],
    "configuration_a": changed(TWICE, "configuration_a", adopt=True),
}
"""Leaving ``adopt`` in or out is no change. Of the two configurations, either one may have been created."""

SECOND: Program = {
    **KEPT,
    "unmanaged": changed(ADOPTING, "unmanaged", target_schema="two", unmanaged_variables=["TEAM_*"]),
    "renamed_2": changed(LIVING, "renamed", adopt=True, target_schema="two"),
    "aliased_2": changed(LIVING, "aliased", aliases=["aliased"], target_schema="two"),
    "replaced": changed(LIVING, "replaced", connection_id=OTHER_CONNECTION_ID),
    "by_command": LIVING["by_command"],
    "deleted_first": changed(LIVING, "deleted_first", replacement_trigger="two"),
    "recreated": changed(LIVING, "recreated", target_schema="two"),
    "left": changed(LIVING, "left", name="right"),
    "right": changed(LIVING, "right", name="left"),
    "moved": changed(LIVING, "moved", name="moved away"),
    "newcomer": environment("moved", depends_on=["moved"]),
    "unknown": changed(LIVING, "unknown", target_schema="two"),
    "triggered": changed(LIVING, "triggered", secrets_trigger="two"),
    "ignoring": LIVING["ignoring"],
}

THIRD: Program = {**SECOND, "ignoring": changed(LIVING, "ignoring", target_schema="three")}

EXISTING_REPLACED: Program = {**THIRD, "existing": changed(ADOPTING, "existing", connection_id=OTHER_CONNECTION_ID)}

ADOPTER_AFTER_OWNER: Program = {**THIRD, "adopter": environment("new", adopt=True, depends_on=["new"])}

OWNER_AFTER_ADOPTER: Program = {
    **{name: resource for name, resource in THIRD.items() if name != "new"},
    "adopter": environment("new", adopt=True),
    "new": environment("new", depends_on=["adopter"]),
}

TWO: Program = {
    "unchanged": KEPT["unchanged"],
    "unchanged_again": KEPT["unchanged"],
    "configuration_a": TWICE["configuration_a"],
    "configuration_a_again": TWICE["configuration_a"],
}

ONE: Program = {name: resource for name, resource in TWO.items() if name.endswith("_again")}


@dataclass
class Round:
    """A command: what it printed, and what there was afterwards.

    Attributes:
        errors: by name of the resource.
        log: what the providers logged.
        requests: methods and paths of what Omni was asked.
        environments: what Omni has, by ID.
    """

    status: int
    output: str
    events: str
    errors: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)

    def logged(self, *facts: str) -> list[str]:
        """The lines of the log that have all these facts."""
        return [line for line in self.log if all(fact in line for fact in facts)]

    def written(self, object_id: str) -> list[str]:
        """The methods of the requests that may change an object."""
        return [method for method, path in self.requests if method != "GET" and object_id in path]

    def plain(self, environment_id: str) -> dict[str, str]:
        """The plain variables of an environment in Omni."""
        return {each["name"]: each["value"] for each in self._variables(environment_id) if not each["is_secret"]}

    def secret(self, environment_id: str) -> dict[str, str]:
        """The secret variables of an environment in Omni."""
        return {each["name"]: each["value"] for each in self._variables(environment_id) if each["is_secret"]}

    def _variables(self, environment_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.environments[environment_id]["variables"]
        return found


@dataclass
class Life:
    """The stack's life, and the IDs of what was in Omni before it."""

    project: Project
    omni: OmniSimulator
    found: dict[str, str] = field(default_factory=dict)
    rounds: dict[str, Round] = field(default_factory=dict)
    states: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def run(self, step: str, program: Program, command: str, *options: str) -> Round:
        """Run a command on a program."""
        self.project.write(program)
        seen = len(self.omni.requests)
        events = self.project.project / f"{step}.jsonl"
        result = self.project.run(command, "--event-log", events.name, *options)
        requests = [(request.method, request.path) for request in self.omni.requests[seen:]]
        ended = Round(result.status, result.output, events.read_text(), requests=requests)
        for line in ended.events.splitlines():
            said = json.loads(line).get("diagnosticEvent", {})
            text = said.get("message", "")
            name = said.get("urn", "").rpartition("::")[2]
            if said.get("severity") == "error" and name in program:
                ended.errors[name] = text.strip().splitlines()[-1]
            elif said.get("severity") == "info#err":
                ended.log += [line for line in text.splitlines() if line]
        environments = [each for connection in CONNECTIONS for each in self.omni.environments(connection)]
        ended.environments = {each["id"]: each for each in environments}
        self.rounds[step] = ended
        return ended

    def up(self, step: str, program: Program, *options: str) -> Round:
        """Update, and remember the state."""
        ended = self.run(step, program, "up", "--yes", "--continue-on-error", *options)
        resources = self.project.export()["deployment"]["resources"]
        self.states[step] = {resource["urn"].rpartition("::")[2]: resource for resource in resources}
        return ended

    def environment_id(self, step: str, name: str) -> str:
        """The ID in Omni of an environment in the state after an update."""
        found: str = self.states[step][name]["outputs"]["environmentId"]
        return found

    def environment(self, step: str, name: str) -> dict[str, Any]:
        """What Omni has of an environment in the state after an update."""
        return self.rounds[step].environments[self.environment_id(step, name)]

    def ids(self, before: str, after: str | None = None) -> tuple[str, str]:
        """The IDs in Omni of an environment after the first and the second update."""
        return self.environment_id("first", before), self.environment_id("second", after or before)


CONNECTIONS = (CONNECTION_ID, OTHER_CONNECTION_ID, STAGING_CONNECTION_ID, DEVELOPMENT_CONNECTION_ID)


def fill(omni: OmniSimulator) -> dict[str, str]:
    """Put into Omni what somebody has made by hand."""

    def add(name: str, *secrets: str, schema: str = "one", owner_id: str | None = None, **plain: str) -> None:
        found[name] = omni.add_environment(CONNECTION_ID, name=name, target_schema=schema, owner_id=owner_id)
        for variable, value in plain.items():
            omni.set_variable(found[name], variable, value)
        for variable in secrets:
            omni.set_variable(found[name], variable, THEIRS, is_secret=True)

    found: dict[str, str] = {}
    omni.configure_dbt(CONNECTION_ID)
    omni.configure_dbt(OTHER_CONNECTION_ID, project_root_path="dbt")
    add("unchanged", DBT_TARGET="one")
    add("differing", "DBT_TOKEN", schema="before")
    add("existing")
    add("unmanaged", "TEAM_TOKEN", TEAM_NAME="theirs", LEGACY="old", DBT_TARGET="before")
    add("undeclared", "DBT_TOKEN", DBT_TARGET="one")
    add("without_adopt", schema="before")
    add("Staging 3")
    add("owned", owner_id=USER_ID)
    add("recreated")
    found["undeclared_value"] = omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID, ["a", "b"])
    return found


def change(life: Life) -> None:
    """Change in Omni what the second program, which is not told, has to cope with."""
    omni = life.omni

    def made(name: str) -> str:
        return life.environment_id("first", name)

    for name in ("unknown", "replaced"):
        omni.set_variable(made(name), "THEIR_TOKEN", THEIRS, is_secret=True)
    omni.set_variable(made("unknown"), "THEIR_NAME", "theirs")
    omni.set_variable(made("triggered"), "DBT_TOKEN", THEIRS, is_secret=True)
    omni.delete_environment(made("recreated"))


def drift(life: Life) -> None:
    """Change in Omni what a refresh puts into the inputs as a placeholder."""
    ignoring = life.environment_id("second", "ignoring")
    life.omni.set_variable(ignoring, "THEIR_TOKEN", THEIRS, is_secret=True)
    life.omni.set_variable(ignoring, "DBT_TOKEN", THEIRS)


def duplicate(life: Life) -> None:
    """Let two resources of the state have one object, as version 0.1 allowed."""
    state = life.project.export()
    for resource in list(state["deployment"]["resources"]):
        if resource["urn"].endswith(("::unchanged", "::configuration_a")):
            state["deployment"]["resources"].append({**resource, "urn": f"{resource['urn']}_again"})
    (life.project.project / "state.json").write_text(json.dumps(state))
    life.project.must("stack", "import", "--file", "state.json")


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """The stack's life."""
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
        life = Life(Project(folder, stack="test", env=env), omni)
        life.project.create_stack()
        life.found = fill(omni)
        life.run("preview", FIRST, "preview")
        life.up("first", FIRST, "--skip-preview")
        change(life)
        life.up("second", SECOND, "--replace", life.states["first"]["by_command"]["urn"])
        drift(life)
        life.up("third", THIRD, "--refresh", "--diff")
        life.run("quiet", THIRD, "preview", "--refresh", "--expect-no-changes")
        life.run("existing replaced", EXISTING_REPLACED, "preview")
        life.up("adopter after owner", ADOPTER_AFTER_OWNER, "--skip-preview")
        life.up("owner after adopter", OWNER_AFTER_ADOPTER, "--skip-preview")
        duplicate(life)
        life.run("two of 0.1", TWO, "preview")
        life.up("one of two", ONE, "--skip-preview")
        yield life


@pytest.fixture(scope="module")
def first(life: Life) -> Round:
    """The first update, in which some resources are refused."""
    return life.rounds["first"]


@pytest.fixture(scope="module")
def second(life: Life) -> Round:
    """The second update."""
    return life.rounds["second"]


def test_preview_of_adoption(life: Life) -> None:
    """A preview sends no request, so it says which resources may be adopted, and in the summary too."""
    preview = life.rounds["preview"]
    assert (preview.status, preview.requests, preview.errors) == (0, [], {})
    for name in ("unchanged", "undeclared", "new"):
        (line,) = preview.logged(f'"{name}"')
        assert line.endswith("if it exists")
    for name in ("existing", "Stagin 3"):
        assert len(preview.logged(f'"{name}"', "fails if it does not exist")) == 1
    assert preview.logged('"without_adopt"') == []
    operations = {(step.operation, step.urn.name) for step in read(preview.events).steps}
    assert {("create or adopt", "new"), ("adopt", "existing"), ("create", "without_adopt")} <= operations


def test_refused_ones_alone(first: Round) -> None:
    """The refused resources fail, and none of the others does."""
    assert first.status != 0
    assert first.errors.keys() == {*REFUSED, "mine_with_owner", "owner_left_out"} | {
        loser for loser in first.errors if loser.startswith(("environment_", "configuration_"))
    }


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        (
            "undeclared",
            ["variables.DBT_TARGET", "variables.DBT_TOKEN (secret)", "unmanaged_variables"],
        ),
        ("undeclared_field", [OTHER_CONNECTION_ID, "projectRootPath"]),
        ("undeclared_value", ['userAttributeValues "b"']),
        (
            "without_adopt",
            ["adopt=True", 'targetSchema (now "before")', "secretVariables.DBT_TOKEN"],
        ),
        ("typo", ['"Stagin 3"', '"Staging 3"', "owner none"]),
        ("of_another_owner", [USER_ID]),
        ("no_configuration", [DEVELOPMENT_CONNECTION_ID, 'adopt="existing"']),
        ("no_route", [STAGING_CONNECTION_ID, 'adopt="existing"']),
    ],
)
def test_refused(life: Life, first: Round, name: str, facts: list[str]) -> None:
    """An adoption that is refused names what is at stake, and nothing is written before."""
    error = first.errors[name]
    object_id = {"typo": "Staging 3", "of_another_owner": "owned"}.get(name, name)
    known = [life.found[object_id]] if object_id in life.found else []
    assert [fact for fact in (*facts, *known) if fact not in error] == []
    assert [first.written(each) for each in known] == [[] for _ in known]
    assert name not in life.states["first"]


def test_refused_adoptions_remove_nothing(life: Life, first: Round) -> None:
    """What the program does not declare is in Omni as before, the secret with its value."""
    undeclared = life.found["undeclared"]
    assert (first.plain(undeclared), first.secret(undeclared)) == ({"DBT_TARGET": "one"}, {"DBT_TOKEN": THEIRS})
    configured = life.omni.dbt_configuration(OTHER_CONNECTION_ID)
    assert configured is not None
    assert configured["project_root_path"] == "dbt"
    assert life.omni.connection_environments()[0]["user_attribute_values"] == ["a", "b"]
    assert first.written(f"{OTHER_CONNECTION_ID}/dbt") == []


@pytest.mark.parametrize("name", ["unchanged", "existing"])
def test_adopted_unchanged(life: Life, first: Round, name: str) -> None:
    """Adopting an object that is as declared writes nothing, and the log says so."""
    assert life.environment_id("first", name) == life.found[name]
    assert first.written(life.found[name]) == []
    assert len(first.logged("adopted", life.found[name], "unchanged")) == 1


def test_adopted_with_differences(life: Life, first: Round) -> None:
    """Adopting an object that differs is one write, and the log names each property."""
    differing = life.found["differing"]
    assert life.environment_id("first", "differing") == differing
    assert first.written(differing) == ["PUT"]
    assert first.secret(differing) == {"DBT_TOKEN": OURS}
    (line,) = first.logged("adopted", differing)
    assert [fact for fact in ('targetSchema (was "before")', "secretVariables.DBT_TOKEN") if fact not in line] == []


def test_adopt_creates(life: Life, first: Round) -> None:
    """``adopt=True`` creates what does not exist, and the log tells it from an adoption."""
    assert len(first.logged("created", life.environment_id("first", "new"))) == 1


@pytest.mark.parametrize("name", ["unchanged", "differing", "new", "existing"])
def test_leaving_adopt_out_is_no_change(life: Life, second: Round, name: str) -> None:
    """``adopt`` only matters in a create."""
    assert second.written(life.environment_id("second", name)) == []


def test_unmanaged_variables(life: Life, first: Round, second: Round) -> None:
    """Omni keeps them in an adoption and in an update, they never enter the state, and one not in Omni is not sent."""
    unmanaged = life.found["unmanaged"]
    for ended, target in ((first, "one"), (second, "two")):
        assert ended.plain(unmanaged) == {"TEAM_NAME": "theirs", "LEGACY": "old", "DBT_TARGET": "one"}
        assert ended.secret(unmanaged) == {"TEAM_TOKEN": THEIRS}
        assert ended.environments[unmanaged]["target_schema"] == target
    outputs = life.states["second"]["unmanaged"]["outputs"]
    assert outputs["variables"] == {"DBT_TARGET": "one"}


def test_a_variable_that_is_unmanaged_no_longer(life: Life, second: Round) -> None:
    """Dropping a name deletes nothing in that update, which a warning says; after a refresh the program decides."""
    (warning,) = second.logged("LEGACY")
    assert '"unmanaged"' in warning
    assert life.rounds["third"].plain(life.found["unmanaged"]) == {"TEAM_NAME": "theirs", "DBT_TARGET": "one"}


def test_unknown_variables(life: Life, second: Round) -> None:
    """An update keeps what only Omni knows, and a warning names it. A refresh shows it and removes it."""
    unknown = life.environment_id("second", "unknown")
    assert second.environments[unknown]["target_schema"] == "two"
    assert second.plain(unknown) == {"DBT_TARGET": "one", "THEIR_NAME": "theirs"}
    assert second.secret(unknown) == {"THEIR_TOKEN": THEIRS}
    (warning,) = second.logged('"unknown"')
    facts = ("variables.THEIR_TOKEN", "variables.THEIR_NAME", "pulumi up --refresh")
    assert [fact for fact in facts if fact not in warning] == []
    assert life.states["second"]["unknown"]["outputs"]["variables"] == {"DBT_TARGET": "one"}

    third = life.rounds["third"]
    assert [name for name in ('- THEIR_NAME: "theirs"', "- THEIR_TOKEN") if name not in _flat(third.output)] == []
    assert (third.plain(unknown), third.secret(unknown)) == ({"DBT_TARGET": "one"}, {})


def test_placeholders_are_not_sent(life: Life) -> None:
    """With ``ignore_changes`` an update hands on what a refresh found: the values stay in Omni."""
    ignoring, third = life.environment_id("third", "ignoring"), life.rounds["third"]
    inputs = life.states["third"]["ignoring"]["inputs"]
    assert inputs["variables"] == {"DBT_TOKEN": "(was secret)"}
    assert inputs["secretVariables"].keys() == {"THEIR_TOKEN"}
    assert third.environments[ignoring]["target_schema"] == "three"
    assert (third.plain(ignoring), third.secret(ignoring)) == ({"DBT_TOKEN": THEIRS}, {"THEIR_TOKEN": THEIRS})


def test_secrets_trigger(life: Life, second: Round) -> None:
    """Another ``secrets_trigger`` writes the declared secrets again, and replaces nothing."""
    before, after = life.ids("triggered")
    assert before == after
    assert second.written(after) == ["PUT"]
    assert second.secret(after) == {"DBT_TOKEN": OURS}


def test_replacement(life: Life, second: Round) -> None:
    """Another connection is another object, and the preview names the variables that cannot be carried over."""
    before, after = life.ids("replaced")
    assert before not in second.environments
    assert second.environments[after]["connection_id"] == OTHER_CONNECTION_ID
    (warning,) = set(second.logged("THEIR_TOKEN", OTHER_CONNECTION_ID))
    shown = second.output[: second.output.index("Updating (test)")]
    assert warning in shown


def test_recreation(life: Life, second: Round) -> None:
    """What was deleted outside Pulumi is created again, although ``adopt`` says ``"existing"``, and warnings say so."""
    before, after = life.ids("recreated")
    assert before == life.found["recreated"]
    assert second.environments[after]["target_schema"] == "two"
    assert len(second.logged(before, "THEIR_TOKEN")) == 1
    assert len(second.logged('"recreated"', 'adopt="existing"')) == 1


def test_rename_with_adopt(life: Life, second: Round) -> None:
    """A resource of another name that adopts keeps the object, which is updated and not deleted."""
    before, after = life.ids("renamed", "renamed_2")
    assert before == after
    assert second.written(after) == ["PUT"]
    assert second.environments[after]["target_schema"] == "two"
    assert len(second.logged(before, "not deleted")) == 1
    assert "renamed" not in life.states["second"]


def test_alias(life: Life, second: Round) -> None:
    """A resource with an alias keeps the object."""
    before, after = life.ids("aliased", "aliased_2")
    assert before == after
    assert second.written(after) == ["PUT"]


def test_replace_by_command(life: Life, second: Round) -> None:
    """``pulumi up --replace`` of a resource that adopts keeps the object."""
    before, after = life.ids("by_command")
    assert before == after
    assert second.written(after) == []
    assert len(second.logged(before, "not deleted")) == 1


def test_delete_before_replace(life: Life, second: Round) -> None:
    """The old object is deleted, and another one of its name is created."""
    before, after = life.ids("deleted_first")
    assert before not in second.environments
    assert second.environments[after]["name"] == "deleted_first"


def test_swapped_names(life: Life, second: Round) -> None:
    """Two resources swap the names of their objects, which stay."""
    for resource, name in (("left", "right"), ("right", "left")):
        before, after = life.ids(resource)
        assert before == after
        assert second.environments[after]["name"] == name


def test_an_old_name_for_a_new_object(life: Life, second: Round) -> None:
    """With ``depends_on`` one object is renamed, and then another one is created under the old name."""
    before, after = life.ids("moved")
    assert before == after
    assert second.environments[after]["name"] == "moved away"
    newcomer = life.environment("second", "newcomer")
    assert (newcomer["name"], newcomer["id"] != after) == ("moved", True)


def test_all_is_quiet_afterwards(life: Life, second: Round) -> None:
    """Both updates succeed, and a preview with a refresh finds no difference."""
    assert (second.status, second.errors) == (0, {})
    assert (life.rounds["third"].status, life.rounds["third"].errors) == (0, {})
    assert life.rounds["quiet"].status == 0, life.rounds["quiet"].output


def test_existing_is_not_replaced(life: Life) -> None:
    """A change that replaces fails in the preview while ``adopt`` says ``"existing"``."""
    preview = life.rounds["existing replaced"]
    error = preview.errors["existing"]
    assert preview.status != 0
    assert [fact for fact in ('adopt="existing"', life.found["existing"], "connectionId") if fact not in error] == []


@pytest.mark.parametrize("kind", ["environment", "configuration"])
def test_two_creates(life: Life, first: Round, kind: str) -> None:
    """Of two resources that create one object at once, one succeeds and the other one is refused."""
    names = {f"{kind}_a", f"{kind}_b"}
    (refused,) = names & first.errors.keys()
    assert names & life.states["first"].keys() == names - {refused}
    assert "another resource of this program" in first.errors[refused]
    if kind == "environment":
        assert [each["name"] for each in first.environments.values()].count("twice") == 1


def test_two_profiles_of_one_instance(life: Life) -> None:
    """Without an owner, an organization key and a personal access token have two environments of one name."""
    shared, mine = life.environment("first", "shared"), life.environment("first", "mine")
    assert shared["name"] == mine["name"]
    assert (shared["owner_id"], mine["owner_id"]) == (None, USER_ID)


@pytest.mark.parametrize(
    ("refused", "other", "name"), [("mine_with_owner", "mine", "by profile"), ("owner_left_out", "owner", "by owner")]
)
def test_an_owner_that_is_left_out(life: Life, first: Round, refused: str, other: str, name: str) -> None:
    """A personal access token's environment is that of its user, also where the program names the user."""
    existing = life.environment_id("first", other)
    assert existing in first.errors[refused]
    assert [
        each["id"] for each in first.environments.values() if (each["name"], each["owner_id"]) == (name, USER_ID)
    ] == [existing]


def test_adopter_after_owner(life: Life) -> None:
    """A resource cannot adopt the object of another one that the engine has seen."""
    ended, new = life.rounds["adopter after owner"], life.environment_id("first", "new")
    assert ended.errors.keys() == {"adopter"}
    assert new in ended.errors["adopter"]
    assert ended.written(new) == []


def test_owner_after_adopter(life: Life) -> None:
    """When the object was adopted first, its former resource fails, and nothing is deleted."""
    ended, new = life.rounds["owner after adopter"], life.environment_id("first", "new")
    assert new in ended.errors["new"]
    assert new in ended.environments
    assert life.environment_id("owner after adopter", "adopter") == new


def test_a_state_with_two_resources_for_one_object(life: Life) -> None:
    """The preview fails and names the object. Removing one resource of the two deletes nothing."""
    preview, ended = life.rounds["two of 0.1"], life.rounds["one of two"]
    assert preview.status != 0
    assert preview.errors
    for error in preview.errors.values():
        assert life.found["unchanged"] in error or STAGING_CONNECTION_ID in error
    assert ended.status == 0, ended.output
    assert life.found["unchanged"] in ended.environments
    assert life.omni.dbt_configuration(STAGING_CONNECTION_ID) is not None
    assert ended.written(life.found["unchanged"]) == ended.written(f"{STAGING_CONNECTION_ID}/dbt") == []
    assert {name for name in life.states["one of two"] if name in TWO} == set(ONE)


def test_no_secret_is_shown(life: Life) -> None:
    """No secret is printed, in the events or in the state, also one that became plain in Omni."""
    shown = [ended.output + ended.events for ended in life.rounds.values()]
    assert [secret for secret in (OURS, THEIRS) if secret in "".join(shown) + life.project.state()] == []


def _flat(text: str) -> str:
    return " ".join(text.split()).replace(" :", ":")
