"""The resources of a stack and their dependencies as a Mermaid flowchart, which GitHub and GitLab draw in Markdown.

Two of Pulumi's JSON documents have the dependencies of resources: ``pulumi stack export``, which has the resources that
exist, and ``pulumi preview --json --show-sames``, which also has those that the preview creates. The events of a
preview have no dependencies, and ``pulumi stack graph`` marks parents by a colour only.

A flowchart has types and names of resources and none of their properties. What looks like a secret in a name is masked.

Source: https://mermaid.js.org/syntax/flowchart.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from omni_pulumi.cli.documents import find
from omni_pulumi.cli.errors import InputError
from omni_pulumi.cli.markdown import shorten, visible
from omni_pulumi.cli.urns import Urn, ambiguous_names
from omni_pulumi.redact import redact

_EXPECTED = "Expected the output of `pulumi stack export` or `pulumi preview --json --show-sames`"
_MAX_NAME = 60
"""Longest name of a resource, in characters."""
_ESCAPED = re.compile(r"(?<![^\W_])[ _/-]|[ _/-](?![^\W_])|[^\w /-]")
"""All but letters, digits, and single separators between them: Mermaid reads labels as Markdown."""

_CLASSES = {
    "create": "fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
    "update": "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
    "replace": "fill:#ffebe9,stroke:#cf222e,color:#1f2328",
    "delete": "fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-dasharray:4",
}
"""Styles by operation, legible on a white and on a black page."""


class Graph(NamedTuple):
    """Resources, without the stack and the engine's default providers, and the edges between them."""

    resources: frozenset[Urn]
    dependencies: frozenset[tuple[Urn, Urn]]
    """Pairs of a resource and one that depends on it."""
    children: frozenset[tuple[Urn, Urn]]
    """Pairs of a component and a resource in it."""


def read_graph(text: str) -> Graph:
    """Return the graph in the output of ``pulumi stack export`` or ``pulumi preview --json``.

    Raises:
        InputError: the text is neither.
    """
    document = find(text, {"deployment", "steps", "changeSummary"}, _EXPECTED).value
    if not document:
        raise InputError(f"{_EXPECTED}, got an empty object.")
    dependencies: set[tuple[Urn, Urn]] = set()
    children: set[tuple[Urn, Urn]] = set()
    urns: set[Urn] = set()
    try:
        counts = {op: count for op, count in (document.get("changeSummary") or {}).items() if op != "same"}
        listed = [step for step in document.get("steps") or () if step["op"] != "same"]
        if sum(counts.values()) > len(listed):
            raise InputError(f"{_EXPECTED}, got a preview that counts changes which it does not list.")
        for resource in _resources(document):
            urn = Urn.parse(resource["urn"])
            needed = {Urn.parse(each) for each in resource.get("dependencies") or ()}
            needed |= {Urn.parse((resource.get("provider") or "").rpartition("::")[0])}
            parent = Urn.parse(resource.get("parent") or "")
            urns |= {urn, parent, *needed}
            dependencies |= {(each, urn) for each in needed}
            children |= {(parent, urn)}
    except (AttributeError, KeyError, TypeError):
        raise InputError(f"{_EXPECTED}, got other JSON.") from None
    shown = frozenset(urn for urn in urns if urn.type and not urn.is_stack and not urn.is_default_provider)
    return Graph(shown, _between(shown, dependencies), _between(shown, children - dependencies))


def _resources(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the resources of a deployment, or those of a preview as they will be, or were before a deletion."""
    if "deployment" in document:
        yield from (each for each in document["deployment"].get("resources") or () if not each.get("delete"))
    else:
        steps = {step["urn"]: step.get("newState") or step.get("oldState") for step in document.get("steps") or ()}
        yield from ({"urn": urn, **(state or {})} for urn, state in steps.items())


def _between(shown: frozenset[Urn], edges: set[tuple[Urn, Urn]]) -> frozenset[tuple[Urn, Urn]]:
    return frozenset((start, end) for start, end in edges if start in shown and end in shown and start != end)


def flowchart(graph: Graph, operations: Mapping[Urn, str] = {}) -> str:
    """Return a Mermaid flowchart, the same for the same graph.

    A solid arrow leads from a resource to one that depends on it, a dotted arrow from a component to a child.

    Args:
        graph: the resources.
        operations: what a preview does with resources. Their labels name the operation, and they are coloured.
    """
    urns = sorted(graph.resources | operations.keys(), key=lambda urn: (urn.short, urn))
    ids = {urn: number for number, urn in enumerate(urns)}
    ambiguous = ambiguous_names(urns)
    lines = ["flowchart LR"]
    for urn, number in ids.items():
        label = _escape(shorten(visible(redact(urn.long if urn.short in ambiguous else urn.short)), _MAX_NAME))
        label += f"<br>{_escape(operations[urn])}" if urn in operations else ""
        lines.append(f'r{number}["{label}"]')
    lines += _arrows("-->", graph.dependencies, ids)
    lines += _arrows("-.->", graph.children, ids)
    members: dict[str, list[str]] = {}
    for urn in urns:
        if urn in operations:
            members.setdefault(_class(operations[urn]), []).append(f"r{ids[urn]}")
    for name in sorted(members):
        lines += [f"classDef {name} {_CLASSES[name]}", f"class {','.join(members[name])} {name}"]
    return "\n  ".join(lines) + "\n"


def _arrows(arrow: str, edges: frozenset[tuple[Urn, Urn]], ids: Mapping[Urn, int]) -> list[str]:
    return [f"r{start} {arrow} r{end}" for start, end in sorted((ids[start], ids[end]) for start, end in edges)]


def _class(operation: str) -> str:
    """Return the class of an operation. An adoption and an import look like a creation."""
    return operation if operation in _CLASSES else "create"


def _escape(text: str) -> str:
    """Return a text for a label, with character codes in place of what Mermaid could interpret."""
    return _ESCAPED.sub(lambda match: f"#{ord(match[0])};", text)
