"""Where the boxes of a small graph go: in columns from left to right, each after all that it depends on.

The usual three steps of a layered drawing: the longest path gives the column, neighbours' mean places the order in it
(what spans several columns holds a place in each, so that lines go round boxes), and then lines are straightened.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from statistics import mean

_SWEEPS = 24

Edge = tuple[str, str]
Place = tuple[str, int]
"""Where a node, or an edge on its way, is in a column: the name of what is there and the column."""


def columns(nodes: Iterable[str], edges: Iterable[Edge]) -> dict[str, int]:
    """The column of each node: after its sources, and not further from its targets than needed."""
    after: dict[str, list[str]] = {node: [] for node in nodes}
    before: dict[str, list[str]] = {node: [] for node in after}
    for source, target in edges:
        after[source].append(target)
        before[target].append(source)
    column: dict[str, int] = {}
    waiting = list(after)
    while waiting:
        ready = [node for node in waiting if all(source in column for source in before[node])] or waiting[:1]
        for node in ready:
            column[node] = max((column.get(source, -1) + 1 for source in before[node]), default=0)
        waiting = [node for node in waiting if node not in column]
    for node in sorted(column, key=lambda node: -column[node]):
        if after[node] and not before[node]:
            column[node] = max(0, min(column[target] for target in after[node]) - 1)
    return column


def routes(column: Mapping[str, int], edges: Iterable[Edge]) -> dict[Edge, list[Place]]:
    """The places of each edge, from its source to its target."""
    found = {}
    for source, target in edges:
        between = range(column[source] + 1, column[target])
        found[source, target] = [
            (source, column[source]),
            *((f"{source} {target}", at) for at in between),
            (target, column[target]),
        ]
    return found


def heights(column: Mapping[str, int], ways: Mapping[Edge, list[Place]]) -> dict[Place, float]:
    """How far down each place is, in boxes: one apart at least, and near its neighbours."""
    neighbours: dict[Place, set[Place]] = {place: set() for place in column.items()}
    for way in ways.values():
        for one, other in itertools.pairwise(way):
            neighbours.setdefault(one, set()).add(other)
            neighbours.setdefault(other, set()).add(one)
    layers: dict[int, list[Place]] = {}
    for place in neighbours:
        layers.setdefault(place[1], []).append(place)
    at = {place: float(index) for layer in layers.values() for index, place in enumerate(layer)}
    for sweep in range(_SWEEPS):
        for number in sorted(layers, reverse=sweep % 2 == 1):
            layer = layers[number]
            side = {p: [at[n] for n in neighbours[p] if (n[1] < number) == (sweep % 2 == 0)] for p in layer}
            wish = {p: mean(sorted(side[p] or [at[n] for n in neighbours[p]] or [at[p]])) for p in layer}
            layer.sort(key=lambda place: (wish[place], place))
            _spread(layer, wish, at)
    top = min(at.values(), default=0.0)
    return {place: height - top for place, height in at.items()}


def _spread(layer: list[Place], wish: Mapping[Place, float], at: dict[Place, float]) -> None:
    """Set one column's places in their order as near to their wishes as one apart allows.

    Places that are too near form a block, which is put where its members wish on average.
    """
    blocks: list[tuple[list[Place], float]] = []
    for place in layer:
        members, start = [place], wish[place]
        while blocks and blocks[-1][1] + len(blocks[-1][0]) > start:
            members = [*blocks.pop()[0], *members]
            start = mean([wish[member] - index for index, member in enumerate(members)])
        blocks.append((members, start))
    for members, start in blocks:
        for index, member in enumerate(members):
            at[member] = start + index
