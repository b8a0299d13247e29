"""The command ``omni-pulumi``: what Pulumi says, for people who review it.

Each subcommand reads a file, or stdin, and writes to stdout or a file. Nothing here knows the resources or imports
Pulumi, so a command starts at once and works for stacks of any provider.
"""

from __future__ import annotations

import argparse
import codecs
import sys
from collections.abc import Sequence
from pathlib import Path

from omni_pulumi.cli.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        given = sys.stdin.buffer.read() if options.input == "-" else Path(options.input).read_bytes()
        result: str = options.make(_text(given), options)
        if options.output == "-":
            sys.stdout.buffer.write(result.encode())
            sys.stdout.flush()
        else:
            Path(options.output).write_text(result, encoding="utf-8")
    except RecursionError:
        sys.stderr.write(f"omni-pulumi {options.command}: Expected less than this: values are nested too deeply.\n")
        return 1
    except (InputError, OSError) as error:
        sys.stderr.write(f"omni-pulumi {options.command}: {error}\n")
        return 1
    return 0


def _text(given: bytes) -> str:
    """What was given, as PowerShell writes it too: in UTF-16, with a mark of it and two characters at a line's end."""
    encoding = "utf-16" if given.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    return given.decode(encoding, errors="replace").replace("\r\n", "\n")


def _summary(text: str, options: argparse.Namespace) -> str:
    from omni_pulumi.cli.preview import read
    from omni_pulumi.cli.summary import empty, summary

    if options.stack and not text.strip():
        return empty(options.stack)
    return summary(read(text), stack=options.stack)


def _graph(text: str, _options: argparse.Namespace) -> str:
    from omni_pulumi.cli.graph import graph_svg

    return graph_svg(text)


def _terminal(text: str, options: argparse.Namespace) -> str:
    from omni_pulumi.cli.terminal import terminal_svg

    return terminal_svg(text, title=options.title)


class _ShowVersion(argparse.Action):
    """Looks the version up when it is asked for: the lookup takes longer than a command takes to start."""

    def __call__(self, parser: argparse.ArgumentParser, *_parsed: object) -> None:
        from importlib.metadata import version

        sys.stdout.write(f"{parser.prog} {version('omni-pulumi')}\n")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="omni-pulumi", description="What Pulumi says, for people who review it.")
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    command = _command(
        commands,
        "preview-summary",
        "Markdown for a pull request from `pulumi preview --json`, or from the file of its --event-log.",
    )
    command.add_argument("--stack", help="name in the comment (default: the preview's, unless it failed too early)")
    command.set_defaults(make=_summary)
    command = _command(commands, "graph-svg", "A picture of what `pulumi stack graph FILE` wrote.")
    command.set_defaults(make=_graph)
    command = _command(commands, "preview-svg", "A picture of what `pulumi preview --diff --color always` printed.")
    command.add_argument("--title", default="pulumi preview --diff", help="the window's title (default: %(default)s)")
    command.set_defaults(make=_terminal)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument("input", nargs="?", default="-", metavar="FILE", help="what to read (default: stdin)")
    command.add_argument("-o", "--output", default="-", metavar="FILE", help="where to write (default: stdout)")
    return command
