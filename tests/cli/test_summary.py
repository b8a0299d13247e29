"""The comment, from previews that the real engine made."""

from __future__ import annotations

import json

import pytest

from omni_pulumi.cli.errors import InputError
from omni_pulumi.cli.preview import read
from omni_pulumi.cli.summary import summary
from tests.cli.markup import parse
from tests.cli.previews import NAMES, RECORDINGS, URN, digest, recorded, states

MARKER = "<!-- omni-pulumi preview-summary: omni-quickstart/demo -->"


def cells(text: str) -> list[list[str]]:
    """The first table's lines below its head."""
    return parse(summary(read(text))).tables[0][1:]


@pytest.mark.parametrize("name", NAMES)
def test_both_forms_say_the_same(name: str) -> None:
    """Whichever form Pulumi wrote, the summary is the same, but policies are only among the events."""
    events, one = recorded(f"{name}.log.jsonl"), recorded(f"{name}.digest.json")
    assert (events == one) is (name != "policy")


def test_no_changes() -> None:
    """A preview without changes is one short line below the marker."""
    assert recorded("same.log.jsonl") == (f"{MARKER}\n\nPreview of `omni-quickstart/demo`: no changes, 5 resources.\n")


def test_update() -> None:
    """An update has a line for each changed leaf; of a secret's other value only the provider knows."""
    text = recorded("update.digest.json")
    assert text.startswith(f"{MARKER}\n\n### Preview of `omni-quickstart/demo`: 1 to update, 4 unchanged\n")
    assert parse(text).tables == [
        [
            ["", "resource", "property", "before", "after"],
            ["update", "DbtEnvironment staging", "targetSchema", "analytics_staging", "analytics|stage"],
            ["", "", "secretVariables.DBT_TOKEN", "[secret]", "[secret] another value"],
        ]
    ]


def test_replacement() -> None:
    """A replacement names the property that forces it, and its three steps are one."""
    text = recorded("replace.log.jsonl")
    assert "1 to replace, 4 unchanged" in text
    assert [line[:3] for line in parse(text).tables[0][1:]] == [
        ["replace", "ConnectionEnvironment staging", "environmentConnectionId forces replacement"]
    ]


def test_what_comes_and_what_goes() -> None:
    """A resource that is created or deleted is one line with its leaves."""
    created = parse(recorded("create.log.jsonl")).tables[0][1:]
    assert [line[0] for line in created] == ["create or adopt"] + ["create"] * 4
    assert "secretVariables.DBT_TOKEN [secret], targetSchema analytics_staging" in created[3][4]
    ((_, name, _, before, after),) = parse(recorded("delete.log.jsonl")).tables[0][1:]
    assert (name, after) == ("LightdashDbtSource finance", "")
    assert "dbtConnection.personalAccessToken [secret]" in before


@pytest.mark.parametrize(
    ("name", "operation"), [("create", "create or adopt"), ("adopt", "adopt")], ids=["True", "existing"]
)
def test_adoption(name: str, operation: str) -> None:
    """A create that may adopt says so, and is counted apart from the other creates."""
    text = recorded(f"{name}.digest.json")
    assert f"1 to {operation}, 4 to create" in text
    assert [line[:2] for line in parse(text).tables[0][1:2]] == [[operation, "DbtEnvironment production"]]


def test_an_argument_of_the_name_adopt_elsewhere() -> None:
    """Only the resources of this package adopt."""
    text = digest({"op": "create", "newState": {"inputs": {"adopt": True}}})
    assert cells(text)[0][0] == "create"


