"""The comment shows the facts of a preview, in previews recorded from the real engine and in short ones."""

from __future__ import annotations

import json

import pytest

from omni_pulumi.cli.errors import InputError
from omni_pulumi.cli.preview import LOCAL, read
from omni_pulumi.cli.summary import summary
from omni_pulumi.export.objects import KINDS
from tests.cli.markup import parse
from tests.cli.previews import NAMES, RECORDINGS, URN, digest, recorded, states

MARKER = "<!-- omni-pulumi preview-summary: omni-quickstart/demo -->"


def cells(text: str) -> list[list[str]]:
    """Return the rows of the first table without its header."""
    return parse(summary(read(text))).tables[0][1:]


@pytest.mark.parametrize("name", NAMES)
def test_both_formats_have_the_same_summary(name: str) -> None:
    """The summary is the same in both formats, except for policy violations, which only the events have."""
    events, one = recorded(f"{name}.log.jsonl"), recorded(f"{name}.digest.json")
    assert (events == one) is (name != "policy")


def test_no_changes() -> None:
    """A preview without changes is one line after the marker."""
    assert recorded("same.log.jsonl") == (f"{MARKER}\n\nPreview of `omni-quickstart/demo`: no changes, 5 resources.\n")


def test_update() -> None:
    """An update has a row for each changed value, and one for a secret that changes according to the provider."""
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
    """A replacement is one row that names the property that forces it."""
    text = recorded("replace.log.jsonl")
    assert "1 to replace, 4 unchanged" in text
    assert [line[:3] for line in parse(text).tables[0][1:]] == [
        ["replace", "ConnectionEnvironment staging", "environmentConnectionId forces replacement"]
    ]


def test_creates_and_deletes() -> None:
    """A created or deleted resource is one row with its values."""
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
    """A create that may adopt has its own operation and count."""
    text = recorded(f"{name}.digest.json")
    assert f"1 to {operation}, 4 to create" in text
    assert [line[:2] for line in parse(text).tables[0][1:2]] == [[operation, "DbtEnvironment production"]]


def test_adopt_of_another_provider() -> None:
    """An argument ``adopt`` of another provider's resource has no meaning, and is shown."""
    text = digest({"op": "create", "newState": {"inputs": {"adopt": True}}})
    assert cells(text)[0][0] == "create"
    text = digest({"op": "create", "newState": {"inputs": {"adopt": False}}})
    assert cells(text)[0][4] == "adopt false"


@pytest.mark.parametrize(("adopt", "shown"), [(False, "name Staging"), (True, "adopt true, name Staging")])
@pytest.mark.parametrize(("operation", "side", "column"), [("create", "newState", 4), ("delete", "oldState", 3)])
def test_default_of_adopt(operation: str, side: str, column: int, adopt: object, shown: str) -> None:
    """The row of a created or deleted resource leaves out ``adopt`` when it is False, as in states of 0.1."""
    urn = "urn:pulumi:demo::shop::pulumi-python:dynamic/omni:DbtEnvironment::staging"
    text = digest({"op": operation, "urn": urn, side: {"inputs": {"adopt": adopt, "name": "Staging"}}})
    assert cells(text)[0][column] == shown


@pytest.mark.parametrize(("adopt", "rows"), [(False, []), (True, []), ("existing", ["adopt"])])
def test_adoption_of_a_deleted_object(adopt: object, rows: list[str]) -> None:
    """A deleted resource is created again, unless it only adopts an existing object."""
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
    """Changes outside Pulumi have their own table with the values after the update."""
    text = recorded("drift.digest.json")
    assert "1 to update, 1 to create, 2 changed outside Pulumi, 3 unchanged" in text
    (table,) = parse(text).tables
    assert table[1:] == [
        ["DbtConfiguration analytics", "branch", "main", "hotfix", "main"],
        ["LightdashDbtSource finance", "", "", "deleted", "created again"],
    ]


def test_no_drift_of_what_no_service_has() -> None:
    """A refresh finds no drift of an argument that only Pulumi has, and each such argument belongs to a resource."""
    urn = URN.replace("snowflake:index/schema:Schema", "pulumi-python:dynamic/omni:DbtEnvironment")
    local = dict.fromkeys(LOCAL, "a") | {"unmanagedVariables": ["A"]}
    steps = [
        {"op": "refresh", "urn": urn, **states({**local, "branch": "a"}, {"branch": "a"})},
        {"op": "update", "urn": urn, **states({"branch": "a"}, {**local, "branch": "a"})},
    ]
    assert read(digest(*steps)).drifts == ()
    steps[1]["oldState"]["inputs"]["branch"] = "b"
    (drift,) = read(digest(*steps)).drifts
    assert [change.path for change in drift.changes] == ["branch"]
    arguments = {name for kind in KINDS.values() for name in kind.lifecycle.args_model.property_names()}
    assert arguments >= LOCAL


