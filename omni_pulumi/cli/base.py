"""The classes of all commands: their help ends with examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click


class Command(click.Command):
    """A command whose help ends with examples.

    Attributes:
        examples: command lines, and what each one does.
    """

    def __init__(self, *arguments: Any, examples: Mapping[str, str], **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.examples = examples

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse arguments. Each error knows its command."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples after the options."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Examples"):
            for line, result in self.examples.items():
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")
                with formatter.indentation(), formatter.indentation():
                    formatter.write_text(result)


class Group(Command, click.Group):
    """A command with subcommands, whose help ends with examples. Without a subcommand it fails."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, no_args_is_help=False, **settings)
