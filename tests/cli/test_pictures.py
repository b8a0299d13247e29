"""The pictures: well-formed, alone in a file, the same in each run, and without what is not theirs."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_pulumi.cli.errors import InputError
from omni_pulumi.cli.graph import graph_svg, read_graph
from omni_pulumi.cli.layout import columns, heights, routes
from omni_pulumi.cli.terminal import terminal_svg

STACK = "pulumi:pulumi:Stack::shop-demo"
RESOURCES = [
    STACK,
    "pulumi:providers:snowflake::default_1_2_3",
    "snowflake:index/database:Database::raw",
    "snowflake:index/schema:Schema::raw",
    "pulumi-python:dynamic/omni:DbtEnvironment::staging",
    'pulumi-python:dynamic/lightdash:LightdashDbtSource::finance <&> "co',
]
EDGES = [(2, 3), (3, 4), (2, 4)]


def dot(order: list[int], parent: str = "#AA6639") -> str:
    """A graph as Pulumi writes it, with names that follow the order of the resources."""
    names = {resource: f"Resource{position}" for position, resource in enumerate(order)}
    lines = [f'    {names[r]} [label="urn:pulumi:demo::shop::{RESOURCES[r]}"];' for r in order]
    lines += [f'    {names[r]} -> {names[0]} [color = "{parent}"];' for r in order if r]
    lines += [f'    {names[s]} -> {names[t]} [color = "#246C60", label = "database"];' for s, t in EDGES]
    return "\n".join(["strict digraph {", *lines, "}", ""])


def svg_texts(svg: str) -> list[str]:
    """All texts that are seen."""
    return ["".join(e.itertext()).replace("\xa0", " ") for e in ET.fromstring(svg).iter() if e.tag.endswith("text")]


def alone(svg: str) -> bool:
    """Whether a picture fetches nothing and runs nothing."""
    return set(re.findall(r"https?://[^\s\"']+", svg)) == {"http://www.w3.org/2000/svg"} and "<script" not in svg


def test_graph() -> None:
    """Resources are boxes with their short types and names; the stack and the engine's providers are none."""
    svg = graph_svg(dot([0, 1, 2, 3, 4, 5]))
    assert alone(svg)
    assert svg_texts(svg) == [
        *("LightdashDbtSource", 'finance <&> "co', "DbtEnvironment", "staging", "Database", "raw", "Schema", "raw"),
        *("Omni", "Lightdash", "other resources"),
    ]
    assert len(set(re.findall(r'rx="7" fill="(#\w+)"', svg))) == 3


@pytest.mark.parametrize("parent", ["#AA6639", "#000000"])
def test_edges(parent: str) -> None:
    """Dependencies are drawn and parents are not, whatever colour Pulumi was told to give them."""
    graph = read_graph(dot([0, 1, 2, 3, 4, 5], parent))
    assert [(graph.urns[s].short, graph.urns[t].short) for s, t in graph.edges] == [
        ("Database raw", "DbtEnvironment staging"),
        ("Database raw", "Schema raw"),
        ("Schema raw", "DbtEnvironment staging"),
    ]


def test_graph_is_the_same_in_each_run() -> None:
    """The order in which the engine names resources changes from run to run, and the picture does not."""
    assert graph_svg(dot([5, 2, 0, 4, 1, 3])) == graph_svg(dot([0, 1, 2, 3, 4, 5]))


@pytest.mark.parametrize("text", ["", "hello", "digraph {}", "digraph { a -> b }", "graph {", '{"a": 1}'])
def test_no_graph(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Another text is refused, and nothing else is printed."""
    with pytest.raises(InputError, match="pulumi stack graph FILE"):
        graph_svg(text)
    assert capsys.readouterr() == ("", "")


@given(st.integers(1, 14), st.sets(st.tuples(st.integers(0, 13), st.integers(0, 13)), max_size=30))
def test_layout(count: int, pairs: set[tuple[int, int]]) -> None:
    """Each target is right of its source, and in a column no two places are nearer than a box."""
    nodes = [f"n{number:02}" for number in range(count)]
    edges = sorted((nodes[s], nodes[t]) for s, t in pairs if s < t < count)
    column = columns(nodes, edges)
    assert all(column[source] < column[target] for source, target in edges)
    height = heights(column, routes(column, edges))
    for at in set(column.values()):
        tops = sorted(top for (_, where), top in height.items() if where == at)
        assert all(below - above > 0.999 for above, below in pairwise(tops))


def test_cycle() -> None:
    """No stack has a cycle, and a file that has one does not hang the command."""
    assert set(columns(["a", "b"], [("a", "b"), ("b", "a")])) == {"a", "b"}


PRINTED = (
    "\x1b[38;5;13m\x1b[1mPreviewing update (demo):\x1b[0m\n"
    "\x1b[0m    \x1b[38;5;3m~ a:b:C: (update)\n"
    "\x1b[0m        [id=bd3c6391]\n"
    "\x1b[0m\x1b[0m        [urn=urn:pulumi:demo::shop::a:b:C::<d&e>]\n"
    "\x1b[38;5;3m      ~ x: \x1b[38;5;1m1\x1b[0m => \x1b[38;5;2m2\n"
    "Duration: 2s\n"
)


def test_terminal() -> None:
    """A preview is drawn with its colours and without IDs and durations."""
    svg = terminal_svg(PRINTED, title="a <preview> & more")
    assert alone(svg)
    texts = "\n".join(svg_texts(svg))
    assert "a <preview> & more" in texts
    assert "~ a:b:C: (update)" in texts
    assert "C::<d&e>]" in texts
    assert "[id=" not in texts
    assert "Duration" not in texts
    assert {"#ff7b72", "#3fb950", "#d29922"} <= set(re.findall(r"fill: (#\w+)", svg))
    assert svg == terminal_svg(PRINTED, title="a <preview> & more")


def test_long_lines() -> None:
    """A line that is too long goes on in the next one."""
    svg = terminal_svg("word " * 100, title="x")
    width = re.search(r'width="(\d+)"', svg)
    assert width is not None
    assert int(width[1]) < 1_600
    assert " ".join(svg_texts(svg)).split().count("word") == 100


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_terminal_is_well_formed(text: str) -> None:
    """Whatever a terminal shows, the picture is well-formed."""
    ET.fromstring(terminal_svg(f"x{text}", title="x"))