@pytest.mark.parametrize(("adopt", "rows"), [(False, []), (True, []), ("existing", ["adopt"])])
def test_adoption_of_what_is_gone(adopt: object, rows: list[str]) -> None:
    """What a refresh has not found is created again, but for a resource that only adopts what exists."""
    urn = "urn:pulumi:demo::shop::pulumi-python:dynamic/omni:DbtEnvironment::staging"
    inputs = {"adopt": adopt, "name": "Staging"}
    text = digest(
        {"op": "refresh", "urn": urn, "oldState": {"id": "7", "inputs": inputs}},
        {"op": "create", "urn": urn, "newState": {"inputs": inputs}},
    )
    *steps, drifts = parse(summary(read(text))).tables
    assert [line[0] for table in steps for line in table[1:]] == rows
    assert drifts[1] == ["DbtEnvironment staging", "", "", "deleted", "" if rows else "created again"]


def test_drift() -> None:
    """What others changed is apart from what the program changes, with what becomes of it."""
    text = recorded("drift.digest.json")
    assert "1 to update, 1 to create, 2 changed outside Pulumi, 3 unchanged" in text
    (table,) = parse(text).tables
    assert table[1:] == [
        ["DbtConfiguration analytics", "branch", "main", "hotfix", "main"],
        ["LightdashDbtSource finance", "", "", "deleted", "created again"],
    ]


def test_drift_of_a_changed_program() -> None:
    """A leaf that others changed and that the program changes as well is in both tables."""
    text = digest(
        {"op": "refresh", **states({"a": 1}, {"a": 1})},
        states({"a": 2}, {"a": 3}),
    )
    changes, drifts = parse(summary(read(text))).tables
    assert changes[1:] == [["update", "Schema raw", "a", "2", "3"]]
    assert drifts[1:] == [["Schema raw", "a", "1", "2", "3"]]


def test_failed_check() -> None:
    """A preview that a check stopped has the check's reason and its resource."""
    text = parse(recorded("check.log.jsonl")).text
    assert "Preview of omni-quickstart/demo failed\n" in text
    assert "DbtConfiguration analytics:\n" in text
    assert "has a problem: branch must not be empty" in text


def test_policies() -> None:
    """Policies' violations follow the changes, mandatory ones first, without their descriptions."""
    text = recorded("policy.log.jsonl")
    assert "failed: 2 mandatory policies violated\n" in text
    lines = parse(text).tables[0][1:]
    assert [line[0] for line in lines] == ["mandatory"] * 2 + ["advisory"] * 3
    assert lines[1][1:3] == ["production-protected", "DbtEnvironment production"]
    assert lines[1][3].startswith("Resource option protect is not set")
    assert "policies say is only among the engine's events" in recorded("policy.digest.json")


def test_policies_that_wait() -> None:
    """A rule that needs a value which is not known yet is no violation."""
    message = "can't run policy 'x' from policy pack 'p@v1' during preview: not applicable yet, because a is unknown\n"
    verdict = {"policyName": "x", "resourceUrn": URN, "enforcementLevel": "mandatory", "message": message}
    events = [
        {"sequence": 0, "policyEvent": verdict},
        {"sequence": 1, "summaryEvent": {"resourceChanges": {"same": 3}}},
    ]
    text = summary(read("\n".join(map(json.dumps, events))))
    assert "Preview of `shop/demo`: no changes, 3 resources." in text
    assert "- `x`: `Schema raw`\n" in text


def test_remediation_tells_no_value() -> None:
    """A remediation's event has the secret in clear that it moves, and the summary names the properties."""
    event = {
        "policyName": "no-plain-secrets",
        "resourceUrn": URN,
        "before": {"variables": {"DBT_TOKEN": "hunter22"}},
        "after": {"variables": {}, "secretVariables": {"DBT_TOKEN": "[secret]"}},
    }
    said = {"severity": "warning", "message": "hunter22 is bad"}
    events = [{"sequence": 0, "policyRemediationEvent": event}, {"sequence": 1, "diagnosticEvent": said}]
    text = summary(read("\n".join(map(json.dumps, events))))
    assert "| remediated | `no-plain-secrets` | `Schema raw` | changed secretVariables.DBT\\_TOKEN" in text
    assert "hunter22" not in text


