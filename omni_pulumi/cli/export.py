"""The command ``omni-pulumi export``."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from omni_pulumi.cli import selection
from omni_pulumi.cli.base import Command

_KINDS = ("configuration", "environment", "attribute", "connection-environment", "source")
"""The options of the kinds of object, in the order of :data:`omni_pulumi.export.objects.KINDS`."""

_OF_CHECK = {"check", "json", "stack"}
"""Options that apply to ``--check``."""

_SELECTION = {"connections", "projects", "names", "excluded", "owners", "kinds"}
"""Options that select objects, under the names of :class:`omni_pulumi.export.objects.ObjectSelection`."""

_OF_RENEW = {"renew", "not_in_stack", "stack", *_SELECTION}
"""Options that apply to ``--renew``."""


@click.command(
    "export",
    cls=Command,
    examples={
        "omni-pulumi export -o analytics": "everything that the keys in OMNI_API_KEY and LIGHTDASH_API_KEY see",
        "omni-pulumi export omni --connection Warehouse --exclude 'PR_*' -o analytics": (
            "one connection, without the environments of pull requests"
        ),
        "omni-pulumi export --owner shared --kind configuration --kind environment -o analytics": (
            "dbt configurations and shared dbt environments"
        ),
        "pulumi stack export | omni-pulumi export --not-in-stack - -o rest": "what a stack does not manage yet",
        "omni-pulumi export --check analytics": "what has changed since the export",
        "omni-pulumi export --renew analytics --connection Warehouse": (
            "compare with what the services have now, in one connection"
        ),
    },
)
@selection.service
@selection.connection
@selection.project
@click.option("--name", "names", multiple=True, metavar="GLOB", help="dbt environments and sources with such a name.")
@click.option(
    "--exclude", "excluded", multiple=True, metavar="GLOB", help="No dbt environments and sources with such a name."
)
@click.option(
    "--owner", "owners", multiple=True, metavar="shared|ID", help="dbt environments of an owner, or shared ones."
)
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(_KINDS), help="Objects of this kind. May be repeated."
)
@click.option(
    "--secrets",
    type=click.Choice(["unmanaged", "config"]),
    default="unmanaged",
    show_default=True,
    help="Leave secrets in the services, or read them from the stack's configuration.",
)
@click.option(
    "--not-in-stack",
    metavar="FILE",
    type=click.Path(allow_dash=True),
    help="Leave out what a stack manages, from `pulumi stack export`.",
)
@selection.stack
@selection.profile
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="DIRECTORY",
    default="exported",
    show_default=True,
    help="Directory to write.",
)
@click.option("--force", is_flag=True, help="Overwrite an earlier export, and keep its names.")
@click.option("--json", is_flag=True, help="Write the result to stdout as JSON.")
@click.option(
    "--check",
    type=click.Path(),
    metavar="DIRECTORY",
    help="Compare with an earlier export, whose options apply, and write no files.",
)
@click.option(
    "--renew",
    type=click.Path(),
    metavar="DIRECTORY",
    help="Let --check compare with what the services have now, or with a part of it. Leaves the program as it is.",
)
@click.pass_context
def command(context: click.Context, /, **options: Any) -> int:
    """Write a Pulumi project for what Omni and Lightdash have.

    Sends only reads. The settings come from the environment, OMNI_BASE_URL and OMNI_API_KEY, LIGHTDASH_URL and
    LIGHTDASH_API_KEY, or from a stack. Without an argument, each service with a URL is read.

    Exit status: 0 on success, 1 if --check finds changes or nothing can be written, 2 on an error, 130 when
    interrupted.
    """
    from omni_pulumi.export.command import Options, check, export, renew
    from omni_pulumi.export.objects import ObjectSelection

    if options["check"] is not None:
        _refuse_other_options(context, "--check", _OF_CHECK)
        return check(Path(options["check"]), stack=options["stack"], as_json=options["json"])
    selected = {**options, "owners": tuple(owner.lower() for owner in options["owners"])}
    if options["renew"] is not None:
        _refuse_other_options(context, "--renew", _OF_RENEW)
        return renew(
            Path(options["renew"]),
            {name: selected[name] for name in _SELECTION if selected[name]},
            managed=options["not_in_stack"],
            stack=options["stack"],
        )
    return export(
        Options(
            service=options["service"],
            selection=ObjectSelection(
                **{name: selected[name] for name in _SELECTION},
                secrets=options["secrets"],
                profile=options["profile"],
            ),
            directory=Path(options["output"]),
            force=options["force"],
            managed=options["not_in_stack"],
            stack=options["stack"],
            as_json=options["json"],
        )
    )


def _refuse_other_options(context: click.Context, option: str, allowed: Collection[str]) -> None:
    """Refuse arguments that do not apply to an option, which uses those of the export.

    Raises:
        UsageError: names them.
    """
    given = [
        parameter.opts[-1] if isinstance(parameter, click.Option) else context.params[parameter.name]
        for parameter in context.command.params
        if parameter.name
        and parameter.name not in allowed
        and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"{option} uses the options of the export. Leave out: {', '.join(sorted(given))}.")
