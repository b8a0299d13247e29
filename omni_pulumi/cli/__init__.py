"""The command ``omni-pulumi``.

Each subcommand has a module of its name, with its arguments and its help: ``preview-summary`` is in
:mod:`omni_pulumi.cli.preview_summary`. To add one, write such a module, and list it in ``_MODULES``. It has a
:class:`~omni_pulumi.cli.base.Command` or :class:`~omni_pulumi.cli.base.Group` named ``command``. The function of a
``Command`` returns the exit status.

These modules import what a subcommand does when it runs. So the command starts fast, and neither its help nor a
subcommand that reads a file imports Pulumi or an HTTP client.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

import click

from omni_pulumi.cli import doctor, export, graph, policies, preview_summary
from omni_pulumi.cli.base import Group

_INTERRUPTED: Final = 130

_MODULES = (doctor, export, graph, policies, preview_summary)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit status: ``2`` after invalid arguments, with one line on stderr."""
    try:
        status: int = command.main(arguments, prog_name="omni-pulumi", standalone_mode=False, windows_expand_args=False)
    except click.ClickException as error:
        sys.stderr.write(f"{_describe(error)}\n")
        return error.exit_code
    except click.Abort:
        sys.stderr.write("omni-pulumi: Interrupted.\n")
        return _INTERRUPTED
    return status


@click.group(
    "omni-pulumi",
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    examples={
        "omni-pulumi doctor": "whether settings, network and keys do what a program needs",
        "omni-pulumi export -o analytics": "a Pulumi project for what exists",
        "omni-pulumi preview-summary events.jsonl": "a preview as a comment",
        "omni-pulumi export --help": "options and examples of a command",
    },
)
@click.version_option(package_name="omni-pulumi", message="%(prog)s %(version)s")
def command() -> None:
    """Check settings, export what exists as a Pulumi program, and show previews to reviewers."""


for _module in _MODULES:
    command.add_command(_module.command)


def _describe(error: click.ClickException) -> str:
    """Return an error as one line, which names the command and its help."""
    message = " ".join(error.format_message().split())
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return f"omni-pulumi: {message}"
    end = "" if message.endswith((".", "?")) else "."
    return f"{context.command_path}: {message}{end} See `{context.command_path} --help`."