def test_order() -> None:
    """Replacements and deletions come first, then updates, then creations."""
    operations = ["create", "update", "import", "delete", "replace", "same", "read"]
    steps = [{"op": op, "urn": f"{URN}-{op}", **states({"a": 1}, {"a": 2})} for op in operations]
    assert [line[0] for line in cells(digest(*steps))] == ["replace", "delete", "update", "import", "create"]


def test_unknown_values() -> None:
    """What is not known before the update is said so, alone and inside a list."""
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    lines = cells(digest(states({"a": "x", "b": []}, {"a": unknown, "b": ["y", unknown]})))
    assert [line[2:] for line in lines] == [
        ["a", "x", "known after apply"],
        ["b", "[]", '["y", "(known after apply)"]'],
    ]


def test_types_are_told_apart() -> None:
    """A text that looks like another value is quoted, and an empty one is seen."""
    lines = cells(digest(states({"a": "1", "b": "true", "c": "", "d": 1}, {"a": 1, "b": True, "c": "x", "d": 1.0})))
    assert [line[2:] for line in lines] == [["a", '"1"', "1"], ["b", '"true"', "true"], ["c", '""', "x"]]


def test_reason_without_a_change() -> None:
    """A property that forces a replacement is named even when its inputs do not differ."""
    lines = cells(digest({"op": "replace", "replaceReasons": ["profile"], **states({"a": 1}, {"a": 2})}))
    assert [line[2] for line in lines] == ["profile forces replacement", "a"]


def test_update_without_a_change() -> None:
    """Another provider's update may come from outputs only, of which it names the property: hardly a secret."""
    assert cells(digest(states({"a": 1}, {"a": 1})))[0][4] == "no input differs"
    assert cells(digest({"diffReasons": ["tags"], **states({"a": 1}, {"a": 1})}))[0][2:] == ["tags", "", "differs"]


def test_a_detail_of_what_is_shown() -> None:
    """A provider may name an item of a list that is shown as a whole: once is enough."""
    named = {
        "detailedDiff": {"cidrs[0]": {"kind": "update"}},
        **states({"cidrs": ["10.0.0.0/8"]}, {"cidrs": ["0.0.0.0/0"]}),
    }
    assert [line[2:] for line in cells(digest(named))] == [["cidrs", '["10.0.0.0/8"]', '["0.0.0.0/0"]']]


def test_secret_from_now_on_or_no_longer() -> None:
    """That a secret becomes plain is the worst of changes, and both sides are masked."""
    assert cells(digest(states({"a": "[secret]"}, {"a": "hunter22"})))[0][4] == "[secret] no longer secret"
    assert cells(digest(states({"a": "hunter22"}, {"a": "[secret]"})))[0][4] == "[secret] secret from now on"


def test_a_setting_with_a_secret_s_name() -> None:
    """It is masked itself, and its value is not taken for a secret elsewhere."""
    text = digest(states({"mustChangePassword": "true", "b": "true"}, {"mustChangePassword": "true", "b": "false"}))
    assert cells(text)[0][2:] == ["b", '"true"', '"false"']


def test_a_list_with_a_secret() -> None:
    """The list is masked, and what stands in it beside the secret is shown elsewhere."""
    before, after = [{"name": "staging"}, {"name": "x", "value": "[secret]"}], [{"name": "y", "value": "[secret]"}]
    lines = cells(digest(states({"env": before, "name": "staging"}, {"env": after, "name": "production"})))
    assert [line[2:] for line in lines] == [
        ["env", "[secret]", "[secret] another value"],
        ["name", "staging", "production"],
    ]


