"""The subset of Mermaid's flowchart syntax that ``omni-pulumi graph`` writes, as a strict grammar."""

from __future__ import annotations

import html
import re
from typing import NamedTuple

NODE = re.compile(r'  (r\d+)\["((?:[\w /-]|#\d+;|<br>)+)"\]')
ARROW = re.compile(r"  (r\d+) (-->|-\.->) (r\d+)")
STYLE = re.compile(r"  classDef ([a-z]+) [a-z-]+:[#\w]+(?:,[a-z-]+:[#\w]+)*")
CLASS = re.compile(r"  class (r\d+(?:,r\d+)*) ([a-z]+)")


class Flowchart(NamedTuple):
    """A parsed flowchart.

    Attributes:
        labels: labels of the nodes by ID, as a reader sees them, with a line feed between lines.
        arrows: solid arrows, as pairs of IDs.
        dotted: dotted arrows, as pairs of IDs.
        classes: class of a node by ID.
    """

    labels: dict[str, str]
    arrows: list[tuple[str, str]]
    dotted: list[tuple[str, str]]
    classes: dict[str, str]

    @property
    def edges(self) -> list[tuple[str, str]]:
        """The solid arrows as pairs of labels."""
        return [(self.labels[start], self.labels[end]) for start, end in self.arrows]


def parse(text: str) -> Flowchart:
    """Return the flowchart in a text, each line of which matches the grammar."""
    first, *lines = text.removesuffix("\n").split("\n")
    assert first == "flowchart LR"
    chart = Flowchart({}, [], [], {})
    styles: set[str] = set()
    for line in lines:
        if match := NODE.fullmatch(line):
            assert match[1] not in chart.labels
            chart.labels[match[1]] = readable(match[2])
        elif match := ARROW.fullmatch(line):
            (chart.arrows if match[2] == "-->" else chart.dotted).append((match[1], match[3]))
        elif match := STYLE.fullmatch(line):
            styles.add(match[1])
        else:
            match = CLASS.fullmatch(line)
            assert match, line
            assert match[2] in styles
            chart.classes.update(dict.fromkeys(match[1].split(","), match[2]))
    assert {id_ for edge in chart.arrows + chart.dotted for id_ in edge} | chart.classes.keys() <= chart.labels.keys()
    return chart


def readable(label: str) -> str:
    """Return a label as Mermaid shows it: ``#35;`` is the character with code 35."""
    return re.sub(r"#(\d+);", lambda match: html.unescape(f"&#{match[1]};"), label.replace("<br>", "\n"))
