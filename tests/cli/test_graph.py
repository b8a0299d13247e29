"""The flowchart has the resources and dependencies of a stack, in valid Mermaid syntax and without values."""

from __future__ import annotations

import gc
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_pulumi.cli.errors import InputError
from omni_pulumi.cli.flowchart import Graph, flowchart, read_graph
from omni_pulumi.cli.preview import read
from omni_pulumi.cli.summary import summary
from omni_pulumi.cli.urns import Urn
from tests.cli import markup
from tests.cli.mermaid import parse
from tests.cli.previews import RECORDINGS, digest

STACK = "urn:pulumi:demo::shop::pulumi:pulumi:Stack::shop-demo"
DEFAULT = "urn:pulumi:demo::shop::pulumi:providers:snowflake::default_1_2_3"
PROVIDER = "urn:pulumi:demo::shop::pulumi:providers:snowflake::europe"
TEAM = "urn:pulumi:demo::shop::my:index:Team::finance"
SCHEMA = "urn:pulumi:demo::shop::my:index:Team$snowflake:index/schema:Schema::raw"
ENVIRONMENT = "urn:pulumi:demo::shop::pulumi-python:dynamic/omni:DbtEnvironment::staging"

RESOURCES: list[dict[str, Any]] = [
    {"urn": STACK, "outputs": {"password": "hush"}},
    {"urn": DEFAULT, "inputs": {"password": "hush"}},
    {"urn": PROVIDER, "parent": STACK},
    {"urn": TEAM, "parent": STACK},
    {"urn": SCHEMA, "parent": TEAM, "provider": f"{PROVIDER}::7", "inputs": {"token": "hush"}},
    {"urn": ENVIRONMENT, "parent": STACK, "provider": f"{DEFAULT}::8", "dependencies": [SCHEMA, TEAM, SCHEMA]},
    {"urn": SCHEMA, "delete": True, "dependencies": [ENVIRONMENT]},
]


def export(resources: list[dict[str, Any]]) -> str:
    """Return the output of ``pulumi stack export``."""
    return json.dumps({"version": 3, "deployment": {"resources": resources}})


def preview(resources: list[dict[str, Any]], operation: str = "same") -> str:
    """Return the output of ``pulumi preview --json --show-sames``, with the same operation on each resource."""
    side = "oldState" if operation == "delete" else "newState"
    live = [each for each in resources if not each.get("delete")]
    return json.dumps({"steps": [{"op": operation, "urn": each["urn"], side: each} for each in live]})


@pytest.mark.parametrize("text", [export(RESOURCES), preview(RESOURCES), preview(RESOURCES, "delete")])
def test_resources_and_dependencies(text: str) -> None:
    """Solid arrows lead from a resource to its dependents, dotted ones to children. The stack is not a node."""
    chart = parse(flowchart(read_graph(text)))
    assert sorted(chart.labels.values()) == [
        "DbtEnvironment staging",
        "Schema raw",
        "Team finance",
        "snowflake provider europe",
    ]
    assert chart.edges == [
        ("Schema raw", "DbtEnvironment staging"),
        ("Team finance", "DbtEnvironment staging"),
        ("snowflake provider europe", "Schema raw"),
    ]
    assert [(chart.labels[start], chart.labels[end]) for start, end in chart.dotted] == [("Team finance", "Schema raw")]
    assert chart.classes == {}


def test_no_value_is_shown() -> None:
    """Inputs and outputs are not read, so no secret is shown."""
    assert "hush" not in flowchart(read_graph(export(RESOURCES)))


def test_secret_in_a_name() -> None:
    """What looks like a secret in the name of a resource is masked."""
    assert "0123456789" not in flowchart(read_graph(export([{"urn": f"{SCHEMA}-ghp_0123456789hush"}])))


def test_order_of_the_input_does_not_matter() -> None:
    """The order of resources differs in each run of the engine, and the flowchart does not."""
    assert flowchart(read_graph(export(RESOURCES[::-1]))) == flowchart(read_graph(export(RESOURCES)))


def test_unlisted_dependency() -> None:
    """Without --show-sames a preview omits unchanged resources, and a dependency on one is still shown."""
    chart = parse(flowchart(read_graph(preview([RESOURCES[5]]))))
    assert chart.edges == [("Schema raw", "DbtEnvironment staging"), ("Team finance", "DbtEnvironment staging")]


def test_same_short_names() -> None:
    """Resources with the same type and name are distinguished by the types of their components."""
    other = SCHEMA.replace("Team", "Region")
    labels = parse(flowchart(read_graph(export([{"urn": SCHEMA}, {"urn": other}])))).labels.values()
    assert sorted(labels) == ["Region/Schema raw", "Team/Schema raw"]


@pytest.mark.parametrize(
    ("operation", "style"),
    [
        ("replace", "replace"),
        ("delete", "delete"),
        ("update", "update"),
        ("create", "create"),
        ("create or adopt", "create"),
        ("import", "create"),
    ],
)
def test_changed_resource(operation: str, style: str) -> None:
    """A changed resource names its operation and has a class. It is a node even if the graph does not have it yet."""
    new = Urn.parse(ENVIRONMENT)
    chart = parse(flowchart(Graph(frozenset({Urn.parse(SCHEMA)}), frozenset(), frozenset()), {new: operation}))
    (id_,) = chart.classes
    assert chart.labels[id_] == f"DbtEnvironment staging\n{operation}"
    assert chart.classes == {id_: style}
    assert sorted(chart.labels.values()) == [f"DbtEnvironment staging\n{operation}", "Schema raw"]