def test_two_components() -> None:
    """Resources of the same type and name are told apart by their components, and so is their drift."""
    inside = "urn:pulumi:demo::shop::my:index:{}$snowflake:index/schema:Schema::main"
    text = digest(
        {"op": "refresh", "urn": inside.format("A"), **states({"branch": "main"}, {"branch": "main"})},
        {"urn": inside.format("A"), **states({"branch": "hotfix"}, {"branch": "main"})},
        {"urn": inside.format("B"), **states({"branch": "release"}, {"branch": "main"})},
    )
    changes, drifts = parse(summary(read(text))).tables
    assert changes[1:] == [["update", "B/Schema main", "branch", "release", "main"]]
    assert drifts[1:] == [["A/Schema main", "branch", "main", "hotfix", "main"]]


def test_drift_of_what_is_deleted() -> None:
    """What others changed does not stay when the resource goes."""
    text = digest(
        {"op": "refresh", **states({"a": 1}, {"a": 1})},
        {"op": "delete", "oldState": {"id": "7", "inputs": {"a": 2}}},
    )
    assert parse(summary(read(text))).tables[1][1:] == [["Schema raw", "a", "1", "2", "deleted"]]


def test_a_replacement_of_many_leaves_leaves_room() -> None:
    """A deletion is not pushed out by what comes before it."""
    many = [{str(n): f"{side}{'x' * 200}" for n in range(400)} for side in "ab"]
    text = digest(
        {"op": "replace", **states(*many)},
        {"op": "delete", "urn": f"{URN}2", "oldState": {"id": "7", "inputs": {"a": 2}}},
    )
    lines = cells(text)
    assert lines[-1][:2] == ["delete", "Schema raw2"]
    assert lines[-2][2] == "380 more"


def test_long_values() -> None:
    """Long values are shortened to where they begin to differ, also where one is the beginning of the other."""
    before, after = cells(digest(states({"a": "x" * 500}, {"a": "x" * 500 + "DROP"})))[0][3:]
    assert before != after
    before, after = cells(digest(states({"a": "x" * 500 + "1"}, {"a": "x" * 500 + "2"})))[0][3:]
    assert before.endswith("1")
    assert after.endswith("2")
    assert max(len(before), len(after)) <= 100


@pytest.mark.parametrize("count", [10, 2_000])
def test_length(count: int) -> None:
    """A comment stays below GitHub's limit and says what it leaves out."""
    urn = "urn:pulumi:demo::shop::a:b:C::"
    steps = [{"urn": f"{urn}{n}", **states({"a" * 99: "`|" * 99}, {"a" * 99: "|`" * 99})} for n in range(count)]
    errors = [{"severity": "error", "message": "y" * 9_000} for _ in range(count)]
    drifts = [{"op": "refresh", "urn": f"{urn}{n}", **states({"b": 1}, {"b": 1})} for n in range(count)]
    errors += [{"severity": "warning", "message": f"{n}{'@' * 900}"} for n in range(count)]
    text = summary(read(digest(*drifts, *steps, diagnostics=errors)))
    assert len(text) < 65_000
    assert ("lines are left out" in text) is (count > 10)


@pytest.mark.parametrize("applicable", [True, False])
def test_length_of_what_policies_say(*, applicable: bool) -> None:
    """Verdicts and what policies wait for have their share as well."""
    said = "😀|" * 900 if applicable else f"can't run policy 'x' during preview: {'😀' * 900}"
    verdicts = [
        {"sequence": n, "policyEvent": {"policyName": f"p{n}", "resourceUrn": f"{URN}{'x' * 90}{n}", "message": said}}
        for n in range(2_000)
    ]
    text = summary(read("\n".join(map(json.dumps, verdicts))))
    assert 2_000 < len(text) < 20_000


@pytest.mark.parametrize(
    ("operation", "shown"),
    [
        ("import-replacement", "replace"),
        ("create-replacement", "replace"),
        ("delete-replaced", "delete"),
        ("remove-pending-replace", "delete"),
    ],
)
def test_a_step_that_is_all_that_is_said(operation: str, shown: str) -> None:
    """A part of a replacement that stands alone is shown as what it does."""
    assert cells(digest({"op": operation, **states({"a": 1}, {"a": 2})}))[0][0] == shown


