"""The command ``omni-pulumi preview-summary``."""

from __future__ import annotations

import click

from omni_pulumi.cli.base import Command
from omni_pulumi.cli.conversion import conversion
from omni_pulumi.cli.errors import EmptyPreviewError, InputError, PartialResultError
from omni_pulumi.text_files import read


@click.command(
    "preview-summary",
    cls=Command,
    examples={
        "omni-pulumi preview-summary events.jsonl > comment.md": (
            "the comment, after `PULUMI_DEBUG_COMMANDS=1 pulumi preview --event-log events.jsonl`"
        ),
        "pulumi preview --json | omni-pulumi preview-summary --stack prod": (
            "the comment without policy violations, and also when the preview wrote nothing"
        ),
        "omni-pulumi preview-summary --graph resources.json events.jsonl": (
            "the comment with a flowchart, after `pulumi preview --json --show-sames > resources.json`"
        ),
    },
)
@click.option("--stack", metavar="NAME", help="Name of the stack in the comment. Default: the name in the preview.")
@click.option(
    "--graph",
    metavar="FILE",
    type=click.Path(allow_dash=True),
    help="Add a flowchart of the resources in FILE, which has the output of `pulumi preview --json --show-sames` or "
    "`pulumi stack export`.",
)
@conversion
def command(text: str, stack: str | None, graph: str | None) -> str:
    """Write a preview as a pull request comment.

    The comment is Markdown. FILE has the output of `pulumi preview --json`, or is the file of its --event-log.
    Default: stdin.

    With --stack, an input that is empty or no preview has a comment too: a failed preview.

    Exit status: 0 on success, also if the preview failed, 1 if FILE cannot be read or does not list all changes that
    it counts, 2 after invalid arguments.
    """
    from omni_pulumi.cli.flowchart import read_graph
    from omni_pulumi.cli.preview import read as read_preview
    from omni_pulumi.cli.summary import not_started, summary, unlisted

    try:
        preview = read_preview(text)
    except InputError as error:
        if stack is None:
            raise
        if isinstance(error, EmptyPreviewError):
            return not_started(stack, str(error))
        raise PartialResultError(str(error), not_started(stack, str(error))) from None
    is_same_input = graph == "-" == click.get_current_context().params["file"]
    resources = None if graph is None else read_graph(text if is_same_input else read(graph))
    result = summary(preview, stack=stack, graph=resources)
    if preview.unlisted:
        raise PartialResultError(unlisted(preview), result)
    return result