def test_drift_of_a_changed_program() -> None:
    """A value that changed outside Pulumi and in the program is in both tables."""
    text = digest(
        {"op": "refresh", **states({"a": 1}, {"a": 1})},
        states({"a": 2}, {"a": 3}),
    )
    changes, drifts = parse(summary(read(text))).tables
    assert changes[1:] == [["update", "Schema raw", "a", "2", "3"]]
    assert drifts[1:] == [["Schema raw", "a", "1", "2", "3"]]


@pytest.mark.parametrize("format_", ["log.jsonl", "digest.json"])
def test_secret_outputs(format_: str) -> None:
    """A change of a value that is secret to Pulumi alone is named, also inside a map and in a connection."""
    rows = parse(recorded(f"secrets.{format_}")).tables[0][1:]
    assert [line[1:] for line in rows] == [
        ["DbtConfiguration analytics", "branch", "[secret]", "[secret] another value"],
        ["DbtEnvironment staging", "targetSchema", "[secret]", "[secret] another value"],
        ["", "variables.WRAP", "[secret]", "[secret] another value"],
        ["LightdashDbtSource finance", "dbtConnection.branch", "[secret]", "[secret] another value"],
    ]


@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("secret-drift.log.jsonl", ["[secret]", "created again"]),
        ("secret-drift.digest.json", ["[secret]", "created again"]),
        ("refresh.log.jsonl", ["stays", ""]),
    ],
)
def test_drift_of_secret_outputs(name: str, becomes: list[str]) -> None:
    """The drift of a value that is secret to Pulumi alone is named, in a preview and in a refresh."""
    text = recorded(name)
    assert "2 changed outside Pulumi, 3 unchanged" in text
    assert parse(text).tables[-1][1:] == [
        ["DbtConfiguration analytics", "branch", "[secret]", "[secret] another value", becomes[0]],
        ["LightdashDbtSource finance", "", "", "deleted", becomes[1]],
    ]


def test_digest_of_a_refresh() -> None:
    """A digest of a refresh lacks what the refresh found, so the error names the command that has it."""
    with pytest.raises(InputError, match="refresh --preview-only --event-log"):
        recorded("refresh.digest.json")


def test_refresh_of_an_output() -> None:
    """A resource that a refresh counts as changed has a row, although its inputs are equal."""
    events = [json.loads(line) for line in (RECORDINGS / "refresh.log.jsonl").read_text().splitlines()]
    results = [each["resOutputsEvent"]["metadata"] for each in events if "resOutputsEvent" in each]
    next(each for each in results if each["urn"].endswith("::production"))["op"] = "update"
    rows = parse(summary(read("\n".join(map(json.dumps, events))))).tables[-1][1:]
    assert ["DbtEnvironment production", "", "", "an output differs", "stays"] in rows


def test_failed_program() -> None:
    """The traceback and the log of a program have no secret, also not the lines of a private key."""
    for format_ in ("log.jsonl", "digest.json"):
        text = recorded(f"error.{format_}")
        assert "ValueError: cannot read [secret]" in text
        assert "made0up" not in text


def test_failed_check() -> None:
    """A preview that failed validation has the error message and the resource."""
    text = parse(recorded("check.log.jsonl")).text
    assert "Preview of omni-quickstart/demo failed\n" in text
    assert "DbtConfiguration analytics:\n" in text
    assert "has a problem: branch must not be empty" in text


def test_policies() -> None:
    """Policy violations follow the changes, mandatory ones first, without the policies' descriptions."""
    text = recorded("policy.log.jsonl")
    assert "failed: 2 mandatory policies violated\n" in text
    lines = parse(text).tables[0][1:]
    assert [line[0] for line in lines] == ["mandatory"] * 2 + ["advisory"] * 3
    assert lines[1][1:3] == ["production-protected", "DbtEnvironment production"]
    assert lines[1][3].startswith("Resource option protect is not set")
    assert "--event-log events.jsonl" in recorded("policy.digest.json")


