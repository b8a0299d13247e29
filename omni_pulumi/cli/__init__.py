"""The command ``omni-pulumi``, which shows Pulumi's output to reviewers.

Each subcommand reads a file or stdin and writes to stdout or a file. The modules do not import Pulumi, so the command
starts fast. They work for stacks of any provider, and know two conventions of this package: ``adopt`` and
``secretVariables``.
"""

from __future__ import annotations

import argparse
import codecs
import sys
from collections.abc import Sequence
from pathlib import Path

from omni_pulumi.cli.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        result: str = options.run(_read(options.input), options)
        if options.output == "-":
            sys.stdout.buffer.write(result.encode())
            sys.stdout.flush()
        else:
            Path(options.output).write_text(result, encoding="utf-8")
    except RecursionError:
        sys.stderr.write(f"omni-pulumi {options.command}: The values in the input are nested too deeply.\n")
        return 1
    except (InputError, OSError) as error:
        sys.stderr.write(f"omni-pulumi {options.command}: {error}\n")
        return 1
    return 0


def _read(file: str) -> str:
    """Return the text of a file, or of stdin for ``-``.

    PowerShell writes UTF-16 with a byte order mark, and ends lines with CRLF.
    """
    content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    return content.decode(encoding, errors="replace").replace("\r\n", "\n")


def _preview_summary(text: str, options: argparse.Namespace) -> str:
    from omni_pulumi.cli.graph import read_graph
    from omni_pulumi.cli.preview import read
    from omni_pulumi.cli.summary import empty, summary

    if options.stack and not text.strip():
        return empty(options.stack)
    graph = read_graph(_read(options.graph)) if options.graph else None
    return summary(read(text), stack=options.stack, graph=graph)


def _graph(text: str, _options: argparse.Namespace) -> str:
    from omni_pulumi.cli.graph import flowchart, read_graph

    return flowchart(read_graph(text))


class _ShowVersion(argparse.Action):
    """Prints the version. Reading it takes longer than starting the command, so only ``--version`` does it."""

    def __call__(self, parser: argparse.ArgumentParser, *_parsed: object) -> None:
        from importlib.metadata import version

        sys.stdout.write(f"{parser.prog} {version('omni-pulumi')}\n")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="omni-pulumi", description="Show the output of Pulumi to reviewers.")
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    command = _command(
        commands,
        "preview-summary",
        "Write a preview as a pull request comment in Markdown. Reads the output of `pulumi preview --json` or the "
        "file of its --event-log.",
    )
    command.add_argument("--stack", help="name of the stack in the comment (default: the name in the preview)")
    command.add_argument(
        "--graph",
        metavar="FILE",
        help="add a flowchart of the resources in FILE, which has the output of `pulumi preview --json --show-sames` "
        "or `pulumi stack export`",
    )
    command.set_defaults(run=_preview_summary)
    command = _command(
        commands,
        "graph",
        "Write the resources of a stack and their dependencies as a Mermaid flowchart. Reads the output of "
        "`pulumi stack export` or `pulumi preview --json --show-sames`.",
    )
    command.set_defaults(run=_graph)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, description: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=description, description=description)
    command.add_argument("input", nargs="?", default="-", metavar="FILE", help="file to read (default: stdin)")
    command.add_argument("-o", "--output", default="-", metavar="FILE", help="file to write (default: stdout)")
    return command
