"""The command ``omni-pulumi graph``."""

from __future__ import annotations

import click

from omni_pulumi.cli.base import Command
from omni_pulumi.cli.conversion import conversion


@click.command(
    "graph",
    cls=Command,
    examples={
        "pulumi stack export | omni-pulumi graph": "what a stack has",
        "pulumi preview --json --show-sames | omni-pulumi graph -o stack.mmd": "what a stack has after the preview",
    },
)
@conversion
def command(text: str) -> str:
    """Write the resources of a stack as a flowchart.

    The flowchart is in the language of Mermaid, and has an arrow for each dependency. FILE has the output of `pulumi
    stack export` or `pulumi preview --json --show-sames`. Default: stdin.

    Exit status: 0 on success, 1 if FILE cannot be read, 2 after invalid arguments.
    """
    from omni_pulumi.cli.flowchart import flowchart, read_graph

    return flowchart(read_graph(text))