def test_pending_policies() -> None:
    """A policy that needs an unknown value is listed and is not a violation."""
    message = "can't run policy 'x' from policy pack 'p@v1' during preview: not applicable yet, because a is unknown\n"
    violation = {"policyName": "x", "resourceUrn": URN, "enforcementLevel": "mandatory", "message": message}
    events = [
        {"sequence": 0, "policyEvent": violation},
        {"sequence": 1, "summaryEvent": {"resourceChanges": {"same": 3}}},
    ]
    text = summary(read("\n".join(map(json.dumps, events))))
    assert "Preview of `shop/demo`: no changes, 3 resources." in text
    assert "- `x`: `Schema raw`\n" in text


def test_remediation_shows_no_value() -> None:
    """The event of a remediation contains the moved secret in plain text, and the summary names only the properties."""
    event = {
        "policyName": "no-plain-secrets",
        "resourceUrn": URN,
        "before": {"variables": {"DBT_TOKEN": "hunter22"}},
        "after": {"variables": {}, "secretVariables": {"DBT_TOKEN": "[secret]"}},
    }
    warning = {"severity": "warning", "message": "hunter22 is bad"}
    events = [{"sequence": 0, "policyRemediationEvent": event}, {"sequence": 1, "diagnosticEvent": warning}]
    text = summary(read("\n".join(map(json.dumps, events))))
    assert "| remediated | `no-plain-secrets` | `Schema raw` | changed secretVariables.DBT\\_TOKEN" in text
    assert "hunter22" not in text


def test_order() -> None:
    """Replacements and deletions come first, then updates, then creates."""
    operations = ["create", "update", "import", "delete", "replace", "same", "read"]
    steps = [{"op": op, "urn": f"{URN}-{op}", **states({"a": 1}, {"a": 2})} for op in operations]
    assert [line[0] for line in cells(digest(*steps))] == ["replace", "delete", "update", "import", "create"]


def test_unknown_values() -> None:
    """An unknown value is marked, also inside a list."""
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    lines = cells(digest(states({"a": "x", "b": []}, {"a": unknown, "b": ["y", unknown]})))
    assert [line[2:] for line in lines] == [
        ["a", "x", "known after apply"],
        ["b", "[]", '["y", "(known after apply)"]'],
    ]


def test_types_are_distinguished() -> None:
    """A text that looks like another type is quoted, and an empty text is visible."""
    lines = cells(digest(states({"a": "1", "b": "true", "c": "", "d": 1}, {"a": 1, "b": True, "c": "x", "d": 1.0})))
    assert [line[2:] for line in lines] == [["a", '"1"', "1"], ["b", '"true"', "true"], ["c", '""', "x"]]


def test_reason_without_a_change() -> None:
    """A property that forces a replacement is named even if its inputs are equal."""
    lines = cells(digest({"op": "replace", "replaceReasons": ["profile"], **states({"a": 1}, {"a": 2})}))
    assert [line[2] for line in lines] == ["profile forces replacement", "a"]


def test_update_without_a_change() -> None:
    """An update that comes from outputs only names the property if the provider does."""
    assert cells(digest(states({"a": 1}, {"a": 1})))[0][4] == "no input differs"
    assert cells(digest({"diffReasons": ["tags"], **states({"a": 1}, {"a": 1})}))[0][2:] == ["tags", "", "differs"]


def test_update_of_a_masked_input() -> None:
    """An update that nothing explains may be of a masked input, which the preview does not compare."""
    masked = states(
        {"a": "[secret]", "b": {"c": "[secret]", "d": 1}}, {"a": "[secret]", "b": {"c": "[secret]", "d": 1}}
    )
    assert [line[2:] for line in cells(digest(masked))] == [
        ["a", "[secret]", "[secret] perhaps another value"],
        ["b.c", "[secret]", "[secret] perhaps another value"],
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (digest({"op": "same"}, changeSummary={"same": 1, "update": 2}), 2),
        (digest(changeSummary={"update": 1}), 1),
        (digest({"op": "update"}, changeSummary={"update": 1, "delete": 1}), 1),
        (digest({"op": "update"}, changeSummary={"same": 7, "update": 1, "refresh": 3}), 0),
        (digest({"op": "update"}, changeSummary={"a new kind": 1}), 1),
    ],
)
def test_changes_that_no_step_explains(text: str, count: int) -> None:
    """A preview that counts changes which it does not list is not one without changes."""
    preview = read(text)
    assert preview.unlisted == count
    assert ("is not shown completely" in summary(preview)) is bool(count)
    assert "no changes" not in summary(preview)