def test_events_that_end_early() -> None:
    """Events that were cut off are summed up as far as they go."""
    text = (RECORDINGS / "update.log.jsonl").read_text()
    summed = summary(read(text[: text.index('"summaryEvent"')]))
    assert "### Preview of `omni-quickstart/demo` ended early: 1 to update\n" in summed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "preview is empty"),
        ("{}\n", "preview is empty"),
        ('{"sequence":0,"timestamp":1,"cancelEvent":{}}\n', "preview is empty"),
        ("error: no stack named 'x' found", "got no JSON"),
        ('{"steps": [{"op": "upd', "got no JSON"),
        ('{"version": 3, "deployment": {}}', "got other JSON"),
        ("[1]", "got other JSON"),
        ('{"steps": [7]}', "got other JSON"),
        ('{"steps": [{"op": "update"}]}', "got other JSON"),
        ('{"sequence": 0, "resourcePreEvent": {}}', "got other JSON"),
        ('{"steps": []} {"steps": []}', "more after its end"),
        ('{"sequence": 0, "summaryEvent": {"isPreview": false}}', "those of an update"),
        ('{"sequence": 0}\nsomething else\n{"sequence": 1}', "no JSON in line 2"),
    ],
)
def test_other_inputs(text: str, said: str) -> None:
    """What is no preview is refused in one line."""
    with pytest.raises(InputError, match=said) as refused:
        read(text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "preamble",
    [
        "Loading policy packs {default}...\n",
        "{not JSON}\n",
        '{"level": "info", "steps taken": 3}\n',
        '{"a": {"b": 1}}\nwarning: {x}\n{\n',
        "",
    ],
)
@pytest.mark.parametrize("name", ["update.digest.json", "update.log.jsonl"])
def test_a_preamble_may_have_braces(preamble: str, name: str) -> None:
    """What a wrapper prints before the preview is skipped, whatever it holds."""
    text = (RECORDINGS / name).read_text()
    assert read(preamble + text) == read(text)


def test_a_preamble_on_the_same_line() -> None:
    """A digest that does not begin a line is found too."""
    text = (RECORDINGS / "update.digest.json").read_text()
    assert read(f"preview: {text}") == read(text)


def test_stack_by_name() -> None:
    """A preview that failed before it named its stack has the name that it is given, and a marker that stays one."""
    text = summary(read(json.dumps({"diagnostics": [{"severity": "error", "message": "x"}]})), stack="a/b-->c")
    assert text.startswith("<!-- omni-pulumi preview-summary: a/b-%2D%3Ec -->\n\n### Preview of `a/b-->c` failed\n")


def test_a_name_that_is_given_comes_first() -> None:
    """So the comment of a preview that failed early and that of the next one are the same comment."""
    assert "preview-summary: mine -->" in summary(read(digest({"op": "same", **states({}, {})})), stack="mine")


def test_a_preview_that_ended_without_a_reason() -> None:
    """A policy pack that does not load ends the events with nothing but what it printed."""
    text = summary(read('{"sequence": 0, "diagnosticEvent": {"severity": "info#err", "message": "Traceback"}}'))
    assert "ended early" in text
    assert "its log has it" in text


@pytest.mark.parametrize("end", ["\x85", "\u2028", "\x0c", "\x1c"])
def test_a_value_with_another_end_of_a_line(end: str) -> None:
    """Only a line feed ends an event: values may hold any other end of a line."""
    metadata = {
        "op": "update",
        "urn": URN,
        "old": {"inputs": {"branch": "a"}},
        "new": {"inputs": {"branch": f"b{end}"}},
    }
    event = json.dumps({"sequence": 0, "resourcePreEvent": {"metadata": metadata}}, ensure_ascii=False)
    assert [change.path for step in read(event).steps for change in step.changes] == ["branch"]
