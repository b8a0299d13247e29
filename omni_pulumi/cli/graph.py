"""A picture of a stack's resources and of what depends on what, from what ``pulumi stack graph FILE`` wrote.

The surprising facts: an edge of a dependency leads from what is needed to what needs it, one of a parent the other
way, and only the colour tells them apart, which options of Pulumi change. Each resource has a parent and in the end it
is the stack, so the colour of the edges to the stack is the parents'. A quote in a name is not escaped, which no reader
of DOT takes, so this one reads Pulumi's lines: https://github.com/pulumi/pulumi/blob/master/pkg/graph/dotconv/print.go

The file has names only, no values and no secrets. GitHub shows a picture on a white or on a dark page without telling
it, so boxes have their own ground and lines a grey that both let through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import NamedTuple

from omni_pulumi.cli.errors import InputError
from omni_pulumi.cli.layout import Edge, Place, columns, heights, routes
from omni_pulumi.cli.markdown import shorten, visible
from omni_pulumi.cli.urns import Urn

_NODE = re.compile(r'^[ \t]*(?P<id>\w+) \[label="(?P<label>urn:.*)"\];$', re.MULTILINE)
_LINK = re.compile(
    r'^[ \t]*(?P<source>\w+) -> (?P<target>\w+)(?: \[(?:color ?= ?"(?P<colour>[^"]*)")?.*\])?;$', re.MULTILINE
)
_FONT = "ui-sans-serif, -apple-system, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"
_GREY = "#7d8590"
_GROUPS = (("omni", "Omni", "#5b4bdb"), ("lightdash", "Lightdash", "#b4530a"))
_OTHERS = ("others", "other resources", "#44566c")
_BOX, _ROW, _GAP, _EDGE = 44, 64, 72, 16
"""Heights of a box and of a row, the width between columns, and the margin."""
_LONGEST = 32


class Graph(NamedTuple):
    """Resources by URN, and dependencies: what is needed, what needs it. The file's own names change with each run."""

    urns: Mapping[str, Urn]
    edges: tuple[Edge, ...]


def graph_svg(dot: str) -> str:
    """The picture.

    Raises:
        InputError: the text is not a stack's graph.
    """
    return _svg(read_graph(dot))


def read_graph(dot: str) -> Graph:
    """A stack's graph without the stack and the engine's own providers."""
    labels = {match["id"]: match["label"] for match in _NODE.finditer(dot)}
    urns = {label: Urn.parse(label) for label in labels.values()}
    if not any(urn.is_stack for urn in urns.values()):
        raise InputError("Expected what `pulumi stack graph FILE` wrote: a graph in which a resource is the stack.")
    edges = [
        (labels[match["source"]], labels[match["target"]], match["colour"])
        for match in _LINK.finditer(dot)
        if match["source"] in labels and match["target"] in labels
    ]
    stacks = {label for label, urn in urns.items() if urn.is_stack}
    parents = {colour for _, target, colour in edges if target in stacks}
    shown = {name: urn for name, urn in urns.items() if not urn.is_stack and not urn.is_default_provider}
    ordered = dict(sorted(shown.items(), key=lambda item: (_group(item[1])[0], item[1].kind, item[1].name)))
    needs = {(s, t) for s, t, colour in edges if colour not in parents and s in shown and t in shown and s != t}
    return Graph(ordered, tuple(sorted(needs, key=lambda edge: [list(ordered).index(name) for name in edge])))


def _group(urn: Urn) -> tuple[str, str, str]:
    """Whose a resource is: the module of a type such as ``pulumi-python:dynamic/omni:DbtEnvironment``, or another."""
    module = urn.type.rpartition(":")[0].rpartition("/")[2]
    ours = urn.type.startswith("pulumi-python:dynamic/")
    return next((group for group in _GROUPS if ours and group[0] == module), _OTHERS)