def test_item_of_a_shown_list() -> None:
    """An item that the provider names is not repeated when its whole list is shown."""
    named = {
        "detailedDiff": {"cidrs[0]": {"kind": "update"}},
        **states({"cidrs": ["10.0.0.0/8"]}, {"cidrs": ["0.0.0.0/0"]}),
    }
    assert [line[2:] for line in cells(digest(named))] == [["cidrs", '["10.0.0.0/8"]', '["0.0.0.0/0"]']]


def test_change_between_secret_and_plain() -> None:
    """A change between secret and plain is stated, with both sides masked."""
    assert cells(digest(states({"a": "[secret]"}, {"a": "hunter22"})))[0][4] == "[secret] no longer secret"
    assert cells(digest(states({"a": "hunter22"}, {"a": "[secret]"})))[0][4] == "[secret] secret from now on"


def test_setting_with_a_secret_looking_name() -> None:
    """A setting with a secret-looking name is masked, and its value is shown elsewhere."""
    text = digest(states({"mustChangePassword": "true", "b": "true"}, {"mustChangePassword": "true", "b": "false"}))
    assert cells(text)[0][2:] == ["b", '"true"', '"false"']


def test_list_with_a_secret() -> None:
    """A list with a secret is masked, and the other texts in it are shown elsewhere."""
    before, after = [{"name": "staging"}, {"name": "x", "value": "[secret]"}], [{"name": "y", "value": "[secret]"}]
    lines = cells(digest(states({"env": before, "name": "staging"}, {"env": after, "name": "production"})))
    assert [line[2:] for line in lines] == [
        ["env", "[secret]", "[secret] another value"],
        ["name", "staging", "production"],
    ]


def test_two_components() -> None:
    """Resources with the same type and name are distinguished by their components, in each table."""
    inside = "urn:pulumi:demo::shop::my:index:{}$snowflake:index/schema:Schema::main"
    text = digest(
        {"op": "refresh", "urn": inside.format("A"), **states({"branch": "main"}, {"branch": "main"})},
        {"urn": inside.format("A"), **states({"branch": "hotfix"}, {"branch": "main"})},
        {"urn": inside.format("B"), **states({"branch": "release"}, {"branch": "main"})},
    )
    changes, drifts = parse(summary(read(text))).tables
    assert changes[1:] == [["update", "B/Schema main", "branch", "release", "main"]]
    assert drifts[1:] == [["A/Schema main", "branch", "main", "hotfix", "main"]]


def test_drift_of_a_deleted_resource() -> None:
    """A value that changed outside Pulumi is deleted with its resource."""
    text = digest(
        {"op": "refresh", **states({"a": 1}, {"a": 1})},
        {"op": "delete", "oldState": {"id": "7", "inputs": {"a": 2}}},
    )
    assert parse(summary(read(text))).tables[1][1:] == [["Schema raw", "a", "1", "2", "deleted"]]


def test_many_changes_of_one_resource() -> None:
    """A resource with many changes is truncated, so that a deletion after it is shown."""
    many = [{str(n): f"{side}{'x' * 200}" for n in range(400)} for side in "ab"]
    text = digest(
        {"op": "replace", **states(*many)},
        {"op": "delete", "urn": f"{URN}2", "oldState": {"id": "7", "inputs": {"a": 2}}},
    )
    lines = cells(text)
    assert lines[-1][:2] == ["delete", "Schema raw2"]
    assert lines[-2][2] == "380 more"


def test_long_values() -> None:
    """Long values are truncated around their first difference, also if one is a prefix of the other."""
    before, after = cells(digest(states({"a": "x" * 500}, {"a": "x" * 500 + "DROP"})))[0][3:]
    assert before != after
    before, after = cells(digest(states({"a": "x" * 500 + "1"}, {"a": "x" * 500 + "2"})))[0][3:]
    assert before.endswith("1")
    assert after.endswith("2")
    assert max(len(before), len(after)) <= 100