NAMES = [
    'a "quoted" name',
    "a]--b",
    "`code`",
    "<script>alert(1)</script>",
    "#35; #quot;",
    "end",
    "%%{init: {}}%%",
    "1. item",
    "- item",
    "*bold* _it_ __b__",
    "www.acme.com/x",
    "ada@acme.com",
    "fa:fa-car",
    "classDef x fill:#f00;",
    "ünïcödé 名前 😀",
    "a\nb\u202e",
    " a  b ",
    "a -- b",
    "a_b-c/d e",
]


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str) -> None:
    """A name is shown literally, whatever it means in Mermaid, Markdown or HTML. Invisible characters are visible."""
    chart = parse(flowchart(read_graph(export([{"urn": f"urn:pulumi:demo::shop::a:b:C::{name}"}]))))
    assert [*chart.labels.values()] == [f"C {name}".replace("\n", "\\n").replace("\u202e", "\\u202e")]


@given(names=st.lists(st.text(max_size=80) | st.sampled_from(NAMES), max_size=4), operation=st.text(min_size=1))
def test_syntax(names: list[str], operation: str) -> None:
    """Each line matches the grammar for any name, type and operation."""
    urns = [f"urn:pulumi:demo::shop::a:b:{name}::{name}" for name in names]
    text = export([{"urn": urn, "dependencies": urns} for urn in urns])
    parse(flowchart(read_graph(text), {Urn.parse(urns[0]): operation} if urns else {}))


@pytest.mark.parametrize("text", [export([]), '{"version": 3, "deployment": {}}', '{"steps": []}'])
def test_empty_stack(text: str) -> None:
    """The flowchart of an empty stack is empty."""
    assert flowchart(read_graph(text)) == "flowchart LR\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "{}",
        "[1]",
        '{"sequence": 0}',
        "strict digraph {}",
        '{"deployment": 7}',
        '{"deployment": {"resources": [7]}}',
        '{"deployment": {"resources": [{}]}}',
        '{"deployment": {"resources": [{"urn": "u", "dependencies": [7]}]}}',
        '{"steps": [{"op": "same"}]}',
        '{"steps": 7}',
        '{"steps": [], "changeSummary": {"update": 1}}',
    ],
)
def test_other_input(text: str) -> None:
    """Any other input is an error that names the commands whose output is expected."""
    with pytest.raises(InputError, match="pulumi stack export"):
        read_graph(text)


def chain(length: int) -> str:
    """Return a stack in which each resource depends on the one before it."""
    urns = [f"urn:pulumi:demo::shop::a:b:C::{number}" for number in range(length)]
    return export([{"urn": urn, "dependencies": urns[max(number - 1, 0) : number]} for number, urn in enumerate(urns)])


def test_linear_time() -> None:
    """Ten times the resources take at most thirty times as long, which quadratic time exceeds.

    Only the processor time of this thread counts, without garbage collections, whose time depends on earlier tests.
    """

    def seconds(text: str) -> float:
        times = []
        for _ in range(3):
            start = time.thread_time()
            flowchart(read_graph(text))
            times.append(time.thread_time() - start)
        return min(times)

    gc.collect()
    gc.disable()
    try:
        assert seconds(chain(10_000)) < 30 * seconds(chain(1_000))
    finally:
        gc.enable()


def test_graph_in_the_summary() -> None:
    """The summary has the flowchart in a collapsed section, with the changed resources marked."""
    update = (RECORDINGS / "update.digest.json").read_text()
    text = summary(read(update), graph=read_graph(update))
    html = markup.parse(text).html
    assert "<details>\n<summary>" in html
    assert html.rstrip().endswith("</details>")
    _, _, block = text.partition("```mermaid\n")
    chart = parse(block.partition("```")[0])
    assert chart.edges == [("DbtConfiguration analytics", "DbtEnvironment staging\nupdate")]
    assert [*chart.classes.values()] == ["update"]


def test_summary_without_resources() -> None:
    """The summary has no section for an empty graph."""
    text = digest(steps=[])
    assert summary(read(text), graph=read_graph(text)) == summary(read(text))


@pytest.mark.parametrize("length", [400, 600])
def test_large_graph_in_the_summary(length: int) -> None:
    """A graph with more than 500 arrows, which Mermaid does not draw, is replaced by its size."""
    graph = read_graph(chain(length))
    text = summary(read(digest(steps=[])), graph=graph)
    assert ("```mermaid" in text) is (length < 500)
    assert (f"{length} resources" in text) is (length > 500)


def test_comment_with_a_graph_is_not_too_long() -> None:
    """A graph that does not fit into GitHub's limit for comments is replaced by its size."""
    urns = [f"urn:pulumi:demo::shop::a:b:C::{number}{'x' * 50}" for number in range(900)]
    text = summary(read(digest(steps=[])), graph=read_graph(export([{"urn": urn} for urn in urns])))
    assert "```mermaid" not in text
    assert len(text) < 65_536
