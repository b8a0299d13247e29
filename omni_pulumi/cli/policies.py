"""The command ``omni-pulumi policies``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from omni_pulumi.cli.base import Command, Group
from omni_pulumi.text_files import read


@click.group(
    "policies",
    cls=Group,
    examples={
        "omni-pulumi policies init policies": "a policy pack in the directory policies",
        "omni-pulumi policies check policies.json": "errors in the configuration of a policy pack",
    },
)
def command() -> None:
    """Write a policy pack, and check its configuration.

    Needs the extra `policies` of the package.
    """


@command.command(
    "init",
    cls=Command,
    examples={"omni-pulumi policies init policies": "for pulumi preview --policy-pack policies"},
)
@click.argument("directory", type=click.Path())
@click.pass_context
def init(context: click.Context, /, directory: str) -> int:
    """Write a policy pack that takes its rules from this package.

    Writes PulumiPolicy.yaml and __main__.py into DIRECTORY, unless it has one of them.

    Exit status: 0 on success, 1 if a file exists or cannot be written, 2 after invalid arguments.
    """
    try:
        from omni_pulumi.policies.new_pack import write_pack

        paths = write_pack(Path(directory))
    except (ImportError, OSError) as error:
        return _fail(context, error)
    sys.stdout.writelines(f"{path}\n" for path in paths)
    return 0


@command.command(
    "check",
    cls=Command,
    examples={
        "omni-pulumi policies check policies.json": "the file of pulumi preview --policy-pack-config",
        "omni-pulumi policies check --own 'acme-*' policies.json": "for a pack that has policies of your own too",
    },
)
@click.argument("file", default="-", type=click.Path(allow_dash=True))
@click.option("--own", multiple=True, metavar="GLOB", help="Names of policies of your own, which are not checked.")
@click.pass_context
def check(context: click.Context, /, file: str, own: tuple[str, ...]) -> int:
    """Find misspelt policies and settings, and invalid values.

    FILE has the configuration of a policy pack. Default: stdin. The command does not read the pack, so it also accepts
    policies of this package that the pack does not select.

    Exit status: 0 without errors, 1 with errors, or if FILE cannot be read, 2 after invalid arguments.
    """
    try:
        from omni_pulumi.policies import configuration

        errors = configuration.check(read(file), own)
    except (ImportError, OSError) as error:
        return _fail(context, error)
    if errors:
        sys.stderr.writelines(f"{context.command_path}: {error}\n" for error in errors)
        return 1
    sys.stdout.write("No errors.\n")
    return 0


def _fail(context: click.Context, error: Exception) -> int:
    missing = error.name if isinstance(error, ImportError) else None
    reason = f"{missing} is not installed. Install omni-pulumi[policies]." if missing else error
    sys.stderr.write(f"{context.command_path}: {reason}\n")
    return 1