@pytest.mark.parametrize("count", [10, 2_000])
def test_length(count: int) -> None:
    """A comment is shorter than GitHub's limit and says how much it omits."""
    urn = "urn:pulumi:demo::shop::a:b:C::"
    steps = [{"urn": f"{urn}{n}", **states({"a" * 99: "`|" * 99}, {"a" * 99: "|`" * 99})} for n in range(count)]
    errors = [{"severity": "error", "message": "y" * 9_000} for _ in range(count)]
    drifts = [{"op": "refresh", "urn": f"{urn}{n}", **states({"b": 1}, {"b": 1})} for n in range(count)]
    errors += [{"severity": "warning", "message": f"{n}{'@' * 900}"} for n in range(count)]
    text = summary(read(digest(*drifts, *steps, diagnostics=errors)))
    assert len(text) < 65_000
    assert ("lines are omitted" in text) is (count > 10)


@pytest.mark.parametrize("applicable", [True, False])
def test_length_of_policies(*, applicable: bool) -> None:
    """Policy violations and pending policies have a limit too."""
    message = "😀|" * 900 if applicable else f"can't run policy 'x' during preview: {'😀' * 900}"
    violations = [
        {
            "sequence": n,
            "policyEvent": {"policyName": f"p{n}", "resourceUrn": f"{URN}{'x' * 90}{n}", "message": message},
        }
        for n in range(2_000)
    ]
    text = summary(read("\n".join(map(json.dumps, violations))))
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
def test_single_step_of_a_replacement(operation: str, shown: str) -> None:
    """A single step of a replacement is shown as its operation."""
    assert cells(digest({"op": operation, **states({"a": 1}, {"a": 2})}))[0][0] == shown


def test_truncated_events() -> None:
    """The summary of truncated events has the steps before the end."""
    text = (RECORDINGS / "update.log.jsonl").read_text()
    comment = summary(read(text[: text.index('"summaryEvent"')]))
    assert "### Preview of `omni-quickstart/demo` ended early: 1 to update\n" in comment


@pytest.mark.parametrize(
    ("text", "fragment"),
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
        ('{"sequence": 0, "resourcePreEvent": {"planning": true}}', "got other JSON"),
        ('{"sequence": 0, "resourcePreEvent": {"metadata": {}}}', "of an update"),
        ('{"steps": []} {"steps": []}', "more text after it"),
        ('{"sequence": 0, "summaryEvent": {"isPreview": false}}', "of an update"),
        ('{"sequence": 0}\nsomething else\n{"sequence": 1}', "no JSON in line 2"),
    ],
)
def test_other_inputs(text: str, fragment: str) -> None:
    """Any other input is an error of one line."""
    with pytest.raises(InputError, match=fragment) as error:
        read(text)
    assert "\n" not in str(error.value)


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
    """Output before the preview is skipped, even with braces or JSON."""
    text = (RECORDINGS / name).read_text()
    assert read(preamble + text) == read(text)


def test_a_preamble_on_the_same_line() -> None:
    """A digest that does not start a line is found."""
    text = (RECORDINGS / "update.digest.json").read_text()
    assert read(f"preview: {text}") == read(text)


def test_stack_by_name() -> None:
    """A preview that failed before it named its stack uses the name of --stack, encoded in the marker."""
    text = summary(read(json.dumps({"diagnostics": [{"severity": "error", "message": "x"}]})), stack="a/b-->c")
    assert text.startswith("<!-- omni-pulumi preview-summary: a/b-%2D%3Ec -->\n\n### Preview of `a/b-->c` failed\n")


def test_stack_by_name_takes_precedence() -> None:
    """The name of --stack replaces the one in the preview, so that all previews have the same marker."""
    assert "preview-summary: mine -->" in summary(read(digest({"op": "same", **states({}, {})})), stack="mine")


def test_events_without_an_error() -> None:
    """Events without an error message, as of a policy pack that does not load, have a summary."""
    text = summary(read('{"sequence": 0, "diagnosticEvent": {"severity": "info#err", "message": "Traceback"}}'))
    assert "ended early" in text
    assert "log of Pulumi" in text


@pytest.mark.parametrize("end", ["\x85", "\u2028", "\x0c", "\x1c"])
def test_value_with_a_line_separator(end: str) -> None:
    """Only a line feed ends an event. A value may contain other line separators."""
    metadata = {
        "op": "update",
        "urn": URN,
        "old": {"inputs": {"branch": "a"}},
        "new": {"inputs": {"branch": f"b{end}"}},
    }
    event = json.dumps(
        {"sequence": 0, "resourcePreEvent": {"planning": True, "metadata": metadata}}, ensure_ascii=False
    )
    assert [change.path for step in read(event).steps for change in step.changes] == ["branch"]