def _svg(graph: Graph) -> str:
    linked = {name for edge in graph.edges for name in edge}
    column = columns([name for name in graph.urns if name in linked], graph.edges)
    ways = routes(column, graph.edges)
    height = heights(column, ways)
    widths = {name: max(_width(*_lines(urn)), 96) for name, urn in graph.urns.items()}
    broad = [max(widths[n] for n in column if column[n] == i) for i in range(max(column.values(), default=-1) + 1)]
    left = [_EDGE + sum(broad[:i]) + _GAP * i for i in range(len(broad) + 1)]
    top = {place: _EDGE + at * _ROW for place, at in height.items()}
    bottom = max((y + _ROW for y in top.values()), default=_EDGE)
    spots = {name: (left[at], top[name, at], broad[at]) for name, at in column.items()}
    right = max([left[-1] - _GAP, 560])
    x = float(_EDGE)
    for name in graph.urns:  # what stands alone, in lines below the rest
        if name not in linked:
            if x > _EDGE and x + widths[name] > right:
                x, bottom = _EDGE, bottom + _ROW
            spots[name] = (x, bottom, widths[name])
            x += widths[name] + 20
    bottom += _ROW if x > _EDGE else 0
    right = max([x + width for x, _, width in spots.values()], default=right)
    legend = list(_legend(graph, bottom + 12))
    size = (right + _EDGE, bottom + 12 + _EDGE)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(size[0])}" height="{_n(size[1])}" '
        f'viewBox="0 0 {_n(size[0])} {_n(size[1])}" role="img" font-family="{_FONT}">',
        f"<title>{escape(_title(graph))}</title>",
        '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0.5 L8 4 L0 7.5 z" fill="{_GREY}"/></marker></defs>',
        *(_line(way, left, broad, top) for way in ways.values()),
        *(_box(urn, *spots[name]) for name, urn in graph.urns.items()),
        *legend,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _title(graph: Graph) -> str:
    urn = next(iter(graph.urns.values()), Urn.parse(""))
    return f"Resources of {urn.project}/{urn.stack}: {len(graph.urns)}, with {len(graph.edges)} dependencies"


def _lines(urn: Urn) -> tuple[str, str]:
    return shorten(visible(urn.kind), _LONGEST), shorten(visible(urn.name), _LONGEST)


def _box(urn: Urn, x: float, y: float, width: float) -> str:
    kind, name = map(escape, _lines(urn))
    return (
        f'<g fill="#ffffff"><rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_BOX}" rx="7" '
        f'fill="{_group(urn)[2]}"/>'
        f'<text x="{_n(x + 12)}" y="{_n(y + 18)}" font-size="11.5" opacity="0.88">{kind}</text>'
        f'<text x="{_n(x + 12)}" y="{_n(y + 35)}" font-size="14" font-weight="600">{name}</text></g>'
    )


def _line(way: list[Place], left: list[float], broad: list[float], top: Mapping[Place, float]) -> str:
    """A curve that is level where it leaves, where it arrives, and past the columns between."""
    middle = _BOX / 2
    (_, first), *between, (_, last) = way
    x, y = left[first] + broad[first], top[way[0]] + middle
    path = f"M{_n(x)} {_n(y)}"
    for place in between:
        path += _curve(x, y, left[place[1]], top[place] + middle)
        x, y = left[place[1]] + broad[place[1]], top[place] + middle
        path += f" H{_n(x)}"
    path += _curve(x, y, left[last] - 3, top[way[-1]] + middle)
    return f'<path d="{path}" fill="none" stroke="{_GREY}" stroke-width="1.6" marker-end="url(#end)"/>'


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    half = (x + to_x) / 2
    return f" C{_n(half)} {_n(y)} {_n(half)} {_n(to_y)} {_n(to_x)} {_n(to_y)}"


def _legend(graph: Graph, y: float) -> Iterator[str]:
    x = float(_EDGE)
    present = {_group(urn) for urn in graph.urns.values()}
    for group in (*_GROUPS, _OTHERS):
        if group in present:
            yield f'<rect x="{_n(x)}" y="{_n(y - 9)}" width="11" height="11" rx="3" fill="{group[2]}"/>'
            yield f'<text x="{_n(x + 17)}" y="{_n(y + 1)}" font-size="12" fill="{_GREY}">{group[1]}</text>'
            x += 17 + len(group[1]) * 6.6 + 22


def _width(kind: str, name: str) -> float:
    """A guess that is rather too wide: nobody knows the reader's font."""
    return max(len(kind) * 6.7, len(name) * 8.6) + 24


def _n(number: float) -> str:
    """A coordinate, the same in each run."""
    return f"{number:.1f}".removesuffix(".0")
