"""The command ``omni-pulumi``, which shows Pulumi's output to reviewers, and writes programs for what exists.

``export`` reads Omni and Lightdash, and is imported when it runs. Each other subcommand reads a file or stdin and
writes to stdout or a file. Their modules do not import Pulumi, so the command starts fast. They work for stacks of any
provider, and know two conventions of this package: ``adopt`` and ``secretVariables``.
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
    status: int = options.main(options)
    return status


def _convert(options: argparse.Namespace) -> int:
    """Run a subcommand that converts a file."""
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
    from omni_pulumi.cli.flowchart import read_graph
    from omni_pulumi.cli.preview import read
    from omni_pulumi.cli.summary import empty, summary

    if options.stack and not text.strip():
        return empty(options.stack)
    graph = read_graph(_read(options.graph)) if options.graph else None
    return summary(read(text), stack=options.stack, graph=graph)


def _graph(text: str, _options: argparse.Namespace) -> str:
    from omni_pulumi.cli.flowchart import flowchart, read_graph

    return flowchart(read_graph(text))


def _export(options: argparse.Namespace) -> int:
    from omni_pulumi.export import command
    from omni_pulumi.export.objects import Selection

    if options.check is not None:
        defaults = vars(_parser().parse_args(["export"]))
        defaults.update(check=options.check, json=options.json, stack=options.stack)
        given = sorted(name for name, value in vars(options).items() if value != defaults[name])
        if given:
            names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            sys.stderr.write(f"omni-pulumi export: --check uses the options of the export. Leave out: {names}.\n")
            return command.FAILURE
        return command.check(Path(options.check), stack=options.stack, as_json=options.json)
    selection = Selection(
        connections=tuple(options.connection),
        projects=tuple(options.project),
        names=tuple(options.name),
        excluded=tuple(options.exclude),
        owners=tuple(owner.lower() for owner in options.owner),
        kinds=tuple(options.kind),
        secrets=options.secrets,
        profile=options.profile,
    )
    return command.export(
        command.Options(
            service=options.service,
            selection=selection,
            directory=Path(options.output),
            force=options.force,
            managed=options.not_in_stack,
            stack=options.stack,
            as_json=options.json,
        )
    )


class _ShowVersion(argparse.Action):
    """Prints the version. Reading it takes longer than starting the command, so only ``--version`` does it."""

    def __call__(self, parser: argparse.ArgumentParser, *_parsed: object) -> None:
        from importlib.metadata import version

        sys.stdout.write(f"{parser.prog} {version('omni-pulumi')}\n")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="omni-pulumi",
        description="Show the output of Pulumi to reviewers, and export what exists as a Pulumi program.",
    )
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
    _add_export(commands)
    return parser


_EXPORT_EXAMPLES = """\
examples:
  omni-pulumi export -o analytics
      everything that the keys in OMNI_API_KEY and LIGHTDASH_API_KEY see
  omni-pulumi export omni --connection Warehouse --exclude 'PR_*' -o analytics
      one connection, without the environments of pull requests
  omni-pulumi export --owner shared --kind configuration --kind environment -o analytics
      dbt configurations and shared dbt environments
  pulumi stack export | omni-pulumi export --not-in-stack - -o rest
      what a stack does not manage yet
  omni-pulumi export --check analytics
      what has changed since the export

exit status: 0 on success, 1 if --check finds changes, 2 on an error, 130 when interrupted
"""


def _add_export(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    description = (
        "Write a Pulumi project that declares what Omni and Lightdash have. Sends only reads. The settings come from "
        "the environment, OMNI_BASE_URL and OMNI_API_KEY, LIGHTDASH_URL and LIGHTDASH_API_KEY, or from a stack."
    )
    command = commands.add_parser(
        "export",
        help="Write a Pulumi project that declares what Omni and Lightdash have.",
        description=description,
        epilog=_EXPORT_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "service", nargs="?", choices=["omni", "lightdash"], help="service to read (default: each one with a URL)"
    )
    command.add_argument(
        "--connection", action="append", default=[], metavar="NAME_OR_ID", help="connection of Omni; may be repeated"
    )
    command.add_argument(
        "--project", action="append", default=[], metavar="NAME_OR_UUID", help="project of Lightdash; may be repeated"
    )
    command.add_argument(
        "--name", action="append", default=[], metavar="GLOB", help="dbt environments and sources with such a name"
    )
    command.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB", help="no dbt environments and sources of such a name"
    )
    command.add_argument(
        "--owner",
        action="append",
        default=[],
        metavar="shared|ID",
        help="dbt environments of an owner, or shared ones",
    )
    command.add_argument(
        "--kind",
        action="append",
        default=[],
        choices=["configuration", "environment", "attribute", "connection-environment", "source"],
        help="objects of this kind; may be repeated",
    )
    command.add_argument(
        "--secrets",
        choices=["unmanaged", "config"],
        default="unmanaged",
        help="leave secrets in the services, or read them from the stack's configuration (default: unmanaged)",
    )
    command.add_argument(
        "--not-in-stack",
        metavar="FILE",
        help="leave out what a stack manages, from `pulumi stack export`",
    )
    command.add_argument(
        "--stack", metavar="NAME", help="stack of the project in this directory, whose configuration has the settings"
    )
    command.add_argument("--profile", metavar="NAME", help="profile of the settings, such as eu for OMNI_EU_BASE_URL")
    command.add_argument(
        "-o", "--output", default="exported", metavar="DIRECTORY", help="directory to write (default: exported)"
    )
    command.add_argument("--force", action="store_true", help="overwrite an earlier export, and keep its names")
    command.add_argument("--json", action="store_true", help="write the result to stdout as JSON")
    command.add_argument(
        "--check", metavar="DIRECTORY", help="compare with an earlier export, whose options apply, and write no files"
    )
    command.set_defaults(main=_export)


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, description: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=description, description=description)
    command.add_argument("input", nargs="?", default="-", metavar="FILE", help="file to read (default: stdin)")
    command.add_argument("-o", "--output", default="-", metavar="FILE", help="file to write (default: stdout)")
    command.set_defaults(main=_convert)
    return command
